package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// DefaultHeld is the default of Options.Held.
	DefaultHeld = 16384
	// heldBytes is the total payload of held messages from which on no further one is accepted.
	heldBytes = 64 << 20

	keepAlive      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	connectTimeout = 10 * time.Second
	writeTimeout   = 10 * time.Second
	quiesce        = 100 // milliseconds for the last acknowledgements when the connection is closed

	retryFirst = 100 * time.Millisecond
	retryMost  = 30 * time.Second
	drainEvery = 20 * time.Millisecond

	// stallMost is how long the broker is not read while Out is full: well below pingTimeout.
	stallMost = time.Second
	roomEvery = 2 * time.Millisecond // between looks whether half of Out is free

	// A connection is contested when contestedAfter sessions in a row last at most shortSession, and for contestedFor
	// after the last of them.
	shortSession   = 10 * time.Second
	contestedAfter = 3
	contestedFor   = time.Minute
)

// ErrNotConnected is the error of Publish while there is no connection.
var ErrNotConnected = errors.New("not connected to the MQTT broker")

// Options configure a Subscriber.
type Options struct {
	Broker   string // tcp://, mqtt://, ssl:// or mqtts:// with host and port; the port may be left out
	Username string
	Password string
	CAFile   string                // PEM file of the authorities to trust with ssl:// and mqtts://; empty = the system's
	ClientID string                // fixed, so that the broker keeps the session between connections; one per broker
	Group    string                // of clients that share the messages, each of which one of them gets; empty = none
	Root     string                // first level of the protocol's topics at the broker; empty = wire.Root
	Topics   []string              // filters of other firmware's topics, in addition to the protocol's
	Held     int                   // most messages without acknowledgement; 0 = DefaultHeld
	Out      chan<- ingest.Message // nil subscribes to nothing; only Publish and Retained work
	Log      *slog.Logger
}

// Subscriber delivers the stations' messages from a broker to Out.
//
// It holds at most Options.Held messages (and 64 MiB of payloads and one more) between their arrival and their Done. When that is
// full it accepts nothing more, so order is kept: further messages stay unacknowledged, it closes the connection, and
// when half of what it holds is done it connects again and the broker sends them again. Counts.Overflows counts how often that
// happened. While Out is full it reads nothing, so that messages wait at the broker; but not for longer than stallMost, which
// would stop the keep-alive as well.
type Subscriber struct {
	options Options
	tls     *tls.Config
	broker  string
	filters []string
	ready   chan struct{}
	late    chan struct{} // has a value when backlog may have a message
	counts  counters
	held    atomic.Int64
	bytes   atomic.Int64

	queueing sync.Mutex       // guards backlog
	backlog  []ingest.Message // of the time in which Out took nothing, in order; the first is being sent

	mu        sync.Mutex // guards everything below
	client    paho.Client
	up        bool
	since     time.Time
	contested time.Time // when it last looked as if another client used the client id
	err       error
}

// Counts counts a subscriber's work since it started.
type Counts struct {
	Received   uint64 // messages accepted for Out
	Unexpected uint64 // messages on a topic without a filter; acknowledged and dropped
	Duplicates uint64 // copies of a message that is still held; dropped, as the first one acknowledges both
	Overflows  uint64 // times that the connection was closed because too many messages were held
	Connects   uint64 // connections made; all but the first are reconnects
	Held       int    // messages accepted and not done
	Capacity   int    // the largest possible Held
}

type counters struct{ received, unexpected, duplicates, overflows, connects atomic.Uint64 }

// filters returns the filters to subscribe to, each with QoS 1.
func (o *Options) filters() map[string]byte {
	if o.Out == nil {
		return nil
	}
	filters := map[string]byte{}
	for _, filter := range []string{wire.ReadingFilter, wire.StatusFilter, wire.KitFilter} {
		filters[wire.WithRoot(o.Root, filter)] = 1
	}
	for _, filter := range o.Topics {
		filters[filter] = 1
	}
	return filters
}

// subscriptions returns the filters as they are subscribed to: in a group as shared subscriptions (MQTT 5, 4.8.2; brokers
// that have them grant them to clients of MQTT 3.1.1 too).
func (o *Options) subscriptions() map[string]byte {
	filters := o.filters()
	if o.Group == "" {
		return filters
	}
	shared := make(map[string]byte, len(filters))
	for filter, qos := range filters {
		shared["$share/"+o.Group+"/"+filter] = qos
	}
	return shared
}

// wants reports whether a topic matches one of the filters.
func (s *Subscriber) wants(topic string) bool {
	return slices.ContainsFunc(s.filters, func(filter string) bool { return wire.Matches(filter, topic) })
}

// New checks the options; Run connects.
func New(o Options) (*Subscriber, error) {
	if o.Held <= 0 {
		o.Held = DefaultHeld
	}
	if o.ClientID == "" {
		return nil, errors.New("mqtt: no client id: the broker could not keep the session")
	}
	s := &Subscriber{options: o, ready: make(chan struct{}), late: make(chan struct{}, 1), since: time.Now()}
	s.filters = slices.Sorted(maps.Keys(o.filters()))
	u, err := url.Parse(o.Broker)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("mqtt.broker: %q is not a URL such as tcp://127.0.0.1:1883", o.Broker)
	}
	port := "1883"
	switch u.Scheme {
	case "tcp", "mqtt":
		u.Scheme = "tcp"
	case "ssl", "mqtts":
		u.Scheme, port = "ssl", "8883"
		if s.tls, err = trust(o.CAFile); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("mqtt.broker: %q begins with none of tcp://, mqtt://, ssl://, mqtts://", o.Broker)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	s.broker = (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	return s, nil
}

func trust(file string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return c, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("mqtt.ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mqtt.ca: no certificate in %s", file)
	}
	return c, nil
}

