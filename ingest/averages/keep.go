package averages

import (
	"context"
	"slices"
	"sync"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Kept returns how many times stored averages stayed as they were, because fewer values were there to make them again.
func (a *Averages) Kept() uint64 { return a.kept.Load() }

// replace stores the averages of an hour or day, except where they would be made of fewer values than the stored ones and
// no check or change of a station explains it. What is short in memory is then made from the stored readings.
func (a *Averages) replace(ctx context.Context, window aggregate.Window, start time.Time, from *aggregate.Aggregate) error {
	if a.shrinking.has(window, start) {
		err := store.ReplaceGrid(ctx, a.Store, start, window, a.Size, rowsOf(from, window, start, a.Size), nil)
		if err == nil {
			a.shrinking.done(window, start)
		}
		return err
	}
	kept, err := a.replaceFrom(ctx, window, start, from, from)
	if err != nil || len(kept) == 0 {
		return err
	}
	end := start.Add(time.Duration(window.Seconds()) * time.Second)
	stored, err := a.fromStore(ctx, start, end, 0)
	if err != nil {
		return err
	}
	unchecked, err := a.fromStore(ctx, start, end, ingest.HourFlagMask)
	if err != nil {
		return err
	}
	if kept, err = a.replaceFrom(ctx, window, start, stored, unchecked); err == nil && len(kept) > 0 {
		a.kept.Add(uint64(len(kept)))
		a.Log.Warn("stored averages kept, fewer values are there now than they were made of", "window", window.String(), "start", start,
			"cells", len(kept), "first", kept[0].Cell.String(), "quantity", kept[0].Quantity.String(), "values", kept[0].Readings)
	}
	return err
}

// replaceFrom stores the averages of an aggregate, and returns the stored rows that it kept: those made of more values
// than all has for their cell, whether checks exclude them or not.
func (a *Averages) replaceFrom(ctx context.Context, window aggregate.Window, start time.Time, from, all *aggregate.Aggregate) (kept []aggregate.Row, err error) {
	var counts map[cellSeries]int
	err = store.ReplaceGrid(ctx, a.Store, start, window, a.Size, rowsOf(from, window, start, a.Size), func(old aggregate.Row) bool {
		if counts == nil {
			counts = countsOf(all, window, start, a.Size)
		}
		if counts[cellSeries{old.Cell, old.Quantity}] >= old.Readings {
			return false
		}
		kept = append(kept, old)
		return true
	})
	return kept, err
}

func rowsOf(from *aggregate.Aggregate, window aggregate.Window, start time.Time, size int32) []aggregate.Row {
	if window == aggregate.Day {
		return from.Day(start, size, 0)
	}
	return from.Hour(start, size, 0)
}

type cellSeries struct {
	cell     geo.Cell
	quantity quantity.Quantity
}

// countsOf counts the values of each cell and quantity in a window, whether they count in averages or not.
func countsOf(all *aggregate.Aggregate, window aggregate.Window, start time.Time, size int32) map[cellSeries]int {
	counts := map[cellSeries]int{}
	for hour := start; hour.Before(start.Add(time.Duration(window.Seconds()) * time.Second)); hour = hour.Add(time.Hour) {
		for _, h := range all.StationHours(hour) {
			counts[cellSeries{h.Cell.Parent(size), h.Quantity}] += len(h.Values)
		}
	}
	return counts
}

// shrinking holds the windows of which stored averages may lose values once, because a station's history changed. The
// zero value is ready.
type shrinking struct {
	mu      sync.Mutex // guards windows
	windows map[shrinkingWindow]bool
}

type shrinkingWindow struct {
	window aggregate.Window
	start  time.Time
}

// from adds the windows in memory that end after a moment.
func (s *shrinking) from(moment time.Time, dayOffset time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.windows == nil {
		s.windows = map[shrinkingWindow]bool{}
	}
	now := time.Now().UTC()
	hour := now.Add(-aggregate.Retention).Truncate(time.Hour)
	if moment = moment.UTC().Truncate(time.Hour); moment.After(hour) {
		hour = moment
	}
	for ; !hour.After(now); hour = hour.Add(time.Hour) {
		s.windows[shrinkingWindow{aggregate.Hour, hour}] = true
		s.windows[shrinkingWindow{aggregate.Day, aggregate.DayOf(hour, dayOffset)}] = true
	}
}

// over returns the hours among the windows that are published at now.
func (s *shrinking) over(now time.Time) (hours []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.windows {
		if w.window == aggregate.Hour && !w.start.Add(time.Hour+aggregate.GracePeriod).After(now) {
			hours = append(hours, w.start)
		}
	}
	slices.SortFunc(hours, time.Time.Compare)
	return hours
}

func (s *shrinking) has(window aggregate.Window, start time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.windows[shrinkingWindow{window, start}]
}

func (s *shrinking) done(window aggregate.Window, start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.windows, shrinkingWindow{window, start})
}

// prune removes windows whose days are not written any more.
func (s *shrinking) prune(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.windows {
		if now.Sub(w.start) > day+aggregate.Retention {
			delete(s.windows, w)
		}
	}
}
