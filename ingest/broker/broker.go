package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"stadtluft/firmware-protocol/wire"
)

const (
	// MaxPayload bounds a message with its NATS headers, in bytes. It is larger than the protocol's 64 KiB so that a
	// message that is a little too large gets a refusal instead of a closed connection.
	MaxPayload = 256 << 10
	// DefaultListen is the address of the MQTT listener in the example configuration.
	DefaultListen = "127.0.0.1:1883"
	// DefaultReserve is the free space that the disk must keep, in bytes.
	DefaultReserve = 256 << 20

	// maxAckPending is the largest window of one subscription; NATS's default of 1,024 stalls an intake that
	// acknowledges in batches.
	maxAckPending = 8192
	// maxSessionPending is how many the windows of one session may be together (NATS's protocol for MQTT).
	maxSessionPending = 65_535
	// ackWait is how long after its delivery an unacknowledged message comes again. On a healthy line
	// it is not needed; after a restart of the intake it is what brings the messages it held.
	ackWait = 10 * time.Second

	readyTimeout = 30 * time.Second
	guardEvery   = time.Second
	userLength   = 128 // bytes of a user name or password that are looked at
)

// Options configure a broker.
type Options struct {
	Dir           string        // data folder of the log; made when missing
	Listen        string        // host:port of the MQTT listener; empty = none; port 0 = a free one
	Name          string        // name of the server in logs; empty = "stadtluft"
	Sync          string        // "always" (or empty): fsync before each acknowledgement; else an interval such as "2s"
	MaxStore      int64         // bytes the log may take on disk; 0 = what NATS finds sensible
	Reserve       uint64        // bytes that must stay free on Dir's file system; 0 = DefaultReserve
	Auth          Authenticator // nil: no station can log in
	Topics        []string      // filters of other firmware's topics that the intake reads
	Log           *slog.Logger
	OnDenied      func(user string, action Action, subject string) // see Action; must not block; nil = nobody listens
	freeBytes     func(dir string) (uint64, error)                 // tests only
	guardInterval time.Duration                                    // tests only
}

// Broker is a running server. The caller of Start closes it.
type Broker struct {
	options Options
	server  *server.Server
	addr    string
	intake  Credentials
	counts  counters
	broken  atomic.Pointer[string] // NATS's words on a failed write; such a stream takes nothing more until a restart
	fatal   chan error
	failed  chan error
	stop    chan struct{}
	ended   sync.WaitGroup
	close   func()

	mu       sync.Mutex        // guards what follows
	conns    map[uint64]conn   // by the server's number of the connection
	sessions map[string]uint64 // the connection that uses an MQTT client id
	open     bool
	full     error // why nothing more can be kept
	closed   bool
}

// Credentials are a user name and a password.
type Credentials struct{ User, Password string }

// Start starts the server and returns when it accepts connections. It accepts the intake and anonymous readers of the
// public averages at once, and stations from the first SetOpen(true) on.
func Start(o Options) (*Broker, error) {
	if o.Name == "" {
		o.Name = "stadtluft"
	}
	if o.Reserve == 0 {
		o.Reserve = DefaultReserve
	}
	if o.freeBytes == nil {
		o.freeBytes = freeBytes
	}
	if o.guardInterval == 0 {
		o.guardInterval = guardEvery
	}
	b := &Broker{
		options: o,
		intake:  Credentials{User: IntakeUser, Password: rand.Text()},
		fatal:   make(chan error, 1),
		failed:  make(chan error, 1),
		stop:    make(chan struct{}),
		conns:   map[uint64]conn{}, sessions: map[string]uint64{},
	}
	b.close = sync.OnceFunc(b.shutdown)
	so, err := b.serverOptions()
	if err != nil {
		return nil, err
	}
	if b.server, err = server.NewServer(so); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	b.server.SetLoggerV2(&logger{b: b, log: o.Log}, false, false, false)
	if err := b.start(); err != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
		return nil, err
	}
	b.guard()
	b.ended.Go(b.watch)
	return b, nil
}

