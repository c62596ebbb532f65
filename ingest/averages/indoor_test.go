package averages

import (
	"context"
	"reflect"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// TestIndoorStationsAreChecked has a station indoors that is stuck for twelve hours: its flags come live and from what is stored, and
// no average is made of it.
func TestIndoorStationsAreChecked(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &memoryStore{}
	a := newAverages(s)
	a.NewChecker = func() Checker { return quality.NewHourChecker(quality.DefaultRules()) }
	stuck := map[time.Time]bool{}
	a.Append = func(_ context.Context, b ingest.Batch) error {
		for _, f := range b.HourFlags {
			a.Apply(f)
			stuck[f.Hour] = f.Station == "IN" && f.Flags&ingest.Stuck != 0
		}
		return nil
	}
	for i := range 12 * 20 {
		r := reading("IN", start.Add(time.Duration(i)*3*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 20})
		s.readings = append(s.readings, r)
		a.Observe(r)
	}
	var w unwritten
	a.write(t.Context(), &w, start.Add(13*time.Hour))
	if n := len(a.Aggregate.Live(start.Add(12*time.Hour), 1000, 0)); n != 0 || len(s.rows) != 0 {
		t.Errorf("%d cells, %d rows, want none", n, len(s.rows))
	}
	f := func(how string, got func(hour time.Time) bool) {
		t.Helper()
		for hour := range 12 {
			if at := start.Add(time.Duration(hour) * time.Hour); got(at) != (hour >= 7) {
				t.Errorf("%s, hour %d: stuck %v", how, hour, got(at))
			}
		}
	}
	f("live", func(hour time.Time) bool { return stuck[hour] })
	walked := map[time.Time]bool{}
	walker := walker{averages: &Averages{Aggregate: &aggregate.Aggregate{}, Stations: a.Stations}, checker: a.NewChecker()}
	if err := walker.read(t.Context(), s, start, start.Add(12*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, v := range walker.differ {
		walked[v.Hour] = v.Flags&ingest.Stuck != 0
	}
	f("from what is stored", func(hour time.Time) bool { return walked[hour] })
}

// TestExposureOfThePast has a station that is said to have been indoors for a time, and then to have been outdoors after all: what is
// in memory is then what is there after a restart.
func TestExposureOfThePast(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	stations := newAverages(nil).Stations.(register)
	observe := func(a *Averages) *Averages {
		a.Stations = stations
		for i := range 12 * 20 {
			at := start.Add(time.Duration(i) * 3 * time.Minute)
			r := reading("OUT", at, ingest.Value{Quantity: quantity.PM10, Value: float64(i)}, ingest.Value{Quantity: quantity.Humidity, Value: 50})
			if i%3 == 0 {
				r.Received = at.Add(2 * time.Hour)
			}
			a.Observe(r)
		}
		return a
	}
	a := observe(newAverages(nil))
	f := func(exposures ...ingest.ExposedSince) {
		t.Helper()
		st := *stations["OUT"]
		st.Exposures = exposures
		stations["OUT"] = &st
		a.refreshAll()
		again := observe(newAverages(nil))
		for hour := range 12 {
			at := start.Add(time.Duration(hour) * time.Hour)
			if got, want := a.stationHours(at), again.stationHours(at); !reflect.DeepEqual(got, want) {
				t.Errorf("hour %d: %+v are checked, want %+v", hour, got, want)
			}
			if got, want := a.Aggregate.Hour(at, 1000, 0), again.Aggregate.Hour(at, 1000, 0); !reflect.DeepEqual(got, want) {
				t.Errorf("hour %d: averages %+v, want %+v", hour, got, want)
			}
		}
	}
	since := func(hours int, e ingest.Exposure) ingest.ExposedSince {
		return ingest.ExposedSince{From: start.Add(time.Duration(hours)*time.Hour + 20*time.Minute), Exposure: e}
	}
	f(since(4, ingest.Indoor))
	f(since(4, ingest.Indoor), since(8, ingest.Outdoor))
	f()
}
