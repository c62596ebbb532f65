package averages

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Affected is a station whose place, or whether it counts, changed afterwards from a moment on.
type Affected struct {
	Station string
	From    time.Time
}

// Recompute checks again, and computes the stored averages again for, the days on which the affected stations have
// readings, each day once, oldest first. The averages in memory follow the registry by themselves. It calls done when all days before a
// time are done, and returns an error of done. It may be interrupted and called again, with the stations' From set to
// where it stopped. It logs and skips a day that the store rejects.
func (a *Averages) Recompute(ctx context.Context, stations []Affected, done func(until time.Time) error) error {
	a.refreshAll()
	a.ForgetPast(true)                                                       // of stations as they were
	memory := time.Now().Add(-aggregate.AllowedLateness).Truncate(time.Hour) // Run writes the hours in memory
	for _, s := range stations {
		a.shrinking.from(s.From, a.DayOffset)
	}
	days, err := a.affectedDays(ctx, stations, memory)
	if err != nil {
		return fmt.Errorf("recompute: %w", err)
	}
	if days, err = a.recheckDays(ctx, days); err != nil {
		return fmt.Errorf("recompute: %w", err)
	}
	for _, start := range days {
		if err := a.rebuildDays(ctx, []time.Time{start}); err != nil {
			return fmt.Errorf("recompute: %w", err)
		}
		if err := done(start.Add(day)); err != nil {
			return err
		}
	}
	return nil
}

// affectedDays returns the starts of the days before end on which stations have readings since they are affected,
// ascending.
func (a *Averages) affectedDays(ctx context.Context, stations []Affected, end time.Time) ([]time.Time, error) {
	from, q := map[string]time.Time{}, store.ReadingQuery{From: end, To: end}
	for _, s := range stations {
		from[s.Station] = s.From
		q.Stations = append(q.Stations, s.Station)
		if s.From.Before(q.From) {
			q.From = s.From
		}
	}
	if !q.From.Before(q.To) || len(stations) == 0 {
		return nil, nil
	}
	days := map[time.Time]bool{}
	err := a.Store.Readings(ctx, q, func(r ingest.Reading) error {
		if !r.Time.Before(from[r.Station]) {
			days[aggregate.DayOf(r.Time, a.DayOffset)] = true
		}
		return nil
	})
	return slices.SortedFunc(maps.Keys(days), time.Time.Compare), err
}
