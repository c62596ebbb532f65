package averages

import (
	"bytes"
	"io"
	"sync"
	"time"

	"stadtluft/ingest"
)

const (
	// pastFor is how long what checks remembered at the begin of a day is kept for the next late readings.
	pastFor = time.Hour
	// pastWithin is how long after that day they may be: hours up to then are read again.
	pastWithin = 7 * day
)

// savable is a Checker that can be kept as bytes, as quality.HourChecker.
type savable interface {
	Save(w io.Writer) error
	Load(r io.Reader) error
}

// past is what a Checker remembered at the begin of the day from which hours were checked again last. Late readings come one
// after the other, of the same days: each would have all hours of quality.LookBack read before those that it changes. It holds as long as
// no reading and no station changes before that day. The zero value is ready.
type past struct {
	mu       sync.Mutex // guards what follows
	at       time.Time
	state    []byte // nil for none
	stations uint64 // version of the stations that it was made with
	used     time.Time
}

// versioned are stations that tell when one of them changes, as registry.Registry: a past may have another sensor then, or another place.
type versioned interface{ Version() uint64 }

func versionOf(stations ingest.Stations) uint64 {
	if v, ok := stations.(versioned); ok {
		return v.Version()
	}
	return 0
}

// load makes c what it was before some hours up to from, and returns where they begin; false when that is not known.
func (p *past) load(c Checker, from time.Time, stations uint64) (begin time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := c.(savable)
	if !ok || p.state == nil || p.stations != stations || from.Before(p.at) || from.Sub(p.at) > pastWithin || s.Load(bytes.NewReader(p.state)) != nil {
		return begin, false
	}
	return p.at, true
}

// keep keeps what c remembers at a time, with the version that the stations had before.
func (p *past) keep(c Checker, at time.Time, stations uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	p.state = nil
	if s, ok := c.(savable); ok && s.Save(&b) == nil {
		p.at, p.state, p.stations, p.used = at, b.Bytes(), stations, time.Now()
	}
}

// forget forgets it when it was last kept before a time.
func (p *past) forget(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used.Before(before) {
		p.state = nil
	}
}
