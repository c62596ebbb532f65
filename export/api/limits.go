package api

import (
	"container/list"
	"context"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"

	"stadtluft/ingest/httpapi"
)

// Limits of what clients hold open at once, in all and for each address. Behind one address may be a school, a provider
// of radio networks with every LoRaWAN station of the city, or a proxy.
const (
	mostRequests, mostRequestsEach = 4000, 1000 // under way, streams among them
	mostStreams, mostStreamsEach   = 2000, 200
	mostWaiting, mostWaitingEach   = 1000, 100 // connections without a request

	// descriptorShare is the part of the process's file descriptors that HTTP may take; the rest is for stations and files.
	descriptorShare = 0.25

	retryRequest = 10 // seconds after which a client that was refused may try again
	retryStream  = 30
)

// limits are the limits of an address, which all of its sites share. They are lower in proportion where the process has few file descriptors.
type limits struct {
	requests, streams limiter
	waiting           waiting

	stopping context.Context // ends when streams must end
	stop     context.CancelFunc
}

func newLimits(descriptors uint64) *limits {
	share := min(1, descriptorShare*float64(descriptors)/(mostRequests+mostWaiting))
	of := func(most int) int { return max(1, int(math.Round(share*float64(most)))) }
	stopping, stop := context.WithCancel(context.Background())
	return &limits{
		stopping: stopping, stop: stop,
		requests: limiter{most: of(mostRequests), each: of(mostRequestsEach)},
		streams:  limiter{most: of(mostStreams), each: of(mostStreamsEach)},
		waiting:  waiting{most: of(mostWaiting), each: of(mostWaitingEach)},
	}
}

// Descriptors returns how many file descriptors the process may have open.
func Descriptors() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what a shell gives
	}
	return limit.Cur
}

// limiter counts what is open, in all and for each address. Those on this host, such as a proxy's, count in all only.
type limiter struct {
	most, each int

	mu  sync.Mutex // guards below
	all int
	of  map[string]int
}

// enter counts one more of an address, unless there are too many; then own says whether they are its own.
func (l *limiter) enter(address string) (ok, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.of[address] >= l.each && !isLoopback(address):
		return false, true
	case l.all >= l.most:
		return false, false
	}
	if l.of == nil {
		l.of = map[string]int{}
	}
	l.all++
	l.of[address]++
	return true, false
}

// leave counts one less.
func (l *limiter) leave(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.of[address]--; l.of[address] == 0 {
		delete(l.of, address)
	}
}

func isLoopback(address string) bool { return net.ParseIP(address).IsLoopback() }

// tooMany returns the answer to one too many; own says that those of its own address are too many.
func tooMany(w http.ResponseWriter, own bool, retry int, english, german string) error {
	w.Header().Set("Retry-After", strconv.Itoa(retry))
	if own {
		return newProblem(http.StatusTooManyRequests, "", "too many %s from your network at once: try again in %d s", english, retry).
			InGerman("Aus deinem Netz kommen zu viele %s auf einmal: Versuche es in %d s noch einmal.", german, retry)
	}
	return newProblem(http.StatusServiceUnavailable, "", "too many %s at once: try again in %d s", english, retry).
		InGerman("Es sind zu viele %s auf einmal: Versuche es in %d s noch einmal.", german, retry)
}

// limited answers requests beyond the limit itself. Requests for the state of the process always pass.
func (s *Server) limited(next http.Handler) http.Handler {
	requests := &s.limits.requests
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || r.URL.Path == "/metrics" {
			next.ServeHTTP(w, r)
			return
		}
		address := httpapi.Address(r)
		if ok, own := requests.enter(address); !ok {
			s.answer(func(w http.ResponseWriter, _ *http.Request) error {
				return tooMany(w, own, retryRequest, "requests", "Anfragen")
			}).ServeHTTP(w, r)
			return
		}
		defer requests.leave(address)
		next.ServeHTTP(w, r)
	})
}

// waiting holds the connections on which no request is under way, and closes the oldest when there are too many: clients
// open a new one when they need it. Connections from this host, such as a proxy's, count in all only.
type waiting struct {
	most, each int

	mu    sync.Mutex // guards below
	order list.List  // of net.Conn, oldest first
	of    map[net.Conn]*list.Element
	count map[string]int // by address
}

// changed is for http.Server's ConnState.
func (w *waiting) changed(c net.Conn, state http.ConnState) {
	if old := w.move(c, state == http.StateNew || state == http.StateIdle); old != nil {
		old.Close()
	}
}

// move adds a connection to those that wait, or removes it, and returns one to close; nil for none.
func (w *waiting) move(c net.Conn, waits bool) net.Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(c)
	if !waits {
		return nil
	}
	if w.of == nil {
		w.of, w.count = map[net.Conn]*list.Element{}, map[string]int{}
	}
	w.of[c] = w.order.PushBack(c)
	address := addressOf(c)
	w.count[address]++
	if w.count[address] > w.each && !isLoopback(address) {
		return w.oldest(func(c net.Conn) bool { return addressOf(c) == address })
	} else if w.order.Len() > w.most {
		return w.oldest(func(net.Conn) bool { return true })
	}
	return nil
}

// oldest removes the connection that has waited longest of those that match.
func (w *waiting) oldest(matches func(net.Conn) bool) net.Conn {
	for e := w.order.Front(); e != nil; e = e.Next() {
		if c := e.Value.(net.Conn); matches(c) {
			w.remove(c)
			return c
		}
	}
	return nil
}

func (w *waiting) remove(c net.Conn) {
	e := w.of[c]
	if e == nil {
		return
	}
	w.order.Remove(e)
	delete(w.of, c)
	address := addressOf(c)
	if w.count[address]--; w.count[address] == 0 {
		delete(w.count, address)
	}
}

// addressOf returns the address of a connection's other side.
func addressOf(c net.Conn) string {
	if joined, ok := c.(*joinedConn); ok {
		return joined.address
	}
	return httpapi.Sender(c.RemoteAddr().String())
}
