package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

const (
	day = 24 * time.Hour
	// keptFor is how long results of a day are kept. Readings that are later than aggregate.AllowedLateness, flags that
	// change after it and averages that are rebuilt show in series when this time has passed.
	keptFor = 10 * time.Minute
	// keptDays is the largest number of days that are kept, about 20 MB.
	keptDays = 100_000
	// daysAtOnce is how many days are computed in one turn, so that a long period makes others wait for a part of it only.
	daysAtOnce = 31
)

// closedDays keeps results of days that are over, by series and day: a year of a station's readings takes seconds of
// processor time, and one of a city's cells as well. A day is over when no more readings are expected for it. One series at
// a time is computed. Call newClosedDays to make one.
type closedDays[T any] struct {
	start func(T) time.Time // of the day to which a result belongs
	turn  chan struct{}     // holds one element while a series is computed

	mu     sync.Mutex // guards the fields below
	series map[daySeries]map[int64]keptDay[T]
	days   int // of all series
}

// daySeries identifies a series, of a station or of areas. The registry replaces a station that was changed, so a station
// that has been moved or calibrated since has a series of its own.
type daySeries struct {
	station    *ingest.Station
	areas      string
	quantities string
}

// keptDay is the results of a day; none where nothing counts.
type keptDay[T any] struct {
	until   time.Time
	results []T
}

func newClosedDays[T any](start func(T) time.Time) *closedDays[T] {
	return &closedDays[T]{start: start, turn: make(chan struct{}, 1), series: map[daySeries]map[int64]keptDay[T]{}}
}

// each adds the results of the days that start in from <= start < to, in the order in which compute returns those of a
// period of whole days. Both are starts of days.
func (c *closedDays[T]) each(ctx context.Context, of daySeries, from, to time.Time, compute func(ctx context.Context, from, to time.Time) ([]T, error), add func(T) error) error {
	for from.Before(to) {
		results, next, known := c.known(of, from, to)
		if !known {
			var err error
			if results, err = c.computed(ctx, of, from, next, compute); err != nil {
				return err
			}
		}
		if err := each(results, add); err != nil {
			return err
		}
		from = next
	}
	return nil
}

// known returns the results of the days from from that are kept, and the day after them. Without any it returns false
// and the day after those that are to be computed at once.
func (c *closedDays[T]) known(of daySeries, from, to time.Time) (results []T, next time.Time, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for next = from; next.Before(to); next = next.Add(day) {
		kept, ok := c.series[of][next.Unix()]
		ok = ok && now.Before(kept.until)
		if next.Equal(from) {
			known = ok
		}
		if ok != known || !ok && !next.Before(from.Add(daysAtOnce*day)) {
			break
		}
		results = append(results, kept.results...)
	}
	return results, next, known
}

// computed computes the results of days when no others are computed, and keeps those of days that are over.
func (c *closedDays[T]) computed(ctx context.Context, of daySeries, from, to time.Time, compute func(ctx context.Context, from, to time.Time) ([]T, error)) ([]T, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if results, next, known := c.known(of, from, to); known && next.Equal(to) {
		return results, nil // meanwhile
	}
	results, err := compute(ctx, from, to)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for start := from; start.Before(to) && !start.Add(day+aggregate.AllowedLateness).After(now); start = start.Add(day) {
		c.keep(of, start, now.Add(keptFor), slices.DeleteFunc(slices.Clone(results), func(r T) bool { return !c.start(r).Equal(start) }))
	}
	return results, nil
}

// keep keeps the results of a day. When there are too many days, all of them are computed again.
func (c *closedDays[T]) keep(of daySeries, start, until time.Time, results []T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.days >= keptDays {
		clear(c.series)
		c.days = 0
	}
	if c.series[of] == nil {
		c.series[of] = map[int64]keptDay[T]{}
	}
	if _, had := c.series[of][start.Unix()]; !had {
		c.days++
	}
	c.series[of][start.Unix()] = keptDay[T]{until, slices.Clip(results)}
}

// ceilDay returns the first start of a day at or after a moment.
func (s *Server) ceilDay(at time.Time) time.Time {
	start := s.windowStart(aggregate.Day, at)
	if start.Before(at) {
		start = start.Add(day)
	}
	return start
}

// means adds the selected means of stations; days of a single one are kept.
func (s *Server) means(ctx context.Context, q download.Readings, add func(aggregate.StationWindow) error) error {
	if q.Resolution != download.Days || len(q.Stations) != 1 || q.Within != nil || q.Source != export.AllSources {
		return s.source().Means(ctx, q, add)
	}
	st, _ := s.Registry.Station(q.Stations[0])
	return s.dayMeans.each(ctx, seriesOf(st, q.Quantities), s.ceilDay(q.From), s.ceilDay(q.To), func(ctx context.Context, from, to time.Time) (list []aggregate.StationWindow, err error) {
		part := q
		part.From, part.To = from, to
		err = s.source().Means(ctx, part, func(m aggregate.StationWindow) error {
			list = append(list, m)
			return nil
		})
		return list, err
	}, add)
}

func seriesOf(st *ingest.Station, quantities []quantity.Quantity) daySeries {
	of := daySeries{station: st}
	for _, q := range quantities {
		of.quantities += q.String() + " "
	}
	return of
}
