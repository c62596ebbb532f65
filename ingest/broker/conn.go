package broker

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"golang.org/x/time/rate"
)

const (
	readBuffer  = 512 // bytes per connection
	mochiBuffer = 64  // bytes per connection that mochi reads ahead, of one packet
	// maxConnect bounds the CONNECT packet in bytes: until it is read nobody has logged in.
	maxConnect = 16 << 10
	// maxUnsent bounds what waits to be written to a connection, in bytes. Only a client that sends without reading its
	// acknowledgements reaches it; it is disconnected.
	maxUnsent = 256 << 10
	// paceUnsent is how much of that messages to subscribers may use; further ones wait.
	paceUnsent = 16 << 10
	// keptBuffer is the largest write buffer that a quiet connection keeps, in bytes.
	keptBuffer = 64

	writeTime = 20 * time.Second // for one write, after which the other end counts as gone
	closeTime = time.Second      // for what is still to be written when a connection is closed
)

var (
	errNotReading  = errors.New("the client does not read what is sent to it")
	errLongConnect = errors.New("the first packet is no CONNECT of a sensible length")
)

// tcpKeepAlive finds connections whose other end has gone without a word, within some five minutes.
var tcpKeepAlive = net.KeepAliveConfig{Enable: true, Idle: 2 * time.Minute, Interval: 45 * time.Second, Count: 4}

// conn is a client's connection. Its Write never blocks, so that one client that does not read delays no other; a
// goroutine that lives as long as there is something to write sends it, many packets at once.
type conn struct {
	net.Conn
	place *place
	ctx   context.Context // ends with the connection
	end   context.CancelFunc
	ended chan struct{} // closed after its last will

	client    *mqtt.Client
	id        string    // of its session
	since     time.Time // when that began
	station   string    // empty for an anonymous client
	keepAlive time.Duration
	will      *received     // to be published at the end; nil for none, and after the client's DISCONNECT
	packets   *rate.Limiter // of those that are no messages of a station
	overrun   int           // how many of those have waited
	window    chan struct{} // holds one element per message that waits for the journal

	// Of the goroutine that reads:
	in   *bufio.Reader
	back []byte // of the current packet, for mochi to read, out of the buffer already,
	rest int    // and how many bytes of it are to come

	subscriber subscriber

	mu      sync.Mutex // guards what follows
	unsent  []byte
	writing bool // send is running
	closing bool
	room    sync.Cond // signals that unsent became shorter

	rooted atomic.Bool // it subscribes to topics with Options.Root
	moved  atomic.Bool // its session has begun anew at another broker
}

func newConn(nc net.Conn, p *place) *conn {
	c := &conn{Conn: nc, place: p, ended: make(chan struct{}), window: make(chan struct{}, maxWindow), packets: rate.NewLimiter(packetRate, packetBurst)}
	c.in = bufio.NewReaderSize(nc, readBuffer)
	c.ctx, c.end = context.WithCancel(context.Background())
	c.room.L = &c.mu
	_ = nc.SetReadDeadline(time.Now().Add(connectTime)) // every connection supports deadlines
	return c
}

// awaitPacket sets the deadline of the next packet by the client's keep-alive (MQTT 3.1.1, 3.1.2.10).
func (c *conn) awaitPacket() {
	var until time.Time // none
	if c.keepAlive > 0 {
		until = time.Now().Add(c.keepAlive * 3 / 2)
	}
	_ = c.SetReadDeadline(until) // every connection supports deadlines
}

// Write adds whole packets to what is sent to the client. It ends the connection when there is too much.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return 0, net.ErrClosed
	}
	if len(c.unsent)+len(p) > maxUnsent {
		c.closing = true
		c.end()
		c.Conn.Close()
		c.room.Broadcast()
		return 0, errNotReading
	}
	c.unsent = append(c.unsent, p...)
	if !c.writing {
		c.writing = true
		go c.send()
	}
	return len(p), nil
}

// send writes until there is nothing left.
func (c *conn) send() {
	var taken []byte
	for {
		c.mu.Lock()
		if len(c.unsent) == 0 {
			c.writing = false
			if cap(c.unsent) > keptBuffer {
				c.unsent = nil
			}
			closing := c.closing
			c.mu.Unlock()
			if closing {
				c.Conn.Close()
			}
			return
		}
		c.unsent, taken = taken[:0], c.unsent
		c.mu.Unlock()
		_ = c.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := c.Conn.Write(taken)
		c.mu.Lock()
		if err != nil {
			c.closing, c.unsent = true, nil
			c.end()
		}
		c.room.Broadcast()
		c.mu.Unlock()
	}
}

// pace waits until there is room for a message to a subscriber; false when the connection has ended.
func (c *conn) pace() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unsent) > paceUnsent && !c.closing {
		c.room.Wait()
	}
	return !c.closing
}

// sleep waits for a time; false when the connection ends before.
func (c *conn) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// Close ends the connection after what is to be sent has been, within closeTime.
func (c *conn) Close() error {
	c.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil
	}
	c.closing = true
	c.room.Broadcast()
	if !c.writing {
		return c.Conn.Close()
	}
	now := time.Now()
	_ = c.SetReadDeadline(now) // nothing more is read
	return c.SetWriteDeadline(now.Add(closeTime))
}
