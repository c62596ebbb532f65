package broker

import (
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/semaphore"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
)

const (
	// DefaultConnections is the default of Options.Connections.
	DefaultConnections = 16_000

	// maxPacket bounds an MQTT packet in bytes. It is larger than the protocol's 64 KiB so that a message that is a
	// little too large is refused instead of ending the connection.
	maxPacket = 128 << 10
	// maxHeld bounds the messages that wait for the journal, in bytes, with messageCost for what is of one size in each.
	maxHeld     = 64 << 20
	messageCost = 512
	// maxWindow is how many messages of one connection wait for the journal; reading pauses then.
	maxWindow = 64

	// connectTime bounds the time until a connection has logged in. GSM and NB-IoT kits need more than some seconds.
	connectTime = 15 * time.Second
	// acceptPause is the time after a failed accept, most likely for want of file descriptors.
	acceptPause = time.Second
)

// Options configure a broker.
type Options struct {
	Out chan<- ingest.Message // the pipeline, which calls each message's Done
	// Authenticate checks a station's log-in. Many goroutines call it at once; id and token are untrusted and at most
	// 128 bytes each. Nil refuses every station.
	Authenticate func(id, token string) bool
	// LoggedIn is told of each session of a station that begins here, so that brokers elsewhere can end theirs; see
	// EndSession. It must not block; nil = there are no others.
	LoggedIn func(session string, at time.Time)
	// Notify reports what a station's owner should know of and what is no message: it was slowed down, or its connection
	// closed for a message that is too large. It must not block; nil = nobody listens.
	Notify func(station string, reason wire.Reason, detail string)
	// Rates are the rates at which stations may send; nil = unlimited.
	Rates       *ingest.Rates
	Connections int    // in all; 0 = DefaultConnections; those of Door where there is one
	Root        string // first level of the protocol's topics for clients, besides wire.Root; empty = none
	Door        *Door  // shared with the brokers of other cities; nil = there are none
	Log         *slog.Logger
}

// Broker accepts connections on the listeners that it is given. New makes one, Close ends it.
type Broker struct {
	options   Options
	server    *mqtt.Server
	held      *semaphore.Weighted // of maxHeld
	waiting   atomic.Int64        // messages that wait for the journal
	topics    topics
	limits    *limits
	counts    counters
	open      atomic.Bool
	anonymous atomic.Uint64 // sessions of anonymous clients
	serving   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	conns    map[*conn]struct{}
	sessions map[string]*conn
	stations map[string][]*conn
	closed   bool
}

// Counts counts what the broker refused since it started.
type Counts struct {
	Logins uint64 // log-ins refused, for whatever reason
	Denied uint64 // publishes of anonymous clients, and subscriptions outside a client's topics
	Slowed uint64 // messages that waited because their station sends too fast
}

type counters struct{ logins, denied, slowed atomic.Uint64 }

// New returns a broker that refuses stations until Open.
func New(o Options) *Broker {
	if o.Connections == 0 {
		o.Connections = DefaultConnections
	}
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.MaximumPacketSize = maxPacket
	capabilities.MaximumClientWritesPending = 1 // nothing is written through mochi's queue
	capabilities.MaximumSessionExpiryInterval = 0
	capabilities.ReceiveMaximum = maxWindow
	capabilities.TopicAliasMaximum = 0
	capabilities.SharedSubAvailable = 0
	d := o.Door
	if d == nil {
		d = newDoor(o.Connections, o.Log)
	}
	b := &Broker{
		options: o, held: d.held, topics: newTopics(), limits: d.limits,
		server: mqtt.New(&mqtt.Options{Capabilities: capabilities, ClientNetReadBufferSize: mochiBuffer, Logger: slog.New(slog.DiscardHandler)}),
		conns:  map[*conn]struct{}{}, sessions: map[string]*conn{}, stations: map[string][]*conn{},
	}
	if err := b.server.AddHook(&hook{b: b}, nil); err != nil {
		panic(err) // our hook's Init returns nil
	}
	return b
}

// Open lets stations in. Before, they are told that the server is unavailable.
func (b *Broker) Open() { b.open.Store(true) }

