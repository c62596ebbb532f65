package quality

import (
	"fmt"
	"sync"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// Checker implements ingest.Checker for a city: it sets the flags that one message can tell. What it remembers serves to
// know a message again, and decides no flag. It is safe for concurrent use.
type Checker struct {
	rules Rules

	mu     sync.Mutex // guards recent
	recent map[string]*memory
}

// New returns a checker with the rules.
func New(rules Rules) *Checker { return &Checker{rules: rules, recent: map[string]*memory{}} }

// Check resolves the reading's time, removes values that are already known, and sets flags on the rest. The returned
// reading's values belong to the caller.
func (c *Checker) Check(st *ingest.Station, a ingest.Arrival, r wire.Reading) (keep ingest.Reading, refused []ingest.Refusal, duplicates int) {
	keep = ingest.Reading{Station: st.ID, Received: a.Received}
	refuse := func(f ingest.Refusal) {
		f.Station, f.Received, f.Observed = st.ID, a.Received, keep.Time
		refused = append(refused, f)
	}
	keep.Time, keep.TimeSource = resolve(a, r)
	if a.Retained && keep.TimeSource == ingest.Receipt {
		refuse(ingest.Refusal{Reason: wire.Retained, Detail: "a retained message without a time of its own would repeat an old value as a new one"})
		return keep, refused, 0
	}
	if limit := c.clockLimit(st, keep.Time, a.Received); limit != 0 {
		refuse(ingest.Refusal{Reason: wire.Clock, Field: timeField(keep.TimeSource), Limit: limit, Detail: clockDetail(keep.Time, limit)})
		return keep, refused, 0
	}
	st = st.At(keep.Time)
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.memory(st.ID)
	if a.Redelivered && (keep.TimeSource == ingest.Receipt || keep.TimeSource == ingest.StationAge) && m.redelivered(a.Received, r.Values) {
		return keep, nil, len(r.Values)
	}
	keep.Values = make([]ingest.Value, 0, len(r.Values))
	for _, v := range r.Values {
		first, known := m.find(keep.Time, v.Quantity)
		switch {
		case !known:
			keep.Values = append(keep.Values, ingest.Value{Quantity: v.Quantity, Value: v.Value + 0}) // a thermometer's -0.0 becomes 0
		case first == float32(v.Value):
			duplicates++
		default:
			refuse(ingest.ConflictOf(keep.Time, v.Quantity, v.Value, first))
		}
	}
	if !st.Official() { // an authority checks its own instruments
		for _, check := range checks {
			check(&c.rules, st, keep.Values)
		}
	}
	m.add(keep)
	return keep, refused, duplicates
}

// Remember adds readings of one station that are already in the journal, so that a restart knows them again.
func (c *Checker) Remember(readings ...ingest.Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.memory(readings[0].Station)
	for i := range readings {
		m.add(readings[i])
	}
}

// Forget deletes what is remembered of a station, such as one that was erased.
func (c *Checker) Forget(station string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.recent, station)
}

func (c *Checker) memory(station string) *memory {
	m := c.recent[station]
	if m == nil {
		m = &memory{}
		c.recent[station] = m
	}
	return m
}

// resolve is the time of observation in whole seconds and where it came from.
func resolve(a ingest.Arrival, r wire.Reading) (time.Time, ingest.TimeSource) {
	switch {
	case r.HasAge:
		return a.Received.Add(-r.Age).Truncate(time.Second), ingest.StationAge
	case !r.Time.IsZero():
		return r.Time.Truncate(time.Second), a.Clock
	}
	return a.Received.Truncate(time.Second), ingest.Receipt
}

func timeField(s ingest.TimeSource) string {
	if s == ingest.StationAge {
		return "age"
	}
	return "t"
}

// clockLimit returns the limit that a time of observation exceeds: how far ahead of its receipt it may be, or, below zero, how far behind; 0 when it
// is plausible. A neighbour's archive may be as old as it likes: its clock was a server's.
func (c *Checker) clockLimit(st *ingest.Station, at, received time.Time) time.Duration {
	ahead, old := time.Duration(c.rules.ClockAhead*float64(time.Minute)), hours(c.rules.ClockOld*dayHours)
	switch {
	case at.Sub(received) > ahead:
		return ahead
	case st.Source != "" && at.Year() > 1971:
	case received.Sub(at) > old:
		return -old
	}
	return 0
}

// clockDetail puts a time that exceeds a limit into words.
func clockDetail(at time.Time, limit time.Duration) string {
	text := at.Format(time.RFC3339)
	switch {
	case limit > 0 && at.Year() >= 2036:
		return fmt.Sprintf("%s lies in the future: the clock is not set, wait for NTP or send \"age\"", text)
	case limit > 0:
		return fmt.Sprintf("%s is more than %v min in the future", text, limit.Minutes())
	case at.Year() <= 1971:
		return fmt.Sprintf("%s is the start of the Unix clock: the clock is not set, wait for NTP or send \"age\"", text)
	}
	return fmt.Sprintf("%s is more than %v days ago", text, -limit.Hours()/dayHours)
}
