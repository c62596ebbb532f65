package httpapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener for connections that a test makes.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serveBodies serves h behind TimeBodies until the returned function is called; dial opens a connection.
func serveBodies(h Handler) (dial func() net.Conn, stop func()) {
	listener := make(pipes)
	server := &http.Server{Handler: TimeBodies(With(slog.New(slog.DiscardHandler), nil, h))}
	go server.Serve(listener)
	dial = func() net.Conn {
		client, side := net.Pipe()
		listener <- side
		return client
	}
	return dial, func() { close(listener); server.Close() }
}

// readBody answers with the number of bytes of the body.
func readBody(w http.ResponseWriter, r *http.Request) error {
	body, err := ReadBody(w, r, MaxBody)
	if err == nil {
		fmt.Fprint(w, len(body))
	}
	return err
}

// sendSlowly sends text in pieces, one every so often, until the connection is closed.
func sendSlowly(c net.Conn, text string, piece int, every time.Duration) {
	for text != "" {
		n := min(piece, len(text))
		if _, err := io.WriteString(c, text[:n]); err != nil {
			return
		}
		text = text[n:]
		time.Sleep(every)
	}
}

// TestSlowBodies sends bodies at several rates: 10 s, and a second for each 500 bytes.
func TestSlowBodies(t *testing.T) {
	f := func(what string, length, piece int, every time.Duration, wantStatus int, wantAfter time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			dial, stop := serveBodies(readBody)
			defer stop()
			c := dial()
			defer c.Close()
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", length)
			begin := time.Now()
			sent := make(chan struct{})
			go func() { sendSlowly(c, strings.Repeat("a", length), piece, every); close(sent) }()
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			defer func() { <-sent }()
			if took := time.Since(begin).Round(time.Second); response.StatusCode != wantStatus || took != wantAfter || response.Close != (wantStatus != 200) {
				t.Errorf("%s: %s after %v, closed %v, want %d after %v", what, response.Status, took, response.Close, wantStatus, wantAfter)
			}
		})
	}
	const s = time.Second
	f("at once", 64<<10, 64<<10, s, 200, 0)
	f("too much", 128<<10, 64<<10+1, 100*s, 413, 0)
	f("a byte a second", 100, 1, s, 408, 10*s)
	f("1000 bytes a second", 64<<10, 1000, s, 200, 65*s)
	f("390 bytes a second", 64<<10, 390, s, 408, 46*s)
	f("390 bytes a second, a short one", 3900, 390, s, 200, 9*s)
	f("nothing more after the first bytes", 1000, 500, 100*s, 408, 11*s)
}

// TestBodiesThatAreNotThere expects a sentence for each way in which a body can be missing, not that it is malformed.
func TestBodiesThatAreNotThere(t *testing.T) {
	f := func(headers, body string, wantStatus int, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			dial, stop := serveBodies(func(w http.ResponseWriter, r *http.Request) error { return ReadJSON(w, r, &struct{ A int }{}) })
			defer stop()
			c := dial()
			defer c.Close()
			go fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n%s", headers, body)
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			var p Problem
			_ = json.NewDecoder(response.Body).Decode(&p) // 200 has none
			if response.StatusCode != wantStatus || !strings.Contains(p.Detail, want) || p.Detail != "" && want == "" {
				t.Errorf("%q %q: %s %q, want %d and %q", headers, body, response.Status, p.Detail, wantStatus, want)
			}
		})
	}
	f("Content-Length: 7\r\n", `{"A":1}`, 200, "")
	f("Transfer-Encoding: chunked\r\n", "7\r\n{\"A\":1}\r\n0\r\n\r\n", 200, "")
	f("", `{"A":1}`, 411, "has no Content-Length")
	f("Content-Length: 0\r\n", "", 400, "the request has no body")
	f("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", 400, "the request has no body")
	f("Content-Length: 1\r\n", "{", 400, "is not the JSON object")
	f("Content-Length: 14\r\n", `{"A":1}{"A":1}`, 400, "there is more than one object")
	f("Content-Type: text/plain\r\nContent-Length: 7\r\n", `{"A":1}`, 200, "") // the first one counts
}

// TestJSONSaysSo expects the type that no page of another site can send without asking.
func TestJSONSaysSo(t *testing.T) {
	for given, want := range map[string]int{
		"application/json": 200, "Application/JSON; charset=utf-8": 200, "": 415, "text/plain": 415, "text/plain; application/json": 415,
		"application/x-www-form-urlencoded": 415, "multipart/form-data": 415, "application/jsonx": 415,
	} {
		request, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", given)
		got := 200
		if err := ReadJSON(nil, request, &struct{}{}); err != nil {
			got = err.(*Problem).Status
		}
		if got != want {
			t.Errorf("Content-Type %q: %d, want %d", given, got, want)
		}
	}
}

// TestNobodyWaitsForABody expects the answer of a handler that does not want the body at once, and the connection to end.
func TestNobodyWaitsForABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveBodies(func(http.ResponseWriter, *http.Request) error { return New(http.StatusUnauthorized, "", "no") })
		defer stop()
		c := dial()
		defer c.Close()
		begin := time.Now()
		fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || response.StatusCode != http.StatusUnauthorized || !response.Close || time.Since(begin) > 0 {
			t.Errorf("%+v, %v after %v, want 401 at once and the end", response, err, time.Since(begin))
		}
	})
}

// TestTimeLimitsEndWithTheBody expects a handler to have its own time, and the connection to serve the next request.
func TestTimeLimitsEndWithTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveBodies(func(w http.ResponseWriter, r *http.Request) error {
			err := readBody(w, r)
			time.Sleep(time.Minute)
			return errors.Join(err, r.Context().Err())
		})
		defer stop()
		c := dial()
		defer c.Close()
		answers := bufio.NewReader(c)
		for range 2 {
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
			response, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(response.Body); string(body) != "2" || err != nil || response.Close {
				t.Fatalf("%s %q, %v", response.Status, body, err)
			}
			time.Sleep(time.Minute)
		}
	})
}
