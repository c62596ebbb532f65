package averages

import (
	"context"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

// countedStore counts how often readings are read: a day at a time.
type countedStore struct {
	keyedStore
	reads int
}

func (s *countedStore) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	s.reads++
	return s.keyedStore.Readings(ctx, q, yield)
}

// countedStations are stations that tell when one of them changes.
type countedStations struct {
	register
	version uint64
}

func (s *countedStations) Version() uint64 { return s.version }

// TestLateReadingsReadThePastOnce has readings of a station that come ten days late, one after the other, on two days and then on
// an earlier one. Only the first of them, and the earlier one, have the whole past read, and each finds what a process finds that has
// no past of others.
func TestLateReadingsReadThePastOnce(t *testing.T) {
	first := aggregate.DayOf(time.Now().Add(-10*day), 0)
	s := &countedStore{}
	stations := &countedStations{register: newAverages(nil).Stations.(register)}
	newOne := func() *Averages {
		a := newAverages(s)
		a.Stations = stations
		a.NewChecker = func() Checker { return quality.NewHourChecker(quality.DefaultRules()) }
		return a
	}
	a := newOne()
	late := func(at time.Time) (reads int) {
		t.Helper()
		var list []ingest.Reading
		for i := range 12 * 20 { // stuck for twelve hours
			list = append(list, reading("OUT", at.Add(time.Duration(i)*3*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 20}))
		}
		if _, err := s.WriteReadings(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		before := s.reads
		if err := a.Recheck(t.Context(), []time.Time{at}); err != nil {
			t.Fatal(err)
		}
		reads = s.reads - before
		got := slices.Clone(s.readings)
		if err := newOne().Recheck(t.Context(), []time.Time{at}); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(s.readings, got, func(a, b ingest.Reading) bool { return a.Time.Equal(b.Time) && slices.Equal(a.Values, b.Values) }) {
			t.Errorf("late on %v: not the same flags as without a past", at)
		}
		return reads
	}
	whole := int(quality.LookBack / day)
	f := func(what string, at time.Time, all bool) {
		t.Helper()
		n := late(at)
		t.Logf("%s: %d days were read", what, n)
		if n > whole != all {
			t.Errorf("%s: %d days were read, the whole past are %d", what, n, whole)
		}
	}
	f("the first", first, true)
	f("the same day", first.Add(12*time.Hour), false)
	f("the day after", first.Add(day), false)
	f("the day before", first.Add(-day), true)
	f("the day before again", first.Add(-day+12*time.Hour), false)
	changed := *stations.register["OUT"]
	changed.Installations = []ingest.Installation{{}, {From: first.Add(-3 * day), Sensors: []string{"sps30"}}}
	stations.register["OUT"], stations.version = &changed, 1
	f("after a change of sensors in the past", first, true)
	f("after that", first, false)
	a.ForgetPast(true)
	f("after others may have checked", first, true)
}
