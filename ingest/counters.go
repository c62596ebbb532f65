package ingest

import (
	"maps"
	"sync"
	"sync/atomic"

	"stadtluft/firmware-protocol/wire"
)

// Counters counts a pipeline's work since the program started. The zero value is ready. Each value counts in exactly
// one of Kept, Duplicates and Refused; a message that could not be decoded counts as one refusal.
type Counters struct {
	received   atomic.Uint64
	readings   atomic.Uint64
	kept       atomic.Uint64
	duplicates atomic.Uint64
	stalled    atomic.Pointer[error]

	mu      sync.Mutex // guards refused, flagged and ignored
	refused map[wire.Reason]uint64
	flagged map[Flags]uint64
	ignored map[IgnoredName]uint64
}

// IgnoredName is a name in another firmware's messages that is ignored.
type IgnoredName struct{ Family, Name string }

const (
	maxIgnoredNames = 500     // names that are counted separately
	otherNames      = "other" // counts all further names
)

// Counts is a snapshot of Counters.
type Counts struct {
	Received   uint64                 // messages
	Readings   uint64                 // readings handed to the journal
	Kept       uint64                 // values handed to the journal
	Duplicates uint64                 // values that were already known with the same value
	Refused    map[wire.Reason]uint64 // refusals by reason; every reason is present
	Flagged    map[Flags]uint64       // values by single flag; every flag is present
	Ignored    map[IgnoredName]uint64 // members of other firmware's messages that were not used, by name
}

// Snapshot returns a copy that the caller owns.
func (c *Counters) Snapshot() Counts {
	s := Counts{
		Received: c.received.Load(), Readings: c.readings.Load(), Kept: c.kept.Load(), Duplicates: c.duplicates.Load(),
		Refused: map[wire.Reason]uint64{}, Flagged: map[Flags]uint64{},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, reason := range wire.Reasons() {
		s.Refused[reason] = c.refused[reason]
	}
	for _, flag := range AllFlags() {
		s.Flagged[flag] = c.flagged[flag]
	}
	s.Ignored = maps.Clone(c.ignored)
	return s
}

// Stalled returns the journal's last error while a batch waits for it, else nil.
func (c *Counters) Stalled() error {
	if err := c.stalled.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *Counters) refuse(reason wire.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[wire.Reason]uint64{}
	}
	c.refused[reason]++
}

// ignore counts ignored names.
func (c *Counters) ignore(family string, names []string) {
	if len(names) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ignored == nil {
		c.ignored = map[IgnoredName]uint64{}
	}
	for _, name := range names {
		key := IgnoredName{family, name}
		if _, known := c.ignored[key]; !known && len(c.ignored) >= maxIgnoredNames {
			key.Name = otherNames
		}
		c.ignored[key]++
	}
}

// keep counts a reading's values and their flags.
func (c *Counters) keep(r Reading) {
	c.readings.Add(1)
	c.kept.Add(uint64(len(r.Values)))
	for _, v := range r.Values {
		if v.Flags != 0 {
			c.flag(v.Flags)
		}
	}
}

func (c *Counters) flag(flags Flags) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flagged == nil {
		c.flagged = map[Flags]uint64{}
	}
	for _, flag := range AllFlags() {
		if flags&flag != 0 {
			c.flagged[flag]++
		}
	}
}
