package comparison

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

const (
	// runEvery is how often Run looks for something to compute.
	runEvery = 10 * time.Minute
	// nightly is how long after the end of a day it is compared for the first time: values of stations and authorities
	// are late.
	nightly = 3 * time.Hour
	// settled is how old a day is when it is not computed again by itself: readings come up to two days late.
	settled = 4 * 24 * time.Hour
	oneDay  = 24 * time.Hour
)

// Store gives stored readings; a store.Store is one.
type Store interface {
	Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error
}

// Stations gives the registered stations.
type Stations interface {
	ingest.Stations
	Stations() []*ingest.Station
}

// Comparer compares days and keeps them. Set the fields before use; it is safe for concurrent use.
type Comparer struct {
	Store      Store
	Stations   Stations
	Correction quality.Correction
	DayOffset  time.Duration // a day begins at midnight UTC minus this
	Folder     string        // of the days' files
	Log        *slog.Logger

	mu      sync.Mutex             // held while days are compared
	latest  atomic.Pointer[Result] // nil before the first
	touched atomic.Bool            // a kept day changed since the last comparison
	dropped sync.Map               // days whose file was removed since the last comparison
}

// Result is the outcome of a comparison.
type Result struct {
	Until  time.Time `json:"until"` // end of the last day
	Kappa  float64   `json:"kappa"` // in force
	Rows   []Row     `json:"rows"`  // by quantity, radius, period, official station, class and correction
	Kappas []Kappa   `json:"kappas"`
}

// Row is the comparison of one official station, or of all together, over a period.
type Row struct {
	Official   string `json:"official"` // the station's id; empty for all of them together
	Quantity   string `json:"quantity"`
	Radius     int    `json:"radius"` // metres
	Period     int    `json:"period"` // days
	Humidity   Class  `json:"humidity"`
	Corrected  bool   `json:"corrected"` // as the stations enter averages; else as measured
	Statistics `json:"statistics"`
}

// Latest returns the last comparison; false when there is none.
func (c *Comparer) Latest() (*Result, bool) {
	r := c.latest.Load()
	return r, r != nil
}

// Compared reports whether the result has an hour.
func (r *Result) Compared() bool { return r != nil && len(r.Rows) > 0 }

// Run compares days until ctx ends: those that are missing at once, each new one in the night after it, and again those
// of which readings came since.
func (c *Comparer) Run(ctx context.Context) error {
	if r, err := c.load(); err == nil {
		c.latest.Store(r)
	}
	ticker := time.NewTicker(runEvery)
	defer ticker.Stop()
	for {
		if r, ok := c.Latest(); !ok || !r.Until.Equal(c.until(time.Now())) || c.touched.Load() {
			if err := c.Compare(ctx, time.Now()); err != nil && ctx.Err() == nil {
				c.Log.Warn("comparison with official stations failed, retrying", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Touch forgets the kept day of a reading that came after it: of an official station, or more than two days late.
func (c *Comparer) Touch(r ingest.Reading) {
	start := aggregate.DayOf(r.Time, c.DayOffset)
	if !start.Before(c.until(r.Received)) {
		return
	}
	if st, known := c.Stations.Station(r.Station); known && !st.Official() && r.Received.Sub(r.Time) < aggregate.AllowedLateness {
		return
	}
	if _, already := c.dropped.LoadOrStore(start, true); !already {
		c.forget(start)
		c.touched.Store(true)
	}
}

// until returns the end of the last day that can be compared at a moment.
func (c *Comparer) until(now time.Time) time.Time {
	return aggregate.DayOf(now.Add(-nightly), c.DayOffset)
}

// Compare compares the days that are missing and computes the result up to now.
func (c *Comparer) Compare(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched.Store(false)
	c.dropped.Clear()
	until := c.until(now)
	first := until.Add(-time.Duration(slices.Max(Periods)) * oneDay)
	var t tables
	for start := first; start.Before(until) && c.hasOfficial(); start = start.Add(oneDay) {
		d, err := c.day(ctx, start, until)
		if err != nil {
			return err
		}
		t.add(d, int(until.Sub(start)/oneDay))
	}
	c.prune(first)
	r := t.result()
	r.Until, r.Kappa = until, c.Correction.Kappa
	c.latest.Store(r)
	return c.save(r)
}

func (c *Comparer) hasOfficial() bool {
	return slices.ContainsFunc(c.Stations.Stations(), (*ingest.Station).Official)
}

// day returns a day: kept, or computed again when it is new, or the rules are others.
func (c *Comparer) day(ctx context.Context, start, until time.Time) (*day, error) {
	rules := c.rules(start)
	if until.Sub(start) > settled {
		if d, err := c.read(start); err == nil && d.Rules == rules {
			return d, nil
		}
	}
	begin := time.Now()
	d, err := c.compute(ctx, start)
	if err != nil {
		return nil, err
	}
	d.Rules = rules
	c.Log.Debug("day compared with official stations", "day", start, "hours", len(d.Pairs), "after", time.Since(begin).Round(time.Millisecond))
	return d, c.write(start, d)
}

// Pairs yields the pairs of an official station from the kept days of a period, by time.
func (c *Comparer) Pairs(official string, q quantity.Quantity, radius int, from, to time.Time, yield func(Pair) error) error {
	for start := aggregate.DayOf(from, c.DayOffset); start.Before(to); start = start.Add(oneDay) {
		d, err := c.read(start)
		if err != nil {
			continue // not compared yet
		}
		for _, p := range d.Pairs {
			if p.Quantity == q && p.Radius == radius && (official == "" || p.Official == official) {
				if err := yield(p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *Comparer) path(start time.Time) string {
	return filepath.Join(c.Folder, start.UTC().Format("2006-01-02T15")+".gob.gz")
}