// Serve accepts connections on l, over TLS when config is not nil, until ctx ends; it closes l. The connections go on
// until Close.
func (b *Broker) Serve(ctx context.Context, l net.Listener, config *tls.Config) error {
	return accept(ctx, l, config, b.options.Log, b.serve)
}

// accept accepts connections on l, over TLS when config is not nil, until ctx ends, and has each served.
func accept(ctx context.Context, l net.Listener, config *tls.Config, log *slog.Logger, serve func(c net.Conn, remote string)) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return nil
		case err != nil:
			log.Warn("MQTT accept failed, retrying", "err", err)
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetKeepAliveConfig(tcpKeepAlive) // ends connections without MQTT's keep-alive whose other end has gone
		}
		remote := httpapi.Sender(c.RemoteAddr().String())
		if config != nil {
			c = tls.Server(c, config) // shakes hands at the first read
		}
		go serve(c, remote)
	}
}

// serve serves one connection of a remote address until it ends.
func (b *Broker) serve(nc net.Conn, remote string) {
	place, ok := b.limits.enter(nc, remote)
	if !ok {
		nc.Close()
		return
	}
	defer place.leave()
	b.serveAt(nc, place)
}

// serveAt serves one connection, which has a place, until it ends.
func (b *Broker) serveAt(nc net.Conn, p *place) {
	c := newConn(nc, p)
	if !b.begin(c) {
		nc.Close()
		return
	}
	defer b.serving.Done()
	err := b.converse(c)
	b.leave(c, err)
	b.options.Log.Debug("MQTT connection ended", "from", p.remote, "station", c.station, "err", err)
}

// begin lists a connection as one that Close waits for; false after Close.
func (b *Broker) begin(c *conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.serving.Add(1)
	b.conns[c] = struct{}{}
	return true
}

// Disconnect closes the connections of one station, after its token changed or it retired.
func (b *Broker) Disconnect(station string) {
	b.mu.Lock()
	all := slices.Clone(b.stations[station])
	b.mu.Unlock()
	for _, c := range all {
		b.end(c, packets.ErrAdministrativeAction)
	}
}

// EndSession closes a connection whose session has begun anew at another broker at a time. Its last will is dropped: the station is
// there. A session that has begun here since then stays.
func (b *Broker) EndSession(session string, at time.Time) {
	b.mu.Lock()
	c := b.sessions[session]
	b.mu.Unlock()
	if c != nil && !c.since.After(at) {
		c.moved.Store(true)
		b.end(c, packets.ErrSessionTakenOver)
	}
}

// end closes a connection; a client of MQTT 5 is told why.
func (b *Broker) end(c *conn, code packets.Code) {
	if c.client.Properties.ProtocolVersion == 5 {
		_ = b.server.DisconnectClient(c.client, code) // it returns code
		return
	}
	c.client.Stop(code)
}

// Close ends every connection and returns after the last one. Messages without an outcome stay unacknowledged.
func (b *Broker) Close() {
	b.mu.Lock()
	b.closed = true
	all, sessions := slices.Collect(maps.Keys(b.conns)), slices.Collect(maps.Values(b.sessions))
	b.mu.Unlock()
	for _, c := range sessions {
		b.end(c, packets.ErrServerShuttingDown)
	}
	for _, c := range all {
		c.Close()
	}
	b.serving.Wait()
}

// Connected returns the number of stations' connections, and of all that have logged in.
func (b *Broker) Connected() (stations, all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, connections := range b.stations {
		stations += len(connections)
	}
	return stations, len(b.sessions)
}

// Counts returns the current counts.
func (b *Broker) Counts() Counts {
	return Counts{Logins: b.counts.logins.Load(), Denied: b.counts.denied.Load(), Slowed: b.counts.slowed.Load()}
}

// Waiting returns how many messages wait for the journal.
func (b *Broker) Waiting() int { return int(b.waiting.Load()) }

// Publish sends a message to those who have subscribed to its topic, and retains it for those who will. A client that
// reads more slowly than messages come gets the newest of each topic.
func (b *Broker) Publish(topic string, retain bool, payload []byte) {
	b.topics.publish(topic, retain, payload)
	if d := b.options.Door; d != nil && stationOf(topic) == "" {
		d.anyone.topics.publish(wire.WithRoot(b.options.Root, topic), retain, payload)
	}
}
