// Package live holds the current state in memory: each station's latest values and counts, and the subscribers to new
// readings. It also publishes live averages over MQTT. Nothing survives a restart; the journal's replay fills it again.
package live

import (
	"maps"
	"sync"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

const (
	// SilentAfter is how long after its last message a station counts as silent: six messages of a kit
	// that sends every 145 s.
	SilentAfter = 15 * time.Minute
	// OfficialSilentAfter is the same of an official station, whose hours come one by one and late.
	OfficialSilentAfter = 6 * time.Hour
)

// StationState is the condition of a station.
type StationState string

const (
	New    StationState = "new"    // has never sent
	OK     StationState = "ok"     // has sent within SilentAfter, and its values count
	Silent StationState = "silent" // has not sent for SilentAfter
	Check  StationState = "check"  // has sent within SilentAfter, but more than half of its last 24 hours' values do not count
)

// StationStates returns all states.
func StationStates() []StationState { return []StationState{New, OK, Silent, Check} }

// Latest is the newest value of a quantity.
type Latest struct {
	Value float64
	Time  time.Time
	Flags ingest.Flags
}

// Station is the current state of a station. It belongs to the caller.
type Station struct {
	State    StationState
	LastSeen time.Time // receipt of its last reading; zero when never
	Values   map[quantity.Quantity]Latest
}

// State is the current state of all stations. It is safe for concurrent use.
type State struct {
	mu       sync.Mutex // guards all below
	stations map[string]*station
	last     time.Time // of observation, of the newest reading of all
	caughtUp bool
	hub      hub
}

type station struct {
	seen    time.Time
	values  map[quantity.Quantity]Latest
	buckets [hours]bucket
}

// NewState returns an empty State.
func NewState() *State {
	return &State{stations: map[string]*station{}, hub: hub{subscribers: map[*Subscriber]struct{}{}}}
}

// Observe adds a reading and, after CaughtUp, sends it to the subscribers.
func (n *State) Observe(r ingest.Reading) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[r.Station]
	if s == nil {
		s = &station{values: map[quantity.Quantity]Latest{}}
		n.stations[r.Station] = s
	}
	for _, v := range r.Values {
		if old := s.values[v.Quantity]; !r.Time.Before(old.Time) {
			s.values[v.Quantity] = Latest{v.Value, r.Time, v.Flags}
		}
	}
	s.count(r)
	if !r.Received.Before(s.seen) {
		s.seen = r.Received
	}
	if r.Time.After(n.last) {
		n.last = r.Time
	}
	if n.caughtUp {
		n.hub.send(Event{Reading: &r})
	}
}

// CaughtUp ends the replay: from now on subscribers get new readings.
func (n *State) CaughtUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.caughtUp = true
}

// Last is the time of observation of the newest reading; zero when there is none.
func (n *State) Last() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// Station returns the state of a station at a moment.
func (n *State) Station(id string, at time.Time) Station {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stations[id]
	if s == nil {
		return Station{State: New}
	}
	known := Station{State: s.state(at), LastSeen: s.seen, Values: maps.Clone(s.values)}
	for q, v := range known.Values {
		v.Flags |= s.hourFlags(v.Time, q)
		known.Values[q] = v
	}
	return known
}

// StateOf returns the state of a station at a moment, with the patience that its kind needs.
func (s Station) StateOf(st *ingest.Station, at time.Time) StationState {
	if st.Official() && s.State == Silent && at.Sub(s.LastSeen) <= OfficialSilentAfter {
		return OK
	}
	return s.State
}

func (s *station) state(at time.Time) StationState {
	if at.Sub(s.seen) > SilentAfter {
		return Silent
	}
	if t := s.sum(at); 2*t.Good < t.Values {
		return Check
	}
	return OK
}
