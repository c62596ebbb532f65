package broker

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/semaphore"

	"stadtluft/firmware-protocol/wire"
)

// Door takes connections for the brokers of several cities, which share its limits, and hands each to the broker of its
// city: to that of the host name that the client connected to (TLS), else to that which knows the station. Who is of no city gets
// a broker that has every city's averages, below the city's root, and nothing else.
type Door struct {
	limits *limits
	held   *semaphore.Weighted // of maxHeld
	log    *slog.Logger
	anyone *Broker

	mu     sync.Mutex   // guards below
	cities []cityBroker // replaced by Add, never changed
}

// cityBroker is the broker of a city.
type cityBroker struct {
	*Broker
	host  string                 // name of the city
	knows func(user string) bool // whether a station of the city may log in
}

// NewDoor returns a door without cities. Most connections are connections; 0 is DefaultConnections. Before Anyone().Open() who is of no
// city is told that the server is unavailable.
func NewDoor(connections int, log *slog.Logger) *Door {
	d := newDoor(connections, log)
	d.anyone = New(Options{Door: d, Log: log})
	return d
}

func newDoor(connections int, log *slog.Logger) *Door {
	return &Door{limits: newLimits(cmp.Or(connections, DefaultConnections)), held: semaphore.NewWeighted(maxHeld), log: log}
}

// Add adds the broker of a city: b has the door in its options. host is the city's host name in lower case, and
// knows reports whether a station of the city may log in; many goroutines call it with untrusted users of any length.
func (d *Door) Add(b *Broker, host string, knows func(user string) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cities = append(slices.Clip(d.cities), cityBroker{b, host, knows})
}

func (d *Door) brokers() []cityBroker {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cities
}

// Anyone returns the broker of clients that are of no city, for its counts.
func (d *Door) Anyone() *Broker { return d.anyone }

// Serve accepts connections on l as Broker.Serve does.
func (d *Door) Serve(ctx context.Context, l net.Listener, config *tls.Config) error {
	return accept(ctx, l, config, d.log, d.serve)
}

// Close ends the connections that are of no city; each city's broker ends its own.
func (d *Door) Close() { d.anyone.Close() }

// serve reads the first packet of a connection, and hands both to a broker.
func (d *Door) serve(nc net.Conn, remote string) {
	place, ok := d.limits.enter(nc, remote)
	if !ok {
		nc.Close()
		return
	}
	defer place.leave()
	_ = nc.SetReadDeadline(time.Now().Add(connectTime)) // every connection supports deadlines
	first, err := readFirst(nc)
	if err != nil {
		nc.Close()
		return
	}
	d.of(nc, first).serveAt(replayed{nc, io.MultiReader(bytes.NewReader(first), nc)}, place)
}

// of returns the broker for a connection with its first packet.
func (d *Door) of(nc net.Conn, first []byte) *Broker {
	cities := d.brokers()
	if secure, ok := nc.(*tls.Conn); ok {
		host := strings.ToLower(secure.ConnectionState().ServerName)
		if i := slices.IndexFunc(cities, func(c cityBroker) bool { return host != "" && c.host == host }); i >= 0 {
			return cities[i].Broker
		}
	}
	user, password := credentials(first)
	if !wire.ValidStation(user) {
		return d.anyone // which refuses users
	}
	var known []*Broker
	for _, c := range cities {
		if c.knows(user) {
			known = append(known, c.Broker)
		}
	}
	switch len(known) {
	case 0:
		return d.anyone
	case 1:
		return known[0]
	}
	for _, b := range known { // the same id in two cities: as after a copy of a data folder
		if b.authenticate(user, password) {
			return b
		}
	}
	return known[0]
}

// errNotConnect is the error of a connection that begins with something else.
var errNotConnect = errors.New("the first bytes are no CONNECT of MQTT")

// readFirst reads the first packet of a connection, which is at most maxConnect bytes long.
func readFirst(r io.Reader) ([]byte, error) {
	header := make([]byte, 2, longestHeader)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	if header[0]>>4 != packets.Connect {
		return nil, errNotConnect
	}
	for header[len(header)-1] >= 0x80 { // the length goes on
		if len(header) == longestHeader {
			return nil, errNotConnect
		}
		header = header[:len(header)+1]
		if _, err := io.ReadFull(r, header[len(header)-1:]); err != nil {
			return nil, err
		}
	}
	length, _ := binary.Uvarint(header[1:])
	if length > maxConnect {
		return nil, errLongConnect
	}
	all := make([]byte, len(header)+int(length))
	copy(all, header)
	_, err := io.ReadFull(r, all[len(header):])
	return all, err
}

// credentials returns the user and password of a CONNECT; empty when it has none or is malformed, which the broker says.
func credentials(packet []byte) (user, password string) {
	defer func() {
		if recover() != nil { // mochi panics on some malformed packets of MQTT 5
			user, password = "", ""
		}
	}()
	_, size := binary.Uvarint(packet[1:])
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect, Remaining: len(packet) - 1 - size}}
	if pk.ConnectDecode(packet[1+size:]) != nil {
		return "", ""
	}
	return string(pk.Connect.Username), string(pk.Connect.Password)
}

// replayed is a connection of which something has been read, which comes again first.
type replayed struct {
	net.Conn
	reader io.Reader
}

func (r replayed) Read(p []byte) (int, error) { return r.reader.Read(p) }

// inside returns a client's topic or filter as the code knows it.
func (b *Broker) inside(topic string) string { return wire.WithoutRoot(b.options.Root, topic) }

// mayRead reports whether a client may subscribe to a filter. At the broker of a door anyone may to each city's averages.
func (b *Broker) mayRead(station, filter string) bool {
	d := b.options.Door
	if d == nil || d.anyone != b {
		return mayRead(station, filter)
	}
	return slices.ContainsFunc(d.brokers(), func(c cityBroker) bool {
		root, _, _ := strings.Cut(filter, "/")
		return root == cmp.Or(c.options.Root, wire.Root) && mayRead("", c.inside(filter))
	})
}
