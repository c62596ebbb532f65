// Package live knows what is happening now: each station's latest values and state, and who wants to
// hear of the next ones. It also tells dashboards over MQTT. It remembers nothing across a restart; the
// journal's replay fills it again.
package live

import (
	"maps"
	"sync"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// SilentAfter is how long after its last message a station counts as silent: six messages of a kit
	// that sends every 145 s.
	SilentAfter = 15 * time.Minute

	hours = 24 // of the day a station's tally looks back on
)

// State is how a station is doing.
type State string

const (
	New    State = "new"    // never heard
	OK     State = "ok"     // heard lately, and its values count
	Silent State = "silent" // not heard for SilentAfter
	Check  State = "check"  // heard lately, but more than half of its last values do not count
)

// States lists every state.
func States() []State { return []State{New, OK, Silent, Check} }

// Latest is the newest value of a quantity.
type Latest struct {
	Value float64
	Time  time.Time
	Flags ingest.Flags
}

// Station is what is known of a station now. It belongs to the caller.
type Station struct {
	State    State
	LastSeen time.Time // receipt of its last reading; zero when never
	Values   map[wire.Quantity]Latest
}

// Tally is a station's last 24 hours, counted in values.
type Tally struct {
	Values int
	Good   int
	Flags  map[string]int
}

// Now is the live picture. It is safe for concurrent use.
type Now struct {
	mu       sync.Mutex // guards all below
	stations map[string]*station
	last     time.Time // of observation, of the newest reading of all
	caughtUp bool
	hub      hub
}

type station struct {
	seen   time.Time
	half   bool // more than half of the last reading's values are excluded
	values map[wire.Quantity]Latest
	tally  [hours]bucket
}

// bucket is an hour of receipt.
type bucket struct {
	hour         int64
	values, good int
	flags        map[ingest.Flags]int
}

// NewNow makes an empty picture.
func NewNow() *Now {
	return &Now{stations: map[string]*station{}, hub: hub{subscribers: map[*Subscriber]struct{}{}}}
}

// Observe takes a reading in and, once caught up, tells the subscribers.
func (n *Now) Observe(r ingest.Reading) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[r.Station]
	if s == nil {
		s = &station{values: map[wire.Quantity]Latest{}}
		n.stations[r.Station] = s
	}
	excluded := 0
	for _, v := range r.Values {
		if old := s.values[v.Quantity]; !r.Time.Before(old.Time) {
			s.values[v.Quantity] = Latest{v.Value, r.Time, v.Flags}
		}
		if !v.Flags.Good() {
			excluded++
		}
	}
	s.count(r)
	if !r.Received.Before(s.seen) {
		s.seen, s.half = r.Received, 2*excluded > len(r.Values)
	}
	if r.Time.After(n.last) {
		n.last = r.Time
	}
	if n.caughtUp {
		n.hub.send(Event{Reading: &r})
	}
}

// count adds a reading to the hour of its receipt.
func (s *station) count(r ingest.Reading) {
	hour := r.Received.Unix() / 3600
	b := &s.tally[hour%hours]
	if b.hour != hour {
		*b = bucket{hour: hour}
	}
	for _, v := range r.Values {
		b.values++
		if v.Flags.Good() {
			b.good++
		}
		if v.Flags != 0 {
			if b.flags == nil {
				b.flags = map[ingest.Flags]int{}
			}
			for _, flag := range ingest.AllFlags() {
				if v.Flags&flag != 0 {
					b.flags[flag]++
				}
			}
		}
	}
}

// CaughtUp ends the replay: from now on subscribers hear of what comes.
func (n *Now) CaughtUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.caughtUp = true
}

// Last is the time of observation of the newest reading; zero when there is none.
func (n *Now) Last() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// Station is what is known of a station at a moment.
func (n *Now) Station(id string, at time.Time) Station {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[id]
	if s == nil {
		return Station{State: New}
	}
	return Station{State: s.state(at), LastSeen: s.seen, Values: maps.Clone(s.values)}
}

func (s *station) state(at time.Time) State {
	switch {
	case at.Sub(s.seen) > SilentAfter:
		return Silent
	case s.half:
		return Check
	}
	return OK
}

// Tally is a station's count of the 24 hours up to a moment.
func (n *Now) Tally(id string, at time.Time) Tally {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := Tally{Flags: map[string]int{}}
	s := n.stations[id]
	if s == nil {
		return t
	}
	for _, b := range s.tally {
		if b.hour <= at.Unix()/3600-hours {
			continue
		}
		t.Values += b.values
		t.Good += b.good
		for flag, count := range b.flags {
			t.Flags[flag.String()] += count
		}
	}
	return t
}
