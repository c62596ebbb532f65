package mqtt

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	readAhead = 64 << 10 // bytes

	publishType, pubackType = 3, 4      // MQTT 3.1.1, 2.2.1
	largestPacket           = 1<<28 - 1 // bytes after the fixed header (MQTT 3.1.1, 2.2.3)
)

var errLength = errors.New("the broker sends a packet with a length that is not MQTT's")

// conn is a connection to a broker, below paho. It takes messages out of what the broker sends, many of them with one system
// call, and joins their acknowledgements: paho passes each message through five goroutines and each acknowledgement
// through three, and makes system calls for each. Everything that is not taken goes on to paho: what belongs to
// log-in, subscriptions, keep-alive and publishing, and messages that take does not want.
type conn struct {
	net.Conn
	in   *bufio.Reader
	rest []byte // of a packet that paho reads
	// take is called for each message with QoS 0 or 1; false leaves it to paho. It may block for stallMost.
	take func(acknowledger, publish) bool

	writing sync.Mutex // is held while something is written

	mu      sync.Mutex // guards what follows
	unsent  []byte     // acknowledgements
	spare   []byte     // what was sent before, to be used again
	sending bool       // send is running
	broken  bool       // writing has failed
}

// acknowledger acknowledges a message that was taken.
type acknowledger interface{ acknowledge(publish) }

// publish is a message from the broker. It does not refer to the connection's buffer.
type publish struct {
	topic               string
	payload             []byte
	id                  uint16 // 0 with QoS 0
	qos                 byte
	retained, duplicate bool
}

// dial opens a connection for a session.
func (c *session) dial(broker *url.URL, _ paho.ClientOptions) (net.Conn, error) {
	var nc net.Conn
	var err error
	d := &net.Dialer{Timeout: connectTimeout}
	if c.s.tls != nil {
		nc, err = tls.DialWithDialer(d, "tcp", broker.Host, c.s.tls)
	} else {
		nc, err = d.Dial("tcp", broker.Host)
	}
	if err != nil {
		return nil, err
	}
	return &conn{Conn: nc, in: bufio.NewReaderSize(nc, readAhead), take: c.take}, nil
}

// Read reads what is not taken.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		packet, header, err := c.next()
		if err != nil {
			return 0, err
		}
		if m, ok := parsePublish(packet, header); !ok || !c.take(c, m) {
			c.rest = packet
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// next reads a packet, and returns it with the length of its fixed header.
func (c *conn) next() (packet []byte, header int, err error) {
	first, err := c.in.ReadByte()
	if err != nil {
		return nil, 0, err
	}
	length, err := binary.ReadUvarint(c.in)
	if err != nil {
		return nil, 0, err
	}
	if length > largestPacket {
		return nil, 0, errLength
	}
	var fixed [1 + binary.MaxVarintLen32]byte
	fixed[0] = first
	header = 1 + binary.PutUvarint(fixed[1:], length)
	packet = make([]byte, header+int(length))
	copy(packet, fixed[:header])
	_, err = io.ReadFull(c.in, packet[header:])
	return packet, header, err
}

// parsePublish parses a PUBLISH with QoS 0 or 1 (MQTT 3.1.1, 3.3); false for every other packet.
func parsePublish(packet []byte, header int) (m publish, ok bool) {
	m.qos = packet[0] >> 1 & 3
	body := packet[header:]
	if packet[0]>>4 != publishType || m.qos > 1 || len(body) < 2 {
		return m, false
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	rest := end + 2*int(m.qos)
	if len(body) < rest {
		return m, false
	}
	if m.qos == 1 {
		m.id = binary.BigEndian.Uint16(body[end:])
	}
	m.topic, m.payload = string(body[2:end]), body[rest:]
	m.duplicate, m.retained = packet[0]&8 != 0, packet[0]&1 != 0
	return m, true
}

// acknowledge acknowledges a message that was taken. It never blocks: a goroutine that lives as long as there is something to
// send writes what has gathered. When that fails it closes the connection, which paho notices.
func (c *conn) acknowledge(m publish) {
	if m.qos == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return
	}
	c.unsent = append(c.unsent, pubackType<<4, 2, byte(m.id>>8), byte(m.id))
	if !c.sending {
		c.sending = true
		go c.send()
	}
}

// send writes acknowledgements until there are none.
func (c *conn) send() {
	for more := true; more; {
		c.writing.Lock()
		err := c.flush()
		c.writing.Unlock()
		c.mu.Lock()
		if err != nil {
			c.broken, c.unsent = true, nil
			c.Close()
		}
		more = len(c.unsent) > 0
		c.sending = more
		c.mu.Unlock()
	}
}

// flush writes the acknowledgements that have gathered. It needs writing.
func (c *conn) flush() error {
	c.mu.Lock()
	taken := c.unsent
	if len(taken) == 0 {
		c.mu.Unlock()
		return nil
	}
	c.unsent, c.spare = c.spare[:0], nil
	c.mu.Unlock()
	_, err := c.Conn.Write(taken)
	c.mu.Lock()
	c.spare = taken
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	return nil
}

// Write writes a packet of paho's, after the acknowledgements that have gathered, so that none is lost by a DISCONNECT.
func (c *conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.flush(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
