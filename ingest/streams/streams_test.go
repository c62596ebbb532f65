package streams

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// TestErrorsSayWhatWasAsked asks a server without JetStream, one that is not there, and one that hangs.
func TestErrorsSayWhatWasAsked(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server is not ready")
	}
	log := slog.New(slog.DiscardHandler)
	contains := func(err error, words ...string) {
		t.Helper()
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%v, want %q in it", err, w)
			}
		}
	}
	c, err := Connect("test", s.ClientURL(), nil, log)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	_, err = c.JetStream.Stream(t.Context(), "CITY")
	err = c.Asked("ask for stream CITY", begin, err)
	contains(err, "ask for stream CITY: NATS at "+s.ClientURL()+" did not answer, tried for ", "has no JetStream")
	if !errors.Is(err, ErrNoAnswer) {
		t.Errorf("%v is not ErrNoAnswer", err)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-late.Done()
	contains(c.Asked("write", time.Now().Add(-5*time.Second), late.Err()), "write: NATS at ", "did not answer, tried for 5s: ")
	refused := errors.New("wrong last sequence")
	if err := c.Asked("write", begin, refused); errors.Is(err, ErrNoAnswer) || err.Error() != "write: wrong last sequence" {
		t.Errorf("an answer is %v", err)
	}
	if c.Asked("write", begin, nil) != nil {
		t.Error("nothing failed, and there is an error")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = Connect("test", "nats://user:secret@"+l.Addr().String(), nil, log)
	contains(err, "connect to NATS at nats://***@"+l.Addr().String()+", tried for ")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("%v has the password", err)
	}
}
