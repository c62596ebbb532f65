package averages

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

// walk has the stored hours of a period checked, ascending, as if they had no flags of hours yet. With revise it sets the
// stored flags that differ, and returns the starts of the days in which it did.
func (a *Averages) walk(ctx context.Context, c Checker, from, to time.Time, revise bool) (revised []time.Time, err error) {
	for start := from; start.Before(to); {
		end := aggregate.DayOf(start, a.DayOffset).Add(day)
		if end.After(to) {
			end = to
		}
		w := walker{averages: &Averages{Aggregate: &aggregate.Aggregate{}, Stations: a.Stations}, checker: c}
		if err := w.read(ctx, a.Store, start, end); err != nil {
			return revised, fmt.Errorf("check the stored hours from %s: %w", start.Format(time.RFC3339), err)
		}
		if revise && len(w.differ) > 0 {
			rejected, err := store.Revise(ctx, a.Store, w.differ)
			if err == nil && len(rejected) > 0 {
				err = fmt.Errorf("%w: flags of %d readings: %s", store.ErrRejected, len(rejected), rejected[0].Detail)
			}
			if err != nil {
				return revised, err
			}
			revised = append(revised, aggregate.DayOf(start, a.DayOffset))
		}
		start = end
	}
	return revised, nil
}

// walker has the hours of a day checked.
type walker struct {
	averages *Averages
	checker  Checker
	flags    StoredFlags
	differ   []ingest.HourFlags // from the stored ones
}

func (w *walker) read(ctx context.Context, s store.Store, from, to time.Time) error {
	err := s.Readings(ctx, store.ReadingQuery{From: from, To: to}, func(r ingest.Reading) error {
		r.Received = r.Time
		r.Values = slices.Clone(r.Values)
		hour := w.flags.hour
		if known := w.flags.Next(&r); !w.flags.hour.Equal(hour) {
			w.turn(hour, known)
		}
		w.averages.Observe(r)
		return nil
	})
	if err == nil {
		w.turn(w.flags.hour, w.flags.End())
	}
	return err
}

// turn has an hour checked.
func (w *walker) turn(hour time.Time, known []Stored) {
	if hour.IsZero() {
		return
	}
	stored := make(storedHour, len(known))
	for _, s := range known {
		stored[flagKey{s.Station, s.Quantity}] = s
	}
	found := w.checker.Hour(hour, w.averages.stationHours(hour))
	differ, _ := difference(found, stored)
	w.differ = append(w.differ, differ...)
	w.averages.Aggregate, w.averages.indoors = &aggregate.Aggregate{}, aggregate.Aggregate{}
}

// storedHour is the flags of an hour as the store has them.
type storedHour map[flagKey]Stored

func (h storedHour) of(key flagKey) (v ingest.HourFlags, complete, ok bool) {
	s, ok := h[key]
	return s.HourFlags, s.Values > 0, ok
}

func (h storedHour) all() iter.Seq[ingest.HourFlags] {
	return func(yield func(ingest.HourFlags) bool) {
		for _, s := range h {
			if !yield(s.HourFlags) {
				return
			}
		}
	}
}

// recheck has the stored hours of a period checked after those that they look back on, and sets their flags. It returns
// the days in which flags changed, and the Checker as it is at the end.
func (a *Averages) recheck(ctx context.Context, from, to time.Time) (revised []time.Time, c Checker, err error) {
	c = a.NewChecker()
	stations := versionOf(a.Stations)
	begin, known := a.past.load(c, from, stations)
	if !known {
		c, begin = a.NewChecker(), from.Add(-quality.LookBack)
	}
	if _, err = a.walk(ctx, c, begin, from, false); err == nil {
		if !known {
			a.past.keep(c, from, stations)
		}
		revised, err = a.walk(ctx, c, from, to, true)
	}
	return revised, c, err
}

// ForgetPast frees what late readings of the last hour have left for the next ones; all of it when another process may have checked
// hours since.
func (a *Averages) ForgetPast(all bool) {
	before := time.Now()
	if !all {
		before = before.Add(-pastFor)
	}
	a.past.forget(before)
}

// Recheck checks days again whose stored readings came later than hours are kept in memory, and the days after them that
// look back on them. It computes their averages again where something changed.
func (a *Averages) Recheck(ctx context.Context, days []time.Time) error {
	again, err := a.recheckDays(ctx, days)
	if err != nil {
		return fmt.Errorf("check again: %w", err)
	}
	return a.rebuildDays(ctx, again)
}

// Settled reports whether nothing of a day, and of the day after, is in memory at now. Until then a reading that came too late
// for memory is missing from the coverage of hours in memory, which looks back on it.
func Settled(start, now time.Time) bool {
	return !start.Add(day + aggregate.LookBack).After(firstKept(now))
}

// rebuildDays computes the averages of days again, and of those after them, whose coverage looks back on them, but for the hours
// in memory. It logs and skips a day that the store rejects.
func (a *Averages) rebuildDays(ctx context.Context, days []time.Time) error {
	now := time.Now()
	memory := firstKept(now)
	for _, start := range days {
		if Settled(start, now) {
			days = append(slices.Clip(days), start.Add(day))
		}
	}
	for _, start := range sorted(days) {
		err := a.rebuildDay(ctx, start, start, memory)
		if errors.Is(err, store.ErrRejected) {
			a.Log.Warn("averages of a day not computed again, store rejects them", "day", start, "err", err)
		} else if err != nil {
			return fmt.Errorf("averages of the day from %s: %w", start.Format(time.RFC3339), err)
		}
	}
	return nil
}

// recheckDays checks days and those that look back on them. It returns the days, with those whose flags changed, ascending.
func (a *Averages) recheckDays(ctx context.Context, days []time.Time) (again []time.Time, err error) {
	days = slices.Clone(days)
	for i := range days {
		days[i] = aggregate.DayOf(days[i], a.DayOffset)
	}
	again = sorted(days)
	if a.NewChecker != nil && len(days) > 0 {
		a.outdate(true)
		defer func() { a.outdate(err != nil) }()
	}
	for rest := again; a.NewChecker != nil && len(rest) > 0; {
		end := func(last time.Time) time.Time { return last.Add(day + quality.LookBack) }
		n := 1
		for n < len(rest) && rest[n].Before(end(rest[n-1]).Add(quality.LookBack)) {
			n++
		}
		memory := firstKept(time.Now())
		to := earlier(end(rest[n-1]), memory)
		revised, c, err := a.recheck(ctx, rest[0], to)
		if err != nil {
			return nil, err
		}
		if to.Equal(memory) {
			a.adopt(c, memory)
		}
		again = slices.Concat(again, revised)
		rest = rest[n:]
	}
	return sorted(again), nil
}

// outdate says whether what the Checker remembers of stored hours is out of date: it is not saved then, and what was saved
// goes.
func (a *Averages) outdate(outdated bool) {
	a.checking.mu.Lock()
	defer a.checking.mu.Unlock()
	if a.checking.outdated = outdated; outdated && a.Saved != nil {
		a.Saved(nil)
	}
}

// adopt takes a Checker that has checked all stored hours before those in memory from a moment on.
func (a *Averages) adopt(c Checker, memory time.Time) {
	a.checking.mu.Lock()
	defer a.checking.mu.Unlock()
	a.checking.checker, a.checking.due = c, memory
}
