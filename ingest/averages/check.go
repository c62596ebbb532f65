package averages

import (
	"context"
	"sync"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// Checker checks hours in ascending order. One that it has is checked again with those after it; quality.HourChecker says
// how far back that goes.
type Checker interface {
	Hour(start time.Time, hours []quality.StationHour) []ingest.HourFlags
	Newest() time.Time
}

// lateShare is the part of the time in which hours may be checked again that late readings have changed: what counts is
// the end.
const lateShare = 10

// unsettled is how long before the hours in memory stored hours may not be checked yet: a server that was away for longer
// than hours stay in memory, and has lost what the checks remember, finds them.
const unsettled = 7 * day

// checking is the state of checks. The zero value is ready.
type checking struct {
	mu       sync.Mutex // guards the fields below, and the Checker while it works
	checker  Checker    // nil before the first check
	due      time.Time  // the first hour that has to be checked; zero for none
	pause    time.Time  // when late readings may have hours checked again
	outdated bool       // what checker remembers of stored hours
	standby  bool       // another process appends flags; this one only remembers, to go on at once when that ends
}

// check checks the hours whose values changed, and all after them: they look back on those. It returns the hours whose
// averages will change by flags that it appended.
func (a *Averages) check(ctx context.Context, now time.Time) (changed map[time.Time]bool, err error) {
	fresh := sorted(append(a.Aggregate.TakeFresh(now), a.indoors.TakeFresh(now)...))
	if a.NewChecker == nil {
		return nil, nil
	}
	c := &a.checking
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.checker == nil {
		a.beginChecks(now)
	}
	standby := a.ReadOnly != nil && a.ReadOnly()
	if memory := firstKept(now); c.standby && !standby && (c.due.IsZero() || memory.Before(c.due)) {
		c.due = memory // the other process may have ended before it appended flags
	}
	c.standby = standby
	for _, hour := range fresh {
		if c.due.IsZero() || hour.Before(c.due) {
			c.due = hour
		}
	}
	if c.due.IsZero() {
		return nil, nil
	}
	from, last := c.due, newestWhole(now)
	if late := !from.After(c.checker.Newest()); late && now.Before(c.pause) {
		if from = c.checker.Newest().Add(time.Hour); from.After(last) {
			return nil, nil
		}
	}
	begin, all := time.Now(), from.Equal(c.due)
	if changed, err = a.checkFrom(ctx, from, last, now); err != nil {
		return changed, err
	}
	if all {
		c.due, c.pause = time.Time{}, now.Add(lateShare*time.Since(begin))
	}
	if a.Saved != nil && !c.outdated {
		a.Saved(c.checker)
	}
	return changed, nil
}

// newestWhole returns the start of the newest hour that is published.
func newestWhole(now time.Time) time.Time {
	return now.UTC().Add(-time.Hour - aggregate.GracePeriod).Truncate(time.Hour)
}

// firstKept returns the start of the first hour that is whole in memory.
func firstKept(now time.Time) time.Time {
	return now.UTC().Add(-aggregate.AllowedLateness).Truncate(time.Hour)
}

// beginChecks takes the Checker that was saved, or begins without a past. Hours that late readings changed after it was
// saved are checked again. It needs checking.mu.
func (a *Averages) beginChecks(now time.Time) {
	c := &a.checking
	if c.checker = a.Checker; c.checker != nil {
		if newest := c.checker.Newest(); !newest.IsZero() && !newest.After(newestWhole(now)) {
			c.due = newest.Add(-quality.Again)
			return
		}
	}
	c.checker, c.due = a.NewChecker(), firstKept(now).Add(-quality.LookBack-unsettled)
}

// checkFrom checks hours, those that are not in memory from the store. It needs checking.mu.
func (a *Averages) checkFrom(ctx context.Context, from, last, now time.Time) (changed map[time.Time]bool, err error) {
	c := &a.checking
	if memory := firstKept(now); from.Before(memory) {
		if err := a.checkStored(ctx, from, memory); err != nil {
			a.Checker, c.checker = nil, nil // how far it came is not known
			return nil, err
		}
		from, c.due = memory, memory
	}
	changed = map[time.Time]bool{}
	for hour := from; !hour.After(last) && ctx.Err() == nil; hour = hour.Add(time.Hour) {
		excluded, err := a.checkHour(ctx, hour)
		if err != nil {
			return changed, err
		}
		if excluded {
			changed[hour] = true
		}
	}
	return changed, ctx.Err()
}

// checkStored checks the stored hours before those in memory. A Checker without a past gets one first. It needs
// checking.mu.
func (a *Averages) checkStored(ctx context.Context, from, memory time.Time) error {
	c := a.checking.checker
	if c.Newest().IsZero() {
		begin := from
		from = memory.Add(-unsettled)
		a.Log.Debug("checks read their past from the store, averages wait", "from", begin)
		if _, err := a.walk(ctx, c, begin, from, false); err != nil {
			return err
		}
	}
	revised, err := a.walk(ctx, c, from, memory, !a.checking.standby)
	if err != nil {
		return err
	}
	return a.rebuildDays(ctx, revised)
}

// checkHour checks an hour in memory and appends flags. changed is true when an average will differ.
func (a *Averages) checkHour(ctx context.Context, start time.Time) (changed bool, err error) {
	hours := a.stationHours(start)
	values := make(map[flagKey]int, len(hours))
	for _, h := range hours {
		values[flagKey{h.Station, h.Quantity}] = h.Count
	}
	found := a.checking.checker.Hour(start, hours)
	if a.checking.standby {
		return false, nil
	}
	batch, changed := a.hourFlags.differ(start, found, values)
	if len(batch) == 0 {
		return false, nil
	}
	if err := a.Append(ctx, ingest.Batch{HourFlags: batch}); err != nil {
		return false, err
	}
	a.hourFlags.appended(start, batch, values)
	return changed, nil
}