// Run keeps the subscription until ctx ends. It tries a broker that cannot be reached or refuses the log-in again
// with growing pauses. It returns nil, when everything it started has ended; Done may still be called afterwards, and
// the next session gets those messages again.
func (s *Subscriber) Run(ctx context.Context) error {
	var forward sync.WaitGroup
	forward.Go(func() { s.forward(ctx) })
	defer forward.Wait()
	wait, short := retryFirst, 0
	for ctx.Err() == nil {
		begin := time.Now()
		served, err := s.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if served {
			wait = retryFirst
		}
		if short++; !served || time.Since(begin) > shortSession || errors.Is(err, errOverflow) {
			short = 0
		}
		if short >= contestedAfter {
			s.contest()
		}
		s.drain(ctx)
		pause := wait/2 + rand.N(wait/2) // jitter keeps many clients from reconnecting at once
		s.options.Log.Warn("MQTT connection failed, retrying", "broker", s.broker, "retry_in", pause.Round(time.Millisecond), "err", err)
		sleep(ctx, pause)
		wait = min(2*wait, retryMost)
	}
	return nil
}

// pass sends a message to Out, and queues it when Out takes nothing for stallMost. Before it returns from waiting, half of Out
// is free: sender and receiver do not take turns for each message. It returns false when the session ended before.
func (s *Subscriber) pass(ended <-chan struct{}, m ingest.Message) bool {
	out := s.options.Out
	if s.behind(m, false) {
		return true
	}
	select {
	case out <- m:
		return true
	default:
	}
	stalled := time.NewTimer(stallMost)
	defer stalled.Stop()
	select {
	case out <- m:
	case <-ended:
		return false
	case <-stalled.C:
		return s.behind(m, true)
	}
	look := time.NewTicker(roomEvery)
	defer look.Stop()
	for len(out) > cap(out)/2 {
		select {
		case <-look.C:
		case <-ended:
			return true
		case <-stalled.C:
			return true
		}
	}
	return true
}

// behind queues a message when others are queued, or when it must. It reports whether it did.
func (s *Subscriber) behind(m ingest.Message, must bool) bool {
	s.queueing.Lock()
	defer s.queueing.Unlock()
	if len(s.backlog) == 0 && !must {
		return false
	}
	s.backlog = append(s.backlog, m)
	select {
	case s.late <- struct{}{}:
	default:
	}
	return true
}

// forward moves messages from the backlog to Out. One leaves the backlog after it was sent, so that no later one precedes it.
func (s *Subscriber) forward(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.late:
		}
		for m, ok := s.oldest(0); ok; m, ok = s.oldest(1) {
			select {
			case <-ctx.Done():
				return
			case s.options.Out <- m:
			}
		}
	}
}

// oldest removes n messages from the backlog and returns the next one; false when it is empty.
func (s *Subscriber) oldest(n int) (m ingest.Message, ok bool) {
	s.queueing.Lock()
	defer s.queueing.Unlock()
	clear(s.backlog[:n])
	if s.backlog = s.backlog[n:]; len(s.backlog) == 0 {
		s.backlog = nil
		return m, false
	}
	return s.backlog[0], true
}

// drain waits, after an overflow, until half of the capacity is free.
func (s *Subscriber) drain(ctx context.Context) {
	for ctx.Err() == nil && (s.held.Load() > int64(s.options.Held/2) || s.bytes.Load() > heldBytes/2) {
		sleep(ctx, drainEvery)
	}
}

// Ready returns a channel that is closed when the broker has granted the subscription for the first time.
func (s *Subscriber) Ready() <-chan struct{} { return s.ready }

// Connected reports whether there is a subscription, since when there is or is not, and the last error.
func (s *Subscriber) Connected() (ok bool, since time.Time, last error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up, s.since, s.err
}

// Contested returns an error while another client seems to use the same client id: the broker then ends one connection
// for the other, again and again, and says nothing to a client of MQTT 3.1.1.
func (s *Subscriber) Contested() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.contested) > contestedFor {
		return nil
	}
	return fmt.Errorf("the broker ends each connection within seconds, as it does when another client uses the id %q: only one process may use a data folder, or a copy of it", s.options.ClientID)
}

func (s *Subscriber) contest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contested = time.Now()
}

// Counts returns the current counts.
func (s *Subscriber) Counts() Counts {
	return Counts{
		Received: s.counts.received.Load(), Unexpected: s.counts.unexpected.Load(), Duplicates: s.counts.duplicates.Load(),
		Overflows: s.counts.overflows.Load(), Connects: s.counts.connects.Load(),
		Held: int(s.held.Load()), Capacity: s.options.Held,
	}
}

// Publish sends a message and, with QoS 1, returns when the broker has acknowledged it. It does not try again: newer
// feedback and averages follow soon.
func (s *Subscriber) Publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	if client == nil || !client.IsConnectionOpen() {
		return ErrNotConnected
	}
	if err := await(ctx, client.Publish(wire.WithRoot(s.options.Root, topic), qos, retained, payload)); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

// set stores the state of the connection.
func (s *Subscriber) set(client paho.Client, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if up := client != nil; up != s.up {
		s.up, s.since = up, time.Now()
	}
	s.client = client
	if err != nil {
		s.err = err
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
