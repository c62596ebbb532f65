package live

import (
	"iter"
	"math"
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
	hour   int64
	counts []count                     // of quantities with values or flags
	rare   map[quantity.Quantity]*rare // of those that have some; nil for none
}

// count holds the numbers of a quantity's values in an hour, up to 65,535: memory has 25 hours of each station's quantities.
type count struct {
	flags        ingest.Flags // by the hour
	values, good uint16       // by the values' own flags
	quantity     quantity.Quantity
}

// rare is what few quantities have in an hour.
type rare struct {
	flags map[ingest.Flags]int // values by their own flags
	humid []ingest.Span        // see ingest.HourFlags
}

// bucket returns the bucket of an hour; nil when it is too old.
func (s *station) bucket(at time.Time) *bucket {
	hour := at.Unix() / 3600
	b := &s.buckets[hour%hours]
	switch {
	case hour < b.hour:
		return nil
	case hour > b.hour:
		*b = bucket{hour: hour, counts: b.counts[:0]}
	}
	return b
}

// count returns the count of a quantity, which it adds if needed. The pointer is valid until the next one is added.
func (b *bucket) count(q quantity.Quantity) *count {
	if c := b.find(q); c != nil {
		return c
	}
	if n := len(b.counts); n == cap(b.counts) {
		b.counts = append(make([]count, 0, n+1), b.counts...)
	}
	b.counts = append(b.counts, count{quantity: q})
	return &b.counts[len(b.counts)-1]
}

// find returns the count of a quantity; nil without one.
func (b *bucket) find(q quantity.Quantity) *count {
	for i := range b.counts {
		if c := &b.counts[i]; c.quantity == q {
			return c
		}
	}
	return nil
}

// rarely returns what few quantities have, which it adds if needed.
func (b *bucket) rarely(q quantity.Quantity) *rare {
	if b.rare == nil {
		b.rare = map[quantity.Quantity]*rare{}
	}
	if b.rare[q] == nil {
		b.rare[q] = &rare{flags: map[ingest.Flags]int{}}
	}
	return b.rare[q]
}

// count adds a reading to the hour of its observation.
func (s *station) count(r *ingest.Reading) {
	b := s.bucket(r.Time)
	if b == nil {
		return
	}
	for _, v := range r.Values {
		c := b.count(v.Quantity)
		c.values = increased(c.values)
		if v.Flags.Good() {
			c.good = increased(c.good)
		}
		for _, flag := range v.Flags.Each() {
			b.rarely(v.Quantity).flags[flag]++
		}
	}
}

func increased(n uint16) uint16 { return n + min(1, math.MaxUint16-n) }

// Apply applies HourFlags from the journal; their readings must have been observed before.
func (n *State) Apply(v ingest.HourFlags) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[v.Station]
	if s == nil {
		return
	}
	b := s.bucket(v.Hour)
	if b == nil {
		return
	}
	b.count(v.Quantity).flags = v.Flags
	if len(v.Humid) > 0 || b.rare[v.Quantity] != nil {
		b.rarely(v.Quantity).humid = v.Humid
	}
	n.version.Add(1)
}

// hourFlags returns the flags that a value has by its hour.
func (s *station) hourFlags(at time.Time, q quantity.Quantity) ingest.Flags {
	hour := at.Unix() / 3600
	b := &s.buckets[hour%hours]
	if b.hour != hour {
		return 0
	}
	c := b.find(q)
	if c == nil {
		return 0
	}
	of := ingest.HourFlags{Flags: c.flags}
	if few := b.rare[q]; few != nil {
		of.Humid = few.humid
	}
	return of.At(at)
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
	for b, c := range s.lately(at) {
		t.add(c, b.rare[c.quantity])
	}
	return t
}

// lately yields the counts of the 24 hours up to a moment.
func (s *station) lately(at time.Time) iter.Seq2[*bucket, *count] {
	return func(yield func(*bucket, *count) bool) {
		for i := range s.buckets {
			b := &s.buckets[i]
			if b.hour <= at.Unix()/3600-hours {
				continue
			}
			for j := range b.counts {
				if !yield(b, &b.counts[j]) {
					return
				}
			}
		}
	}
}

// mostCount reports whether at least half of the values of the 24 hours up to a moment count.
func (s *station) mostCount(at time.Time) bool {
	values, good := 0, 0
	for _, c := range s.lately(at) {
		values += int(c.values)
		if c.flags.Good() {
			good += int(c.good)
		}
	}
	return 2*good >= values
}

// add adds an hour of a quantity; few may be nil. Values that are excluded by themselves have no flags of their hour.
func (t *DayStats) add(c *count, few *rare) {
	t.Values += int(c.values)
	if c.flags.Good() {
		t.Good += int(c.good)
	}
	for _, flag := range c.flags.Each() {
		t.Flags[flag] += int(c.good)
	}
	if few != nil {
		for flag, n := range few.flags {
			t.Flags[flag] += n
		}
		for _, s := range few.humid {
			t.Flags[ingest.Humid] += int(s.Values)
		}
	}
	for _, check := range ingest.AllChecks() {
		stats := t.Checks[check]
		switch c.flags.Result(check) {
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
