package averages

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// TestRecomputeEqualsKnowingFromTheStart plays two days; a day and a half later one station is found to have moved
// during them, and another's readings are to be deleted. Some of the hours are still in memory, some only in the
// store. The rows are those of a city that knew this from the start.
func TestRecomputeEqualsKnowingFromTheStart(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			start := time.Now().UTC().Truncate(day).Add(-time.Hour) // of a day
			stations := &residents{now: town(rng)}
			readings := weather(rng, start)
			slices.SortFunc(readings, func(a, b ingest.Reading) int { return a.Received.Compare(b.Received) })
			live := &memoryStore{}
			a := newAverages(live)
			a.Stations, a.DayOffset = stations, time.Hour
			ctx, cancel := context.WithCancel(t.Context())
			go a.Run(ctx)
			for _, r := range readings {
				time.Sleep(time.Until(r.Received))
				live.mu.Lock()
				live.readings = append(live.readings, r)
				live.mu.Unlock()
				a.Observe(r)
			}
			time.Sleep(time.Until(start.Add(3*day + day/2)))

			since := start.Add(20*time.Hour + 20*time.Minute)
			stations.change("S1", func(s *ingest.Station) { s.Places = append(slices.Clone(s.Places), place(since, 7.05, 50.98)) })
			stations.change("S2", func(s *ingest.Station) { s.Status = ingest.Erased })
			synctest.Wait()
			slices.SortFunc(live.readings, func(a, b ingest.Reading) int { return a.Time.Compare(b.Time) })
			affected := []Affected{{"S1", since}, {"S2", time.Unix(0, 0)}}
			stopped := errors.New("stopped")
			err := a.Recompute(t.Context(), affected, func(until time.Time) error {
				affected = []Affected{{"S1", later(since, until)}, {"S2", until}}
				return stopped // after the first day
			})
			if !errors.Is(err, stopped) {
				t.Fatal(err)
			}
			for range 2 { // the second time gives the same
				if err := a.Recompute(t.Context(), affected, func(time.Time) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			cancel()
			synctest.Wait()

			again := &memoryStore{readings: live.readings}
			b := newAverages(again)
			b.Stations, b.DayOffset = stations, time.Hour
			if err := b.Rebuild(t.Context(), start.Add(-day), start.Add(4*day), nil); err != nil {
				t.Fatal(err)
			}
			got, want := live.sorted(), again.sorted()
			if len(want) < 200 || !slices.ContainsFunc(want, func(r aggregate.Row) bool { return r.Window == aggregate.Day }) {
				t.Fatalf("only %d rows", len(want))
			}
			for i := range min(len(got), len(want)) {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("seed %d, row %d of %d and %d:\nrecomputed %+v\ntrue       %+v", seed, i, len(got), len(want), got[i], want[i])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d rows recomputed, %d true", len(got), len(want))
			}
		})
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TestRecomputeDoesAffectedDaysOnce has three stations whose readings are to be deleted; they are on two of thirty
// days.
func TestRecomputeDoesAffectedDaysOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC().Truncate(day).Add(-40 * day)
		s := &memoryStore{}
		for d := range 30 {
			s.readings = append(s.readings, reading("OUT", start.Add(time.Duration(d)*day), ingest.Value{Quantity: quantity.PM10, Value: 1}))
		}
		for i, d := range []int{7, 7, 20} {
			s.readings = append(s.readings, reading(fmt.Sprint("S", i), start.Add(time.Duration(d)*day+time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 1}))
		}
		slices.SortFunc(s.readings, func(a, b ingest.Reading) int { return a.Time.Compare(b.Time) })
		var affected []Affected
		for i := range 3 {
			affected = append(affected, Affected{fmt.Sprint("S", i), time.Unix(0, 0)})
		}
		var done []time.Time
		if err := newAverages(s).Recompute(t.Context(), affected, func(until time.Time) error { done = append(done, until); return nil }); err != nil {
			t.Fatal(err)
		}
		if want := []time.Time{start.Add(8 * day), start.Add(21 * day)}; !slices.EqualFunc(done, want, time.Time.Equal) {
			t.Errorf("done up to %v, want %v", done, want)
		}
	})
}
