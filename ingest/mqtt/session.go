package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// refused is the return code for a subscription that the broker refuses (MQTT 3.1.1, 3.9.3).
const refused = 0x80

var errOverflow = errors.New("too many messages wait for the journal")

// session is one connection. Each has its own client, so that a late Done of an earlier session has no effect,
// instead of acknowledging another message with the same packet id.
type session struct {
	s    *Subscriber
	lost chan error // the first error that ends it
	over atomic.Bool
	done chan struct{} // closed when it has ended

	mu   sync.Mutex           // guards open
	open [1 << 16 / 64]uint64 // a bit for each packet id of a message that is held
}

// session connects, subscribes and receives until the connection ends. served is true when the broker granted the
// subscription.
func (s *Subscriber) session(ctx context.Context) (served bool, err error) {
	c := &session{s: s, lost: make(chan error, 1), done: make(chan struct{})}
	client := paho.NewClient(c.options())
	defer func() {
		c.over.Store(true)
		close(c.done)
		client.Disconnect(quiesce)
		s.set(nil, err)
	}()
	if err := await(ctx, client.Connect()); err != nil {
		return false, logInError(err)
	}
	if err := s.leaveOthers(ctx, client); err != nil {
		return false, err
	}
	if err := subscribe(ctx, client, s.options.subscriptions()); err != nil {
		s.options.Log.Error("MQTT broker denies subscription to the stations' topics", "broker", s.broker, "err", err)
		return false, err
	}
	s.set(client, nil)
	if s.counts.connects.Add(1) == 1 {
		close(s.ready)
	}
	s.options.Log.Info("connected to the MQTT broker", "broker", s.broker)
	select {
	case <-ctx.Done():
		return true, nil
	case err := <-c.lost:
		return true, err
	}
}

func (c *session) options() *paho.ClientOptions {
	o := c.s.options
	po := paho.NewClientOptions().AddBroker(c.s.broker).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).
		SetProtocolVersion(4).SetCleanSession(false).
		SetAutoAckDisabled(true).SetOrderMatters(true).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetCustomOpenConnectionFn(c.dial).SetDefaultPublishHandler(c.unexpected).
		SetConnectionLostHandler(func(_ paho.Client, err error) { c.end(fmt.Errorf("connection lost: %w", err)) })
	return po
}

// leaveOthers ends, in a group, the subscriptions that the session has from before, which would bring everything a second
// time.
func (s *Subscriber) leaveOthers(ctx context.Context, client paho.Client) error {
	filters := s.options.filters()
	if s.options.Group == "" || len(filters) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := await(ctx, client.Unsubscribe(slices.Collect(maps.Keys(filters))...)); err != nil {
		return fmt.Errorf("end subscriptions outside the group: %w", err)
	}
	return nil
}

// subscribe subscribes to all filters and checks each return code.
func subscribe(ctx context.Context, client paho.Client, filters map[string]byte) error {
	if len(filters) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	token := client.SubscribeMultiple(filters, nil)
	if err := await(ctx, token); err != nil {
		return fmt.Errorf("subscribe: %w", err) // paho may still be writing the result
	}
	for filter, code := range token.(*paho.SubscribeToken).Result() {
		if code == refused {
			return fmt.Errorf("subscribe to %s: the broker refused: may this user read it?", filter)
		}
	}
	return nil
}

// logInError returns an error that says what to do. Some brokers close the connection right after they
// refuse a log-in, so that paho may see only that it was closed.
func logInError(err error) error {
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return fmt.Errorf("log in: wrong user or password (mqtt.username, mqtt.password): %w", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("log in: the broker closed the connection, as some do on a wrong user or password (mqtt.username, mqtt.password): %w", err)
	}
	return fmt.Errorf("connect: %w", err)
}

// end sets err as the reason why the connection ends, unless there is one.
func (c *session) end(err error) {
	select {
	case c.lost <- err:
	default:
	}
}

// take passes on a message, which from acknowledges when it is done. It returns false for one that matches none of our filters.
func (c *session) take(from acknowledger, m publish) bool {
	s, size := c.s, int64(len(m.payload))
	if !s.wants(m.topic) {
		return false
	}
	if c.over.Load() {
		return true // unacknowledged: the broker sends it again on the next connection, in order
	}
	if !c.hold(m) {
		s.counts.duplicates.Add(1)
		return true
	}
	held, bytes := s.held.Add(1), s.bytes.Add(size)
	if held > int64(s.options.Held) || bytes-size >= heldBytes {
		c.overflow(size)
		return true
	}
	message := ingest.Message{Topic: wire.WithoutRoot(s.options.Root, m.topic), Payload: m.payload, Received: time.Now().UTC(), Retained: m.retained, Redelivered: m.duplicate}
	message.Done = func(ingest.Outcome) {
		c.release(m)
		s.held.Add(-1)
		s.bytes.Add(-size)
		from.acknowledge(m)
	}
	if s.pass(c.done, message) {
		s.counts.received.Add(1)
	} else { // unacknowledged, as after an overflow
		s.held.Add(-1)
		s.bytes.Add(-size)
	}
	return true
}

// overflow leaves the message unacknowledged and ends the connection.
func (c *session) overflow(size int64) {
	c.s.held.Add(-1)
	c.s.bytes.Add(-size)
	c.over.Store(true)
	c.s.counts.overflows.Add(1)
	c.end(errOverflow)
}

// hold remembers a message's packet id until it is done. It returns false for a copy of a message that is still held:
// some brokers send copies over the same connection when an acknowledgement takes long.
func (c *session) hold(m publish) bool {
	if m.qos == 0 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	word, bit := &c.open[m.id/64], uint64(1)<<(m.id%64)
	if *word&bit != 0 && m.duplicate {
		return false
	}
	*word |= bit
	return true
}

func (c *session) release(m publish) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[m.id/64] &^= 1 << (m.id % 64)
}

// unexpected gets what take did not want, and messages with QoS 2, which come when the session has a subscription that is not
// ours. It acknowledges those that match none of our filters, for example because an older version left a
// subscription in the session. Unacknowledged they would fill the broker's window for ever.
func (c *session) unexpected(_ paho.Client, m paho.Message) {
	if c.take(byPaho{m}, publish{m.Topic(), m.Payload(), m.MessageID(), m.Qos(), m.Retained(), m.Duplicate()}) {
		return
	}
	c.s.counts.unexpected.Add(1)
	m.Ack()
}

// byPaho acknowledges a message that paho delivered.
type byPaho struct{ message paho.Message }

func (a byPaho) acknowledge(publish) { a.message.Ack() }
