package averages

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Recompute makes the stored averages from a moment on again after a station turned out to have stood elsewhere, or is to
// count no more. What is in memory follows the registry by itself. It may be interrupted and done again.
func (a *Averages) Recompute(ctx context.Context, station string, from time.Time) error {
	a.review()
	first, found, err := a.firstOf(ctx, station, from)
	if err != nil || !found {
		return err
	}
	memory := time.Now().Add(-aggregate.Late).Truncate(time.Hour) // Run writes what is in memory
	return a.Rebuild(ctx, aggregate.DayOf(first, a.DayOffset), memory, nil)
}

// firstOf is when a station's first stored reading since from was made.
func (a *Averages) firstOf(ctx context.Context, station string, from time.Time) (first time.Time, found bool, err error) {
	stop := errors.New("found")
	err = a.Store.Readings(ctx, store.ReadingQuery{From: from, To: time.Now(), Stations: []string{station}}, func(r ingest.Reading) error {
		first, found = r.Time, true
		return stop
	})
	if err != nil && !errors.Is(err, stop) {
		return first, false, fmt.Errorf("recompute %s: %w", station, err)
	}
	return first, found, nil
}
