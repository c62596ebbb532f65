package server

import (
	"context"
	"time"

	"stadtluft/export/live"
	"stadtluft/export/metrics"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/comparison"
	"stadtluft/ingest/registry"
)

// memory holds the averages of the last days and each station's current state. It is the same in each process that has
// it.
type memory struct {
	registry  *registry.Registry
	aggregate *aggregate.Aggregate
	averages  *averages.Averages
	live      *live.State
	comparer  *comparison.Comparer // nil without the role web
}

// newMemory returns an empty memory. With the role aggregate it has complete hours checked and writes averages to the
// store.
func newMemory(b *base) *memory {
	sums := &aggregate.Aggregate{Correction: averages.Correction(b.config.Correction(), b.registry)}
	m := &memory{registry: b.registry, aggregate: sums, live: live.NewState(), averages: &averages.Averages{
		Aggregate: sums, Stations: b.registry, Store: b.storage, Size: int32(b.config.GridResolution), DayOffset: b.config.DayOffset(), Log: b.log,
		ReadOnly: func() bool { return true },
	}}
	m.live.Imported = func(id string) bool {
		st, ok := b.registry.Station(id)
		return ok && st.Source != ""
	}
	if b.roles.has(webRole) {
		m.comparer = NewComparer(b.config, b.registry, b.storage, b.log)
	}
	if b.roles.has(aggregateRole) {
		m.averages.ReadOnly = func() bool { return !b.leases.aggregate.Held() }
		file := newCheckerFile(b.config.Data, b.config.Quality, b.log)
		m.averages.NewChecker, m.averages.Checker, m.averages.Saved = file.fresh, file.load(), file.save
		m.averages.Append = b.journal.Append
	}
	return m
}

// followers are what a replay fills.
func (m *memory) followers() []follower { return []follower{averaging{m.averages}, current{m}} }

// averaging follows with the averages.
type averaging struct{ *averages.Averages }

func (a averaging) apply(b ingest.Batch) {
	for _, f := range b.HourFlags {
		a.Apply(f)
	}
	a.Observe(b.Readings...)
}

func (a averaging) stored(flags []averages.Stored) {
	for _, f := range flags {
		a.Known(f)
	}
}

func (averaging) caughtUp() {}

// current follows with the current state of stations.
type current struct{ *memory }

func (c current) apply(b ingest.Batch) {
	for _, f := range b.HourFlags {
		c.live.Apply(f)
	}
	c.live.Observe(b.Readings...)
	if c.comparer != nil {
		for _, r := range b.Readings {
			c.comparer.Touch(r)
		}
	}
}

func (c current) stored(flags []averages.Stored) {
	for _, f := range flags {
		c.live.Apply(f.HourFlags)
	}
}

// caughtUp ends the replay: from now on clients of the live stream get new readings.
func (c current) caughtUp() { c.live.CaughtUp() }

// hours returns the part that keeps the averages up to date with the registry and, with the role aggregate, writes hours
// and days.
func (m *memory) hours() part { return part{name: "hours", run: m.averages.Run, measure: m.measure} }

func (m *memory) measure(_ context.Context, c metrics.Collection) {
	stats := m.aggregate.Stats()
	c.Counter("aggregate_repeated_total", "Values that averages had already.", float64(stats.Duplicates))
	c.Counter("aggregate_old_total", "Values that came too late for averages.", float64(stats.Old))
	c.Counter("aggregate_overflow_total", "Values too large for averages.", float64(stats.Overflow))
	c.Counter("averages_kept_total", "Times a stored average stayed, because fewer values were there to make it again.", float64(m.averages.Kept()))
	c.Gauge("aggregate_series", "Stations and quantities that averages are made of.", float64(stats.Series))
	c.Gauge("aggregate_values", "Values kept for averages.", float64(stats.Values))
	subscribers, slow := m.live.Subscribers()
	c.Gauge("stream_subscribers", "Clients of the live stream.", float64(subscribers))
	c.Counter("stream_slow_total", "Clients of the live stream that were too slow and let go.", float64(slow))
	for state, n := range m.states() {
		c.Gauge("stations", "Stations by state.", float64(n), "state", string(state))
	}
}

// states counts active stations by state.
func (m *memory) states() map[live.StationState]int {
	counts := map[live.StationState]int{}
	for _, state := range live.StationStates() {
		counts[state] = 0
	}
	now := time.Now()
	for _, station := range m.registry.Stations() {
		if station.Status == ingest.Active {
			counts[m.live.Station(station.ID, now).StateOf(station, now)]++
		}
	}
	return counts
}
