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

// Rebuild checks the stored hours of the period again, then computes the averages of every hour and day that begins in it
// again, and replaces the stored flags and averages. It writes the same as Run did. The flags of hours that a server has
// in memory stay: it checks them itself. It calls progress, which may be nil, after each day. It skips windows that the
// store rejects; the error names their days at the end.
func (a *Averages) Rebuild(ctx context.Context, from, to time.Time, progress func(done time.Time)) error {
	if start, end := from.Truncate(time.Hour), earlier(to, firstKept(time.Now())); a.NewChecker != nil && start.Before(end) {
		if _, _, err := a.recheck(ctx, start, end); err != nil {
			return fmt.Errorf("rebuild: %w", err)
		}
	}
	var rejected error
	for start := aggregate.DayOf(from, a.DayOffset); start.Before(to); start = start.Add(day) {
		if err := a.rebuildDay(ctx, start, from, to); err != nil {
			err = fmt.Errorf("rebuild the day from %s: %w", start.Format(time.RFC3339), err)
			if !errors.Is(err, store.ErrRejected) {
				return errors.Join(rejected, err)
			}
			rejected = errors.Join(rejected, err)
		}
		if progress != nil {
			progress(start.Add(day))
		}
	}
	return rejected
}

func (a *Averages) rebuildDay(ctx context.Context, start, from, to time.Time) error {
	values, err := a.fromStore(ctx, start, start.Add(day), 0)
	if err != nil {
		return err
	}
	var rejected error
	replace := func(start time.Time, window aggregate.Window, rows []aggregate.Row) error {
		err := store.ReplaceGrid(ctx, a.Store, start, window, a.Size, rows, nil)
		if errors.Is(err, store.ErrRejected) {
			rejected, err = err, nil
		}
		return err
	}
	for hour := start; hour.Before(start.Add(day)); hour = hour.Add(time.Hour) {
		if hour.Before(from) || !hour.Before(to) {
			continue
		}
		if err := replace(hour, aggregate.Hour, values.Hour(hour, a.Size, 0)); err != nil {
			return err
		}
	}
	if !start.Before(from) {
		if err := replace(start, aggregate.Day, values.Day(start, a.Size, 0)); err != nil {
			return err
		}
	}
	return rejected
}

// Rows computes the averages of one hour or day again from stored readings, for cells of any resolution, and writes
// nothing. They are the rows that a store of that resolution would hold.
func (a *Averages) Rows(ctx context.Context, window aggregate.Window, start time.Time, size int32) ([]aggregate.Row, error) {
	values, err := a.fromStore(ctx, start, start.Add(time.Duration(window.Seconds())*time.Second), 0)
	if err != nil {
		return nil, err
	}
	if window == aggregate.Day {
		return values.Day(start, size, 0), nil
	}
	return values.Hour(start, size, 0), nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// fromStore returns an aggregate of the stored readings of a period, as if they did not have the flags in ignore, and of
// the time before that tells the sensors' intervals. A value that arrived too late for the averages of its time counts
// here, as late.
func (a *Averages) fromStore(ctx context.Context, from, to time.Time, ignore ingest.Flags) (*aggregate.Aggregate, error) {
	again := &Averages{Aggregate: &aggregate.Aggregate{Correction: a.Aggregate.Correction}, Stations: a.Stations}
	err := a.Store.Readings(ctx, store.ReadingQuery{From: from.Add(-aggregate.LookBack), To: to}, func(r ingest.Reading) error {
		if latest := r.Time.Add(aggregate.Retention); r.Received.After(latest) {
			r.Received = latest
		}
		for i := range r.Values {
			r.Values[i].Flags &^= ignore
		}
		again.Observe(r)
		return nil
	})
	return again.Aggregate, err
}