// start waits for the server or for the first thing it cannot live with.
func (b *Broker) start() error {
	ready := make(chan bool, 1)
	go func() {
		b.server.Start()
		ready <- b.server.ReadyForConnections(readyTimeout)
	}()
	select {
	case err := <-b.fatal:
		return fmt.Errorf("start broker: %w", err)
	case ok := <-ready:
		if !ok || !b.server.JetStreamEnabled() {
			select {
			case err := <-b.fatal:
				return fmt.Errorf("start broker: %w", err)
			default:
				return fmt.Errorf("start broker: not ready after %v", readyTimeout)
			}
		}
		return nil
	}
}

// Close closes every connection and the server, and returns when everything has ended and the log is on disk.
func (b *Broker) Close() { b.close() }

func (b *Broker) shutdown() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	close(b.stop)
	b.ended.Wait()
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// Addr returns the address of the MQTT listener on this machine as host:port; empty when there is none.
func (b *Broker) Addr() string { return b.addr }

// IntakeCredentials returns the log-in of the intake. Each start makes new ones.
func (b *Broker) IntakeCredentials() Credentials { return b.intake }

// InProcess returns the argument for nats.InProcessServer of nats.go: connections without a network for the journal,
// with access to everything. No NATS port is open.
func (b *Broker) InProcess() interface{ InProcessConn() (net.Conn, error) } { return b.server }

func (b *Broker) serverOptions() (*server.Options, error) {
	o := b.options
	if err := writable(o.Dir); err != nil {
		return nil, err
	}
	so := &server.Options{
		ServerName: o.Name, DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxStore: o.MaxStore, MaxPayload: MaxPayload,
		CustomClientAuthentication: authenticator{b},
	}
	if o.Sync == "" || o.Sync == "always" {
		so.SyncAlways = true
	} else {
		every, err := time.ParseDuration(o.Sync)
		if err != nil || every <= 0 {
			return nil, fmt.Errorf(`sync %q is neither "always" nor an interval such as "2s"`, o.Sync)
		}
		so.SyncInterval = every
	}
	if o.Listen == "" {
		return so, nil
	}
	host, port, err := b.probe()
	if err != nil {
		return nil, err
	}
	so.MQTT = server.MQTTOpts{Host: host, Port: port, AckWait: ackWait, MaxAckPending: b.ackPending()}
	return so, nil
}

// ackPending is the window that all of the intake's subscriptions may have. Those of others are fewer: a dashboard with both
// averages and a station's own topics needs six.
func (b *Broker) ackPending() uint16 {
	windows := 0
	for _, filter := range slices.Concat(b.options.Topics, []string{wire.ReadingFilter, wire.StatusFilter, wire.KitFilter}) {
		windows += len(subjects(filter))
	}
	return uint16(min(maxAckPending, maxSessionPending/windows))
}

// probe listens once for a moment: NATS itself says little about an address it cannot have.
func (b *Broker) probe() (host string, port int, err error) {
	listen := b.options.Listen
	host, _, err = net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("mqtt.listen: %q is not host:port: %w", listen, err)
	}
	l, err := net.Listen("tcp", listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", 0, fmt.Errorf("%s is in use: set mqtt.listen or stop the other broker", listen)
	}
	if err != nil {
		return "", 0, fmt.Errorf("listen for MQTT on %s: %w", listen, err)
	}
	defer l.Close()
	port = l.Addr().(*net.TCPAddr).Port
	reachable := host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		reachable = "127.0.0.1"
	}
	b.addr = net.JoinHostPort(reachable, strconv.Itoa(port))
	return host, port, nil
}

// writable makes dir and says clearly when it cannot be used.
func writable(dir string) error {
	if dir == "" {
		return errors.New("broker: no data folder given")
	}
	err := os.MkdirAll(dir, 0o750)
	if err == nil {
		trial := filepath.Join(dir, ".writable")
		if err = os.WriteFile(trial, nil, 0o600); err == nil {
			err = os.Remove(trial)
		}
	}
	if err != nil {
		return fmt.Errorf("data folder %s: %w: let the user that runs stadtluft write there, or set data", dir, err)
	}
	return nil
}
