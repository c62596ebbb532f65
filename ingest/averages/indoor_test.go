package averages

import (
	"context"
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
