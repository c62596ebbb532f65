package averages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Affected is a station that turned out to have stood elsewhere from a moment on, or to count no more.
type Affected struct {
	Station string
	From    time.Time
}

// Recompute makes the stored averages again of the days on which the affected stations have readings, each day once, oldest first. What is in
// memory follows the registry by itself. done is called when all days before its time are done; an error of it ends Recompute. It may be
// interrupted and called again, with the stations' From where it stopped. A day that the store rejects is logged and left as it is.
func (a *Averages) Recompute(ctx context.Context, stations []Affected, done func(until time.Time) error) error {
	a.review()
	memory := time.Now().Add(-aggregate.Late).Truncate(time.Hour) // Run writes what is in memory
	days, err := a.affectedDays(ctx, stations, memory)
	if err != nil {
		return fmt.Errorf("recompute: %w", err)
	}
	for _, start := range days {
		err := a.rebuildDay(ctx, start, start, memory)
		if errors.Is(err, store.ErrRejected) {
			a.Log.Warn("averages not recomputed", "day", start, "err", err)
		} else if err != nil {
			return fmt.Errorf("recompute the day from %s: %w", start.Format(time.RFC3339), err)
		}
		if err := done(start.Add(day)); err != nil {
			return err
		}
	}
	return nil
}

// affectedDays returns the starts of the days before end on which stations have readings since they are affected, in order.
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
