package averages

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// TestStoredAveragesLoseNoValues has an hour of twelve values in the store. The memory of another start has eight of
// them, which alone would be another average, and gets one late value.
func TestStoredAveragesLoseNoValues(t *testing.T) {
	f := func(what string, change func(s *memoryStore, a *Averages, start time.Time), mean int64, readings int, kept uint64) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(10 * time.Minute)
			s := &memoryStore{}
			start := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
			for i := range 12 {
				s.readings = append(s.readings, reading("OUT", start.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: float64(i)}))
			}
			runOnce := func(a *Averages) {
				ctx, cancel := context.WithCancel(t.Context())
				go a.Run(ctx)
				time.Sleep(2 * writeEvery)
				cancel()
				synctest.Wait()
			}
			before := newAverages(s)
			for _, r := range s.readings {
				before.Observe(r)
			}
			runOnce(before)
			if len(s.rows) != 1 || s.rows[0].Mean != 5500 || s.rows[0].Readings != 12 {
				t.Fatalf("stored at first: %+v", s.rows)
			}
			a := newAverages(s)
			for _, r := range s.readings[:9] {
				a.Observe(r)
			}
			change(s, a, start)
			runOnce(a)
			if len(s.rows) != 1 || s.rows[0].Mean != mean || s.rows[0].Readings != readings || a.Kept() != kept {
				t.Errorf("%s: stored %+v, kept %d, want a mean of %d of %d values, kept %d", what, s.rows, a.Kept(), mean, readings, kept)
			}
		})
	}
	f("the store has the readings", func(s *memoryStore, a *Averages, start time.Time) {
		late := reading("OUT", start.Add(time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 18.5})
		late.Received = start.Add(2 * time.Hour)
		s.readings = append(s.readings, late)
		a.Observe(late)
	}, 6500, 13, 0)
	f("the store has lost readings as well", func(s *memoryStore, _ *Averages, _ time.Time) { s.readings = s.readings[:9] }, 5500, 12, 1)
	f("checks exclude a station", func(s *memoryStore, a *Averages, start time.Time) {
		other := newAverages(nil).Stations.(register)
		twin := *other["OUT"]
		twin.ID, other["TWIN"] = "TWIN", &twin
		a.Stations = other
		for i := range 12 {
			r := reading("TWIN", start.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 1})
			a.Observe(r)
		}
		a.Apply(ingest.HourFlags{Station: "OUT", Hour: start, Quantity: quantity.PM10, Flags: ingest.Outlier})
		s.rows[0].Readings = 21 // of both
	}, 1000, 12, 0)
	f("the station stood elsewhere", func(_ *memoryStore, a *Averages, start time.Time) {
		stations := newAverages(nil).Stations.(register)
		moved := *stations["OUT"]
		moved.Places = []ingest.Place{place(start.AddDate(-1, 0, 0), 7.05, 50.90)}
		stations["OUT"] = &moved
		a.Stations = stations
	}, 4000, 9, 0)
	f("a rebuild is asked for", func(s *memoryStore, a *Averages, start time.Time) {
		s.readings = s.readings[:9]
		if err := a.Rebuild(t.Context(), start, start.Add(time.Hour), nil); err != nil {
			t.Error(err)
		}
	}, 4000, 9, 0)
}

// TestDaysLoseNoValues has a day in the store that is made of more values than its stored readings.
func TestDaysLoseNoValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC().Truncate(day)
		s := &memoryStore{}
		a := newAverages(s)
		for i := range 24 * 12 {
			s.readings = append(s.readings, reading("OUT", start.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 1}))
		}
		time.Sleep(day + time.Hour)
		from, err := a.fromStore(t.Context(), start, start.Add(day), 0)
		if err == nil {
			err = a.replace(t.Context(), aggregate.Day, start, from)
		}
		if err != nil || len(s.rows) != 1 || s.rows[0].Readings != 24*12 {
			t.Fatalf("stored %+v, %v", s.rows, err)
		}
		s.readings = s.readings[5*12:] // nineteen hours still count
		if err := a.writeDay(t.Context(), start, time.Now().Add(3*day)); err != nil {
			t.Fatal(err)
		}
		if len(s.rows) != 1 || s.rows[0].Readings != 24*12 || a.Kept() != 1 {
			t.Errorf("stored %+v, kept %d, want the day as it was", s.rows, a.Kept())
		}
	})
}
