package averages

import (
	"context"
	"errors"
	"slices"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest/store"
)

// writeEvery is the interval at which Run looks for finished hours and retries failed writes.
const writeEvery = 10 * time.Second

// day is the length of a day, which has 24 hours all year.
const day = 24 * time.Hour

// Run checks finished hours and writes them, and their days, to the store until ctx ends, unless it is ReadOnly, and
// updates the averages in memory from the registry. It retries what could not be written.
func (a *Averages) Run(ctx context.Context) error {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	var w unwritten
	for {
		a.write(ctx, &w, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// unwritten holds the windows that wait for the store.
type unwritten struct {
	hours, days []time.Time
	failed      bool // the last check or write
}

// write checks and writes what is finished at now, and forgets what is too old.
func (a *Averages) write(ctx context.Context, w *unwritten, now time.Time) {
	a.refreshAll()
	failed := w.failed
	w.failed = false
	hours := whole(sorted(slices.Concat(w.hours, a.Aggregate.Changed(now), a.shrinking.over(now))), now)
	changed, err := a.check(ctx, now)
	if err != nil && ctx.Err() == nil {
		w.failed = true
		a.Log.Warn("check of hours failed, retrying; their averages wait", "err", err)
	}
	if err == nil {
		hours = slices.DeleteFunc(hours, func(hour time.Time) bool { return changed[hour] }) // Apply marks them again
		for _, hour := range hours {
			w.days = append(w.days, aggregate.DayOf(hour, a.DayOffset))
		}
		hours = a.each(ctx, w, hours, a.writeHour)
	}
	w.hours = hours
	w.days = a.each(ctx, w, sorted(w.days), func(ctx context.Context, start time.Time) error { return a.writeDay(ctx, start, now) })
	w.days = slices.DeleteFunc(w.days, func(start time.Time) bool { return now.Sub(start) > day+aggregate.Retention })
	if failed && !w.failed && len(w.hours) == 0 && ctx.Err() == nil {
		a.Log.Info("averages are written again")
	}
	a.Aggregate.Prune(now)
	a.indoors.Changed(now) // no average is made of them
	a.indoors.Prune(now)
	a.hourFlags.prune(now)
	a.shrinking.prune(now)
}

// sorted returns the times ascending, each once.
func sorted(times []time.Time) []time.Time {
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}

// whole leaves out hours of which the aggregate, or the replay that filled it, may hold only a part: their stored
// averages stay.
func whole(hours []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(hours, func(hour time.Time) bool { return !aggregate.Kept(hour, now) })
}

// each calls do for the windows one by one and returns those that failed or were not tried, as all while it is ReadOnly.
// A window that the store rejects does not stop the others.
func (a *Averages) each(ctx context.Context, w *unwritten, starts []time.Time, do func(ctx context.Context, start time.Time) error) (waiting []time.Time) {
	var failed error
	for i, start := range starts {
		if a.ReadOnly != nil && a.ReadOnly() {
			return append(waiting, starts[i:]...)
		}
		err := do(ctx, start)
		if err == nil {
			continue
		}
		failed = err
		if !errors.Is(err, store.ErrRejected) {
			waiting = append(waiting, starts[i:]...)
			break
		}
		waiting = append(waiting, start)
	}
	if failed != nil && ctx.Err() == nil {
		w.failed = true
		a.Log.Warn("averages write failed, retrying", "windows", len(waiting), "first", waiting[0], "err", failed)
	}
	return waiting
}

// writeHour stores an hour.
func (a *Averages) writeHour(ctx context.Context, start time.Time) error {
	return a.replace(ctx, aggregate.Hour, start, a.Aggregate)
}

// writeDay stores a day that is over: from memory, or from stored readings when a part of it is no longer in memory.
// It skips a day that is not over, which follows with its next hour.
func (a *Averages) writeDay(ctx context.Context, start, now time.Time) error {
	if now.Before(start.Add(day + aggregate.GracePeriod)) {
		return nil
	}
	from := a.Aggregate
	if !aggregate.Kept(start, now) {
		var err error
		if from, err = a.fromStore(ctx, start, start.Add(day), 0); err != nil {
			return err
		}
	}
	return a.replace(ctx, aggregate.Day, start, from)
}
