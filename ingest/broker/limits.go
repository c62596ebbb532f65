package broker

import (
	"container/list"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// newShare is the share of all connections, one in so many, that may not have logged in yet. A further one ends the
	// oldest of them, so that silent connections from many addresses keep nobody out.
	newShare = 4
	// newAddressShare is the share of those, one in so many, that may be of one address, at least newPerAddress: many
	// stations come back at once behind a balancer after a power cut.
	newAddressShare = 2
	newPerAddress   = 16
	// maxAnonymousPerAddress bounds the anonymous connections of one address.
	maxAnonymousPerAddress = 64
	// maxPerStation bounds the connections of one station; a further one ends the oldest, most likely a line that hangs.
	maxPerStation = 32
	// anonymousShare is the share of all connections, one in so many, that may be anonymous, so that nobody without a
	// station keeps stations out.
	anonymousShare = 4

	// Log-ins that fail are answered at once up to guessBurst, then at guessRate per second and address or station, but
	// each after maxGuessPause at the latest.
	guessBurst    = 10
	guessRate     = 0.5
	maxGuessPause = 10 * time.Second

	// Packets that are no messages, such as SUBSCRIBE with one per filter, are taken at once up to packetBurst on each
	// connection, then at packetRate per second.
	packetBurst = 100
	packetRate  = 20
	maxOverrun  = 600 // of packets that waited; then the connection ends, as its client may have gone long ago

	// noticeEvery is how often an owner is told that the station sends too fast.
	noticeEvery = 10 * time.Minute

	// An owner is told of the same reason toldBurst times at once, then at toldRate per second.
	toldBurst = 10
	toldRate  = 1.0 / 30
)

// limits counts connections, in all and by address, and failed log-ins.
type limits struct {
	guesses *ingest.Rates
	notices *ingest.Rates // of stations that send too fast
	told    *ingest.Rates // of owners, by station and reason

	mu        sync.Mutex // guards what follows
	free      int        // places for connections
	mostNew   int        // places that have not logged in yet
	entering  list.List  // of those, as *place, oldest first, without those that were ended
	freeNoOne int        // places for anonymous ones
	addresses map[string]*address
}

// address counts the connections of one IP address.
type address struct{ entering, anonymous int }

func newLimits(connections int) *limits {
	return &limits{
		guesses: &ingest.Rates{Sustained: guessRate, Burst: guessBurst}, notices: ingest.Every(noticeEvery),
		told: &ingest.Rates{Sustained: toldRate, Burst: toldBurst},
		free: connections, mostNew: max(1, connections/newShare), freeNoOne: max(1, connections/anonymousShare), addresses: map[string]*address{},
	}
}

// place is what a connection counts as.
type place struct {
	l         *limits
	conn      net.Conn
	remote    string
	address   *address
	element   *list.Element // in entering; nil when it is not there any more
	entering  bool          // it has not logged in yet
	anonymous bool
}

// enter takes a place for a new connection; false when there is none.
func (l *limits) enter(c net.Conn, remote string) (*place, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.addresses[remote]
	if a == nil {
		a = &address{}
	}
	if l.free == 0 || a.entering >= max(newPerAddress, l.mostNew/newAddressShare) {
		return nil, false
	}
	if l.entering.Len() >= l.mostNew {
		oldest := l.entering.Front().Value.(*place)
		oldest.entered()
		go oldest.conn.Close() // its reading ends, and it leaves; over TLS Close may block
	}
	l.addresses[remote] = a
	l.free--
	a.entering++
	p := &place{l: l, conn: c, remote: remote, address: a, entering: true}
	p.element = l.entering.PushBack(p)
	return p, true
}

// entered removes a place from the list of those that have not logged in. It needs mu.
func (p *place) entered() {
	if p.element != nil {
		p.l.entering.Remove(p.element)
		p.element = nil
	}
}

// logIn makes a place that of a client which has logged in; false when there are too many anonymous ones.
func (p *place) logIn(anonymous bool) bool {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	a := p.address
	if anonymous {
		if p.l.freeNoOne == 0 || a.anonymous >= maxAnonymousPerAddress {
			return false
		}
		p.l.freeNoOne--
		a.anonymous++
	}
	p.anonymous = anonymous
	p.entering = false
	p.entered()
	a.entering--
	return true
}

// leave frees the place.
func (p *place) leave() {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	p.entered()
	a := p.address
	if p.entering {
		a.entering--
	}
	if p.anonymous {
		a.anonymous--
		p.l.freeNoOne++
	}
	if *a == (address{}) {
		delete(p.l.addresses, p.remote)
	}
	p.l.free++
}

// charge waits while a connection sends packets too fast. It returns false when the connection ended meanwhile, and when it
// is to end: one packet has more than packetBurst filters, or more than maxOverrun packets have waited. Stations' messages
// have limits of their own.
func (c *conn) charge(pk *packets.Packet) bool {
	cost := 1
	switch pk.FixedHeader.Type {
	case packets.Puback, packets.Disconnect:
		return true
	case packets.Publish, packets.Pubrel:
		if c.station != "" && !strings.HasPrefix(pk.TopicName, "$") {
			return true
		}
	case packets.Subscribe, packets.Unsubscribe:
		cost = max(cost, len(pk.Filters))
	}
	if c.packets.AllowN(time.Now(), cost) {
		return true
	}
	c.overrun += cost
	return c.overrun <= maxOverrun && c.packets.WaitN(c.ctx, cost) == nil
}

// guessed counts a failed log-in and returns how long its answer waits.
func (l *limits) guessed(remote, user string) time.Duration {
	pause := l.guesses.Take("address " + remote)
	if wire.ValidStation(user) { // others, of up to maxConnect bytes, are not kept
		pause = max(pause, l.guesses.Take("user "+user))
	}
	return min(pause, maxGuessPause)
}
