package api

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// Answers that read data share a number of units of work; what stations deliver takes none of them.
const (
	allWork   = 32               // units that are in use at once
	smallWork = 8                // of these, units that only answers of one unit may use
	shareWork = 16               // units that one address may use at once
	mostWait  = 128              // requests that wait for units
	workWait  = 5 * time.Second  // how long each waits
	workRetry = 10 * time.Second // when to ask again
	readTime  = 60 * time.Second // within which a client must take a part of its answer
	readEvery = 10 * time.Second // how often that begins anew while it does
)

// groupWork is how many units an answer of a group takes; those of other groups take none. SensorThings holds answers of
// up to 20,000 entities in memory, about 40 MB.
var groupWork = map[string]int{"live": 1, "catalogue": 1, "data": 2, "ogc": 2, "sta": 8}

// work gives out units. The zero value has allWork of them.
type work struct {
	mu      sync.Mutex // guards everything below
	used    int
	by      map[string]int // units in use, by address
	waiting []*waiter      // in the order in which they came
	refused uint64
}

// waiter waits for units.
type waiter struct {
	address string
	units   int
	ready   chan struct{} // closed when it has them
}

// fits reports whether there are units for an answer, and if not, whether its address has taken them. It needs mu.
func (k *work) fits(address string, units int) (ok, share bool) {
	if n := k.by[address]; n > 0 && n+units > shareWork {
		return false, true
	}
	limit := allWork
	if units > 1 {
		limit -= smallWork
	}
	return k.used+units <= limit, false
}

func (k *work) take(address string, units int) {
	if k.by == nil {
		k.by = map[string]int{}
	}
	k.used += units
	k.by[address] += units
}

// acquire waits for units until ctx ends, at most workWait; false when there are none.
func (k *work) acquire(ctx context.Context, address string, units int) bool {
	k.mu.Lock()
	if ok, _ := k.fits(address, units); ok {
		k.take(address, units)
		k.mu.Unlock()
		return true
	}
	if len(k.waiting) >= mostWait {
		k.refused++
		k.mu.Unlock()
		return false
	}
	me := &waiter{address, units, make(chan struct{})}
	k.waiting = append(k.waiting, me)
	k.mu.Unlock()
	timer := time.NewTimer(workWait)
	defer timer.Stop()
	select {
	case <-me.ready:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, w := range k.waiting {
		if w == me {
			k.waiting = append(k.waiting[:i], k.waiting[i+1:]...)
			k.refused++
			return false
		}
	}
	return true // given at the last moment
}

// release gives units back, and on to those who wait: a large answer is not overtaken by others that came later, except
// when its own address has its share.
func (k *work) release(address string, units int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used -= units
	if k.by[address] -= units; k.by[address] == 0 {
		delete(k.by, address)
	}
	left := k.waiting[:0]
	blocked := false
	for _, w := range k.waiting {
		ok, share := k.fits(w.address, w.units)
		if ok && (!blocked || w.units == 1) {
			k.take(w.address, w.units)
			close(w.ready)
			continue
		}
		blocked = blocked || !share
		left = append(left, w)
	}
	clear(k.waiting[len(left):])
	k.waiting = left
}

// WorkRefused returns how many questions were answered 503 because all units of work were in use.
func (s *Server) WorkRefused() float64 {
	s.work.mu.Lock()
	defer s.work.mu.Unlock()
	return float64(s.work.refused)
}

// bounded returns routes that take units of work while they answer.
func (s *Server) bounded(routes []openapi.Route) []openapi.Route {
	for i, route := range routes {
		if units := groupWork[route.Group]; units > 0 && route.ID != "getStream" {
			routes[i].Handler = s.working(units, route.Handler)
		}
	}
	return routes
}

// working answers within units of work, or with 503.
func (s *Server) working(units int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := httpapi.Address(r)
		if !s.work.acquire(r.Context(), address, units) {
			s.answer(busyAnswer).ServeHTTP(w, r)
			return
		}
		defer s.work.release(address, units)
		p := &paced{ResponseWriter: w, control: http.NewResponseController(w)}
		defer p.end()
		next.ServeHTTP(p, r)
	})
}

// busyAnswer answers that all units of work are in use.
func busyAnswer(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Retry-After", strconv.Itoa(int(workRetry.Seconds())))
	return newProblem(http.StatusServiceUnavailable, "", "more is asked than this server answers at once: ask again in %.0f seconds, one question after the other", workRetry.Seconds()).
		InGerman("Gerade wird mehr gefragt, als dieser Server auf einmal beantwortet: Frag in %.0f Sekunden noch einmal, eins nach dem anderen.", workRetry.Seconds())
}

// paced ends an answer that its client does not take: it would hold its units of work.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	next    time.Time // when the deadline begins anew
}

func (p *paced) Write(b []byte) (int, error) {
	if now := time.Now(); !now.Before(p.next) {
		p.next = now.Add(readEvery)
		_ = p.control.SetWriteDeadline(now.Add(readTime)) // every connection supports deadlines
	}
	return p.ResponseWriter.Write(b)
}

// end leaves the connection to the next request.
func (p *paced) end() {
	if !p.next.IsZero() {
		_ = p.control.SetWriteDeadline(time.Time{})
	}
}

// Unwrap returns the underlying writer for http.ResponseController.
func (p *paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }
