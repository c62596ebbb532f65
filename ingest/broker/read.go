package broker

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"
)

// longestHeader is the longest fixed header of a packet, in bytes (MQTT 3.1.1, 2.2).
const longestHeader = 5

// Read reads what the client sends, packet by packet, and takes stations' messages out of it: mochi copies each packet several
// times, at 800 bytes. It blocks while a message may not be handed over. A first packet that is longer than maxConnect is an
// error, before room for it is made.
func (c *conn) Read(p []byte) (int, error) {
	for c.rest == 0 {
		if c.ctx.Err() != nil {
			return 0, net.ErrClosed
		}
		header, length, err := c.fixedHeader()
		if err != nil {
			return 0, err
		}
		if !c.mayTake(header[0], length) {
			c.rest = len(header) + length
			break
		}
		packet := make([]byte, len(header)+length)
		if _, err := io.ReadFull(c.in, packet); err != nil {
			return 0, err
		}
		m, ok := parsePublish(packet, len(header))
		if !ok || !c.take(c, m) {
			c.rest, c.back = len(packet), packet
			break
		}
		c.taken = true
	}
	var n int
	var err error
	if p = p[:min(len(p), c.rest)]; len(c.back) > 0 {
		n = copy(p, c.back)
		c.back = c.back[n:]
	} else {
		n, err = c.in.Read(p)
	}
	c.rest -= n
	return n, err
}

// fixedHeader returns a packet's fixed header without taking it out of the buffer, and how many bytes come after it: all that
// ever will where the header is none of MQTT's, which is for mochi to say.
func (c *conn) fixedHeader() (header []byte, length int, err error) {
	for size := 2; size <= longestHeader; size++ {
		if header, err = c.in.Peek(size); err != nil {
			return header, 0, err
		}
		if header[size-1] >= 0x80 {
			continue
		}
		n, _ := binary.Uvarint(header[1:])
		if !c.begun && n > maxConnect {
			return header, 0, errLongConnect
		}
		c.begun = true
		return header, int(n), nil
	}
	return header, math.MaxInt - longestHeader, nil
}

// mayTake reports whether a packet may be a message that is taken: a PUBLISH of a station that speaks MQTT 3.
func (c *conn) mayTake(first byte, length int) bool {
	return first>>4 == packets.Publish && length < maxPacket && c.loggedIn.Load() && c.station != "" && c.client.Properties.ProtocolVersion < 5
}

// parsePublish parses a PUBLISH with QoS 0 or 1 (MQTT 3.1.1, 3.3); false for one that is malformed, or whose topic only mochi
// understands.
func parsePublish(packet []byte, header int) (m received, ok bool) {
	first, body := packet[0], packet[header:]
	m.qos, m.retain, m.duplicate = first>>1&3, first&1 != 0, first&8 != 0
	if len(body) < 2 || m.qos > 1 || m.qos == 0 && m.duplicate {
		return m, false
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	rest := end + 2*int(m.qos)
	if len(body) < rest {
		return m, false
	}
	if m.qos > 0 {
		if m.id = binary.BigEndian.Uint16(body[end:]); m.id == 0 {
			return m, false
		}
	}
	topic := body[2:end]
	if len(topic) == 0 || topic[0] == '$' || bytes.ContainsAny(topic, "+#\x00") || !utf8.Valid(topic) {
		return m, false
	}
	m.topic, m.payload = string(topic), body[rest:]
	return m, true
}

// take takes a message of a station; false for one that is left to mochi.
func (b *Broker) take(c *conn, m received) bool {
	if m.topic = b.inside(m.topic); strings.HasPrefix(m.topic, "$") {
		return false
	}
	b.receive(c, m)
	return true
}

// line reads from the network for a conn.
type line struct{ c *conn }

// Read gives the client the time of its keep-alive again when a message was taken since it last read.
func (l line) Read(p []byte) (int, error) {
	if l.c.taken {
		l.c.taken = false
		_ = l.c.SetDeadline(time.Time{})
	}
	return l.c.Conn.Read(p)
}
