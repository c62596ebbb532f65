package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest/registry"
)

// TestLimitsLeaveDescriptors expects HTTP to take at most a quarter of the process's file descriptors.
func TestLimitsLeaveDescriptors(t *testing.T) {
	for descriptors, want := range map[uint64][2]int{1 << 20: {mostRequests, mostWaiting}, 20_000: {mostRequests, mostWaiting}, 1024: {205, 51}, 0: {1, 1}} {
		l := newLimits(descriptors)
		if got := [2]int{l.requests.most, l.waiting.most}; got != want {
			t.Errorf("with %d descriptors: %v requests and connections, want %v", descriptors, got, want)
		}
		if l.streams.most > l.requests.most || l.streams.each > l.streams.most || l.waiting.each > l.waiting.most || l.streams.each < 1 {
			t.Errorf("with %d descriptors: %+v", descriptors, l)
		}
	}
	if n := Descriptors(); n < 64 {
		t.Errorf("the process may have %d descriptors open", n)
	}
}

// stream opens a live stream behind a proxy on this host, for an address. It stays open until the returned function is
// called; an answer that is no stream has ended.
func (h *fixture) stream(address string) (response *http.Response, end func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	request, err := http.NewRequestWithContext(ctx, "GET", h.http.URL+"/api/v1/stream", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("X-Forwarded-For", address)
	if response, err = http.DefaultClient.Do(request); err != nil {
		h.t.Fatal(err)
	}
	return response, func() { cancel(); response.Body.Close() }
}

// TestStreamsAreLimited expects 429 for one too many of an address, 503 for one too many of all, each with when to try
// again and a sentence, and a place for the next when a stream ends.
func TestStreamsAreLimited(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.limits.streams = limiter{most: 3, each: 2}
	f := func(address string, wantStatus int, want string) func() {
		t.Helper()
		response, end := h.stream(address)
		if response.StatusCode != wantStatus {
			t.Errorf("a stream of %s: %s, want %d", address, response.Status, wantStatus)
		}
		if wantStatus != http.StatusOK {
			body, _ := io.ReadAll(response.Body)
			if response.Header.Get("Retry-After") != "30" || !strings.Contains(string(body), want) || response.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("a stream of %s: %v %s, want %q", address, response.Header, body, want)
			}
		}
		return end
	}
	defer f("203.0.113.1", 200, "")()
	endSecond := f("203.0.113.1", 200, "")
	f("203.0.113.1", 429, "too many live streams from your network")()
	defer f("2001:db8:1:2::1", 200, "")()
	f("2001:db8:1:2::2", 503, "too many live streams at once")()
	endSecond()
	eventuallyLeft(t, &h.server.limits.streams, 2)
	defer f("2001:db8:1:2::2", 200, "")()
	if subscribers, _ := h.server.Live.Subscribers(); subscribers != 3 {
		t.Errorf("%d subscribers, want 3", subscribers)
	}
}

// eventuallyLeft waits until a limiter counts n.
func eventuallyLeft(t *testing.T, l *limiter, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		all := l.all
		l.mu.Unlock()
		if all == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d are open, want %d", all, n)
		}
	}
}

// TestRequestsAreLimited expects an answer to every request, and the state of the process whatever else is asked.
func TestRequestsAreLimited(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.limits.requests = limiter{most: 2, each: 1}
	for _, address := range []string{"203.0.113.1", "203.0.113.2"} {
		response, end := h.stream(address)
		defer end()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("a request: %s", response.Status)
		}
	}
	for address, want := range map[string]int{"203.0.113.1": 429, "203.0.113.3": 503} {
		response, body := h.do("GET", "/api/v1/city", "", "X-Forwarded-For", address)
		if response.StatusCode != want || response.Header.Get("Retry-After") != "10" || !strings.Contains(string(body), "too many requests") {
			t.Errorf("%s is answered %s %s, want %d", address, response.Status, body, want)
		}
	}
	if response, body := h.do("GET", "/healthz", ""); response.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s %s", response.Status, body)
	}
}

// aConn is a connection from an address, closed or not.
type aConn struct {
	net.Conn
	address string
	closed  bool
}

func (c *aConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(c.address), Port: 1}
}
func (c *aConn) Close() error { c.closed = true; return nil }

// TestTheOldestWaitingConnectionsEnd opens connections and expects those that are closed.
func TestTheOldestWaitingConnectionsEnd(t *testing.T) {
	w := waiting{most: 4, each: 2}
	conns := map[string]*aConn{}
	f := func(name, address string, state http.ConnState, wantClosed string) {
		t.Helper()
		c := conns[name]
		if c == nil {
			c = &aConn{address: address}
			conns[name] = c
		}
		w.changed(c, state)
		closed := ""
		for other, c := range conns {
			if c.closed {
				closed += other
				w.changed(c, http.StateClosed)
				delete(conns, other)
			}
		}
		if closed != wantClosed {
			t.Errorf("%s of %s is %s: closed %q, want %q", name, address, state, closed, wantClosed)
		}
	}
	const one, two, local = "203.0.113.1", "203.0.113.2", "127.0.0.1"
	f("a", one, http.StateNew, "")
	f("b", one, http.StateNew, "")
	f("a", one, http.StateActive, "")
	f("c", one, http.StateNew, "")
	f("a", one, http.StateIdle, "b") // the oldest of the address
	f("d", two, http.StateNew, "")
	f("e", local, http.StateNew, "")
	f("f", local, http.StateNew, "c") // the oldest of all
	f("g", local, http.StateNew, "a") // this host has as many as it likes of all
	f("d", two, http.StateActive, "")
	f("d", two, http.StateHijacked, "")
	f("h", one, http.StateNew, "")
	f("e", local, http.StateClosed, "")
	f("f", local, http.StateActive, "")
	f("f", local, http.StateIdle, "")
	if w.order.Len() != 3 || len(w.of) != 3 || w.count[local] != 2 || w.count[one] != 1 || len(w.count) != 2 {
		t.Errorf("%d wait, %v by address, want g, h and f", w.order.Len(), w.count)
	}
}

// serve serves the API on a port of its own, with its limits of connections, until the test ends.
func (h *fixture) serve() string {
	h.t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.server.Serve(ctx, l, h.server.Handler()) }()
	h.t.Cleanup(func() { cancel(); <-ended })
	return l.Addr().String()
}

// dial opens a connection that ends with the test.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestSilentConnections opens more connections than may wait: the oldest end, requests and streams do not, and every new
// one is served.
func TestSilentConnections(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.limits.waiting.most = 5
	address := h.serve()
	stream := dial(t, address)
	fmt.Fprint(stream, "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	if line, err := bufio.NewReader(stream).ReadString('\n'); !strings.Contains(line, "200") {
		t.Fatalf("the stream: %q, %v", line, err)
	}
	var silent []net.Conn
	for range 50 {
		silent = append(silent, dial(t, address))
	}
	for _, c := range silent[:45] {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a silent connection stays open: %v", err)
		}
	}
	for range 20 {
		c := dial(t, address)
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, "200") {
			t.Fatalf("a new connection: %q, %v", line, err)
		}
	}
	if subscribers, _ := h.server.Live.Subscribers(); subscribers != 1 {
		t.Errorf("%d subscribers, want the stream", subscribers)
	}
}
