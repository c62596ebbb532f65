package averages

import (
	"bytes"
	"io"
	"sync"
	"time"
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
	mu    sync.Mutex // guards what follows
	at    time.Time
	state []byte // nil for none
	used  time.Time
}

// load makes c what it was before some hours up to from, and returns where they begin; false when that is not known.
func (p *past) load(c Checker, from time.Time) (begin time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := c.(savable)
	if !ok || p.state == nil || from.Before(p.at) || from.Sub(p.at) > pastWithin || s.Load(bytes.NewReader(p.state)) != nil {
		return begin, false
	}
	return p.at, true
}

// keep keeps what c remembers at a time.
func (p *past) keep(c Checker, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	p.state = nil
	if s, ok := c.(savable); ok && s.Save(&b) == nil {
		p.at, p.state, p.used = at, b.Bytes(), time.Now()
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
