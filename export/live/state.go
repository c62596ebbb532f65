// Package live holds the current state in memory: each station's latest values and counts, and the subscribers to new
// readings. It also publishes live averages over MQTT. Nothing survives a restart; the journal's replay fills it again.
package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

const (
	// SilentAfter is how long after its last message a station counts as silent at the earliest: six messages of a kit
	// that sends every 145 s. One that sends more rarely counts as silent after three times its interval, at most a day.
	SilentAfter = 15 * time.Minute
	// OfficialSilentAfter is the same of an official station, since the start of its last hour: hours come one by one and late.
	OfficialSilentAfter = 6 * time.Hour

	silentIntervals = 3
	silentAtMost    = 24 * time.Hour
)

// StationState is the condition of a station.
type StationState string

const (
	New    StationState = "new"    // has never sent
	OK     StationState = "ok"     // has sent lately (see SilentAfter), and its values count
	Silent StationState = "silent" // has not sent for a while
	Check  StationState = "check"  // has sent lately, but more than half of its last 24 hours' values do not count
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
	LastSeen time.Time     // receipt of its last reading, of an imported station its time; zero when never
	Interval time.Duration // between its messages, whole seconds; zero when it is not known
	Values   map[quantity.Quantity]Latest
}

// Rare reports whether a station sends too rarely for hourly means: its interval is longer than aggregate.MaxInterval, to
// the minute. An official one never does: its values are means of hours.
func (s Station) Rare(st *ingest.Station) bool {
	return !st.Official() && s.Interval.Round(time.Minute) > aggregate.MaxInterval
}

// State is the current state of all stations. It is safe for concurrent use.
type State struct {
	// Imported reports whether a station is imported, so that its readings' times and not their receipt tell when it was
	// alive; nil means that none is. Set it before use.
	Imported func(station string) bool

	mu       sync.Mutex // guards all below
	stations map[string]*station
	last     time.Time // of observation, of the newest reading of all
	caughtUp bool
	hub      hub

	version atomic.Uint64 // changes with everything that Station and Last return at the same time; written with mu held
}

// Version returns a number that another one replaces when what is known of a station changes.
func (n *State) Version() uint64 { return n.version.Load() }

type station struct {
	seen    time.Time
	latest  []latest
	buckets [hours]bucket
	gaps    gaps
}

// latest is the newest value of a quantity, in as little memory as it takes.
type latest struct {
	value    float64
	unix     int64
	flags    ingest.Flags
	quantity quantity.Quantity
}

// observe replaces the newest value of a quantity by one that is not older.
func (s *station) observe(unix int64, v ingest.Value) {
	for i := range s.latest {
		if old := &s.latest[i]; old.quantity == v.Quantity {
			if unix >= old.unix {
				*old = latest{v.Value, unix, v.Flags, v.Quantity}
			}
			return
		}
	}
	s.latest = append(s.latest, latest{v.Value, unix, v.Flags, v.Quantity})
}

// gaps holds the last seconds between the station's messages, the oldest of them overwritten by the next. The zero value is
// ready.
type gaps struct {
	newest  time.Time
	seconds [12]uint32
	n       int // how many there were
}

// minGaps is the number of gaps that tell an interval.
const minGaps = 4

// add adds a message; one that is not newer than all others tells nothing.
func (g *gaps) add(at time.Time) {
	if !at.After(g.newest) {
		return
	}
	if !g.newest.IsZero() {
		g.seconds[g.n%len(g.seconds)] = uint32(at.Sub(g.newest) / time.Second)
		g.n++
	}
	g.newest = at
}

// interval returns the time that three quarters of the gaps do not exceed: a pause does not count, nor that sensors of one
// station send one after the other. It is zero when it is not known.
func (g *gaps) interval() time.Duration {
	n := min(g.n, len(g.seconds))
	if n < minGaps {
		return 0
	}
	sorted := g.seconds
	slices.Sort(sorted[:n])
	return time.Duration(sorted[(3*n-1)/4]) * time.Second
}

// NewState returns an empty State.
func NewState() *State {
	return &State{stations: map[string]*station{}, hub: hub{subscribers: map[*Subscriber]struct{}{}}}
}

// Observe adds readings and, after CaughtUp, sends them to the subscribers.
func (n *State) Observe(readings ...ingest.Reading) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.version.Add(1)
	var s *station
	imported := false
	for i := range readings {
		r := &readings[i]
		if i == 0 || r.Station != readings[i-1].Station {
			s, imported = n.station(r), n.Imported != nil && n.Imported(r.Station)
		}
		s.add(r, imported)
		if r.Time.After(n.last) {
			n.last = r.Time
		}
		if n.caughtUp && len(n.hub.subscribers) > 0 {
			n.hub.send(Event{Reading: new(*r)})
		}
	}
}

// station returns the state of a reading's station, which it adds if needed. It needs mu.
func (n *State) station(r *ingest.Reading) *station {
	s := n.stations[r.Station]
	if s == nil {
		s = &station{latest: make([]latest, 0, len(r.Values))}
		n.stations[r.Station] = s
	}
	return s
}

// add adds a reading of a station, imported or not, see State.
func (s *station) add(r *ingest.Reading, imported bool) {
	for _, v := range r.Values {
		s.observe(r.Time.Unix(), v)
	}
	s.count(r)
	s.gaps.add(r.Time)
	seen := r.Received
	if imported {
		seen = r.Time
	}
	if !seen.Before(s.seen) {
		s.seen = seen
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
	known := Station{State: s.state(at), LastSeen: s.seen, Interval: s.gaps.interval(), Values: make(map[quantity.Quantity]Latest, len(s.latest))}
	for _, v := range s.latest {
		at := time.Unix(v.unix, 0).UTC()
		known.Values[v.quantity] = Latest{v.value, at, v.flags | s.hourFlags(at, v.quantity)}
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
	if at.Sub(s.seen) > max(SilentAfter, min(silentIntervals*s.gaps.interval(), silentAtMost)) {
		return Silent
	}
	if !s.mostCount(at) {
		return Check
	}
	return OK
}
