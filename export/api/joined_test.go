package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"stadtluft/ingest/registry"
)

// TestJoinedConn expects a write that is held to go out before the next one, and the count of each write to be its own.
func TestJoinedConn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := joiningListener{l}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := server.(*joinedConn)
	for round := range 2 {
		c.holds = true
		for i, part := range []string{"headers", "body", "rest"} {
			if n, err := c.Write([]byte(part)); n != len(part) || err != nil {
				t.Errorf("round %d: writing %q: %d, %v", round, part, n, err)
			}
			if holds := len(c.held) > 0; holds != (i == 0) {
				t.Errorf("round %d: after writing %q something is held: %v", round, part, holds)
			}
		}
		got := make([]byte, len("headersbodyrest"))
		if _, err := io.ReadFull(client, got); string(got) != "headersbodyrest" || err != nil {
			t.Errorf("round %d: read %q, %v", round, got, err)
		}
	}
}

// TestAnswersOfOneConnection asks for short and long answers on one connection, with HEAD and a condition between them,
// and expects each to be complete when the connection's next request is not sent yet.
func TestAnswersOfOneConnection(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	mux := http.NewServeMux()
	bodies := map[string][]byte{}
	for _, length := range []int{1, 2047, 2048, serverBuffer - 1, serverBuffer, serverBuffer + 1, 3 * serverBuffer, 100_000} {
		path := fmt.Sprintf("/long/%d", length)
		body := bytes.Repeat([]byte{byte('a' + length%26)}, length)
		bodies[path] = body
		mux.Handle(path, h.server.prepare(true, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("X-Padding", strings.Repeat("p", length%5000)) // headers that are longer than the buffer, too
			_, err := w.Write(body)
			return err
		}))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	handler := h.server.Proxies.Handler(h.server.guarded(mux))
	go func() { ended <- h.server.Serve(ctx, l, handler) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	ask := func(method, path, tag string) (*http.Response, []byte) {
		t.Helper()
		request, _ := http.NewRequest(method, "http://x"+path, nil)
		request.Header.Set("Accept-Encoding", "identity")
		if tag != "" {
			request.Header.Set("If-None-Match", tag)
		}
		if err := request.Write(c); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(in, request)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		return response, body
	}
	for range 2 {
		for path, want := range bodies {
			response, got := ask(http.MethodGet, path, "")
			if response.StatusCode != http.StatusOK || !bytes.Equal(got, want) || response.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: %s, %d bytes, want %d, header %v", path, response.Status, len(got), len(want), response.Header)
			}
			if head, body := ask(http.MethodHead, path, ""); len(body) > 0 || head.ContentLength != int64(len(want)) {
				t.Errorf("HEAD %s: %d bytes, length %d, want %d", path, len(body), head.ContentLength, len(want))
			}
			if again, body := ask(http.MethodGet, path, response.Header.Get("ETag")); again.StatusCode != http.StatusNotModified || len(body) > 0 {
				t.Errorf("%s with its tag: %s, %d bytes", path, again.Status, len(body))
			}
		}
	}
	c.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
