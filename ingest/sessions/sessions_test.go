package sessions

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// TestSessions begins sessions at one of three brokers, of which one is of another deployment.
func TestSessions(t *testing.T) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var all []*Sessions
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, b := range all {
			b.Close()
		}
	})
	heard := map[string]chan string{}
	open := func(name, prefix string) *Sessions {
		b, err := Open(Options{InProcess: s, Prefix: prefix, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
		ended := make(chan string, 10)
		heard[name] = ended
		running.Go(func() {
			if err := b.Run(ctx, func(session string, at time.Time) { ended <- session + at.Format(" 15:04:05.000") }); err != nil {
				t.Error(err)
			}
		})
		return b
	}
	here := open("here", "A")
	open("there", "A")
	elsewhere := open("elsewhere", "B")
	tick, late := time.NewTicker(20*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	at := time.Date(2026, 5, 1, 10, 30, 0, 123_456_789, time.UTC)
	for said := false; !said; {
		here.Began("AAA/kit", at)
		elsewhere.Began("BBB/kit", at)
		select {
		case session := <-heard["there"]:
			if said = true; session != "AAA/kit 10:30:00.123" {
				t.Errorf("ended %q, want AAA/kit of 10:30:00.123", session)
			}
		case <-tick.C: // it does not listen yet
		case <-late:
			t.Fatal("the other broker hears nothing")
		}
	}
	if err := here.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(heard["here"])+len(heard["elsewhere"]) > 0 {
		t.Error("the broker itself or another deployment's heard of the session")
	}
}
