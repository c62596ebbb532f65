package broker

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"
)

// longestHeader is the longest fixed header of a packet, in bytes (MQTT 3.1.1, 2.2).
const longestHeader = 5

// fixedHeader waits for a packet, and returns its fixed header without taking it out of the buffer, and how many bytes come after
// it. A longer length than MQTT has is an error here: mochi reads it to its end, into bytes of other packets.
func (c *conn) fixedHeader() (header []byte, length int, err error) {
	for size := 2; size <= longestHeader; size++ {
		if header, err = c.in.Peek(size); err != nil {
			return header, 0, err
		}
		if header[size-1] < 0x80 {
			n, _ := binary.Uvarint(header[1:])
			return header, int(n), nil
		}
	}
	return header, 0, packets.ErrMalformedVariableByteInteger
}

// Read reads the current packet for mochi. After its end is an error: mochi would ask again for ever.
func (c *conn) Read(p []byte) (n int, err error) {
	if len(c.back) > 0 {
		n = copy(p, c.back)
		if c.back = c.back[n:]; len(c.back) == 0 {
			c.back = nil // an empty slice keeps the packet
		}
		return n, nil
	}
	if c.rest == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err = c.in.Read(p[:min(len(p), c.rest)])
	c.rest -= n
	return n, err
}

// mayTake reports whether a packet may be a message that is taken: a PUBLISH of a station that speaks MQTT 3.
func (c *conn) mayTake(first byte, length int) bool {
	return first>>4 == packets.Publish && length < maxPacket && c.station != "" && c.client.Properties.ProtocolVersion < 5
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

// publish reads the current packet, which may be taken, and parses it. It leaves it for mochi to read, which it must when publish
// returns false.
func (c *conn) publish(header int) (m received, ok bool, err error) {
	packet := make([]byte, c.rest)
	n, err := io.ReadFull(c.in, packet)
	c.rest -= n
	if err != nil {
		return m, false, err
	}
	c.back = packet
	m, ok = parsePublish(packet, header)
	return m, ok, nil
}
