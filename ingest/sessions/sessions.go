// Package sessions tells the MQTT brokers of a deployment of each other's log-ins over NATS. A station that connects to
// another broker, because a balancer or its own firmware sent it there, leaves a connection behind that is open for as long
// as its keep-alive, and whose last will would then contradict it.
//
// Nothing is kept: a log-in that a broker does not hear of costs a connection that ends by itself.
package sessions

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"stadtluft/ingest/streams"
)

// Options configure where brokers meet.
type Options struct {
	URL       string            // of a NATS cluster; several separated by commas
	InProcess streams.InProcess // used instead of URL when it is set
	Prefix    string            // begins the subject
	Log       *slog.Logger
}

const (
	brokerHeader = "Stadtluft-Broker" // which broker tells
	timeHeader   = "Stadtluft-Time"   // when the session began, by its clock, RFC 3339
)

// Sessions is one broker's connection to the others.
type Sessions struct {
	nc      *streams.Conn
	subject string
	broker  string
	log     *slog.Logger
}

// Open connects to NATS. Close ends the connection.
func Open(o Options) (*Sessions, error) {
	nc, err := streams.Connect("sessions", o.URL, o.InProcess, o.Log)
	if err != nil {
		return nil, fmt.Errorf("open sessions: %w", err)
	}
	return &Sessions{nc: nc, subject: o.Prefix + ".sessions", broker: rand.Text(), log: o.Log}, nil
}

// Close ends the connection.
func (s *Sessions) Close() { s.nc.Close() }

// Began tells the other brokers that a session has begun here at a time. It does not block.
func (s *Sessions) Began(session string, at time.Time) {
	m := &nats.Msg{Subject: s.subject, Header: nats.Header{brokerHeader: {s.broker}, timeHeader: {at.UTC().Format(time.RFC3339Nano)}}, Data: []byte(session)}
	if err := s.nc.PublishMsg(m); err != nil {
		s.log.Debug("other brokers were not told of a log-in", "err", err)
	}
}

// Run calls end for each session that begins at another broker, with the time by that one's clock, until ctx ends.
func (s *Sessions) Run(ctx context.Context, end func(session string, at time.Time)) error {
	subscription, err := s.nc.Subscribe(s.subject, func(m *nats.Msg) {
		if m.Header.Get(brokerHeader) == s.broker {
			return
		}
		at, err := time.Parse(time.RFC3339Nano, m.Header.Get(timeHeader))
		if err != nil {
			at = time.Now() // an earlier version tells none
		}
		end(string(m.Data), at)
	})
	if err != nil {
		return fmt.Errorf("listen to other brokers: %w", err)
	}
	<-ctx.Done()
	_ = subscription.Unsubscribe() // else it ends with the connection
	return nil
}
