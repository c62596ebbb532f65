package ingest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"stadtluft/firmware-protocol/wire"
)

const (
	// tellAfter is how long nothing of a station must have been taken before its owner is told of names that are not
	// known: firmware that is well sends messages without a quantity too, between the others.
	tellAfter = time.Hour
	// tellEvery is how often the owner is told.
	tellEvery = 10 * time.Minute

	maxHeardNames    = 8 // unknown names of a contact
	maxHeardRefusals = 4 // refusals of a contact
)

// Transport is how a message came.
type Transport uint8

// The transports. A broker's messages need none: the zero value is MQTT.
const (
	MQTT Transport = iota
	HTTP
	UnknownTransport // it is not known
)

// String returns mqtt or http; it is empty when the transport is not known.
func (t Transport) String() string { return [...]string{"mqtt", "http", ""}[min(t, UnknownTransport)] }

// Contact is the last message of a station, whatever it was, and what became of it.
type Contact struct {
	At       time.Time // of receipt
	Over     Transport
	Taken    bool      // values were taken, or known already
	Refusals []Refusal // the first of them
	Ignored  []string  // the first names of its members that are no quantities here
}

// Contacts remembers the last contact of each station in this process. The zero value is ready; it is safe for concurrent
// use.
type Contacts struct {
	mu sync.Mutex // guards of
	of map[string]*contact
}

// contact is the last contact of a station, and what was before it.
type contact struct {
	Contact
	taken   time.Time // when the last value was taken; zero when none was
	useless time.Time // when the first message with nothing but unknown names came after that; zero when none did
	told    time.Time // when the owner was told of them
}

// Last returns a station's last contact; false when there was none since the program started.
func (c *Contacts) Last(station string) (Contact, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.of[station]
	if last == nil || last.At.IsZero() {
		return Contact{}, false
	}
	return last.Contact, true
}

// Remember adds readings of one station from before the program started: what came with them is not known any more.
func (c *Contacts) Remember(readings ...Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.station(readings[0].Station)
	for i := range readings {
		if at := readings[i].Received; at.After(last.taken) {
			last.taken = at
		}
	}
}

// Forget deletes what is remembered of a station, such as one that was erased.
func (c *Contacts) Forget(station string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, station)
}

func (c *Contacts) station(id string) *contact {
	if c.of == nil {
		c.of = map[string]*contact{}
	}
	if c.of[id] == nil {
		c.of[id] = &contact{}
	}
	return c.of[id]
}

// hear adds a contact of a station. What it keeps of the contact does not keep the message in memory.
func (c *Contacts) hear(station string, next Contact) {
	next.Refusals = slices.Clone(next.Refusals[:min(len(next.Refusals), maxHeardRefusals)])
	for i := range next.Refusals {
		next.Refusals[i].Field = strings.Clone(next.Refusals[i].Field)
	}
	next.Ignored = slices.Clone(next.Ignored[:min(len(next.Ignored), maxHeardNames)])
	for i := range next.Ignored {
		next.Ignored[i] = strings.Clone(next.Ignored[i])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.station(station)
	last.Contact = next
	if next.Taken {
		last.taken, last.useless = next.At, time.Time{}
	}
}

// mayTell reports whether the owner of a station is to be told that a message at a time had nothing but unknown names,
// and then remembers that. A message that is one part of a reading is no sign by itself: others of the same moment may
// have the quantities.
func (c *Contacts) mayTell(station string, at time.Time, partial bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.station(station)
	if last.useless.IsZero() {
		last.useless = at
	}
	if at.Sub(last.taken) < tellAfter || at.Sub(last.told) < tellEvery || partial && at.Sub(last.useless) < joinWithin {
		return false
	}
	last.told = at
	return true
}

// unknownNamesRefusal returns the refusal of a message with nothing but unknown names.
func unknownNamesRefusal(station string, at time.Time, names []string) Refusal {
	return Refusal{Station: station, Received: at, Reason: wire.UnknownMember, Field: names[0], Detail: Clip("nothing in the message is known here: " + UnknownNames(names).EN)}
}
