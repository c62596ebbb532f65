package live

import (
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// hours is the number of hours that DayStats need: 24, and the current one.
const hours = 24 + 1

// DayStats counts a station's values of the last 24 hours.
type DayStats struct {
	Values int
	Good   int
	Flags  map[ingest.Flags]int // by single flag
	Checks map[ingest.Check]CheckStats
}

// CheckStats counts the hours of a station's quantities of which a check was made, or could not be.
type CheckStats struct{ Checked, NoNeighbours, NoHistory int }

// bucket is an hour of observation. The zero value belongs to no hour.
type bucket struct {
	hour       int64
	quantities map[quantity.Quantity]*count
}

// count holds the numbers of a quantity's values in an hour.
type count struct {
	values, good int // by the values' own flags
	flags        map[ingest.Flags]int
	hourFlags    ingest.HourFlags
}

// bucket returns the bucket of an hour; nil when it is too old.
func (s *station) bucket(at time.Time) *bucket {
	hour := at.Unix() / 3600
	b := &s.buckets[hour%hours]
	switch {
	case hour < b.hour:
		return nil
	case hour > b.hour:
		*b = bucket{hour, map[quantity.Quantity]*count{}}
	}
	return b
}

func (b *bucket) count(q quantity.Quantity) *count {
	c := b.quantities[q]
	if c == nil {
		c = &count{flags: map[ingest.Flags]int{}}
		b.quantities[q] = c
	}
	return c
}

// count adds a reading to the hour of its observation.
func (s *station) count(r ingest.Reading) {
	b := s.bucket(r.Time)
	if b == nil {
		return
	}
	for _, v := range r.Values {
		c := b.count(v.Quantity)
		c.values++
		if v.Flags.Good() {
			c.good++
		}
		for _, flag := range v.Flags.Each() {
			c.flags[flag]++
		}
	}
}

// Apply applies HourFlags from the journal; their readings must have been observed before.
func (n *State) Apply(v ingest.HourFlags) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[v.Station]
	if s == nil {
		return
	}
	if b := s.bucket(v.Hour); b != nil {
		b.count(v.Quantity).hourFlags = v
		n.version.Add(1)
	}
}

// hourFlags returns the flags that a value has by its hour.
func (s *station) hourFlags(at time.Time, q quantity.Quantity) ingest.Flags {
	hour := at.Unix() / 3600
	if b := &s.buckets[hour%hours]; b.hour == hour && b.quantities[q] != nil {
		return b.quantities[q].hourFlags.At(at)
	}
	return 0
}

// DayStats returns a station's counts of the 24 hours up to a moment.
func (n *State) DayStats(id string, at time.Time) DayStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[id]
	if s == nil {
		return newDayStats()
	}
	return s.sum(at)
}

func newDayStats() DayStats {
	return DayStats{Flags: map[ingest.Flags]int{}, Checks: map[ingest.Check]CheckStats{}}
}

func (s *station) sum(at time.Time) DayStats {
	t := newDayStats()
	for _, b := range s.buckets {
		if b.hour <= at.Unix()/3600-hours {
			continue
		}
		for _, c := range b.quantities {
			t.add(c)
		}
	}
	return t
}

// sumGood returns Values and Good of sum alone, which is quick.
func (s *station) sumGood(at time.Time) (values, good int) {
	for i := range s.buckets {
		if b := &s.buckets[i]; b.hour > at.Unix()/3600-hours {
			for _, c := range b.quantities {
				values += c.values
				if c.hourFlags.Flags.Good() {
					good += c.good
				}
			}
		}
	}
	return values, good
}

// add adds an hour of a quantity. Values that are excluded by themselves have no flags of their hour.
func (t *DayStats) add(c *count) {
	t.Values += c.values
	of := c.hourFlags.Flags
	if of.Good() {
		t.Good += c.good
	}
	for flag, n := range c.flags {
		t.Flags[flag] += n
	}
	for _, flag := range of.Each() {
		t.Flags[flag] += c.good
	}
	for _, s := range c.hourFlags.Humid {
		t.Flags[ingest.Humid] += int(s.Values)
	}
	for _, check := range ingest.AllChecks() {
		stats := t.Checks[check]
		switch of.Result(check) {
		case ingest.Unchecked:
			continue
		case ingest.Checked:
			stats.Checked++
		case ingest.NoNeighbours:
			stats.NoNeighbours++
		case ingest.NoHistory:
			stats.NoHistory++
		}
		t.Checks[check] = stats
	}
}
