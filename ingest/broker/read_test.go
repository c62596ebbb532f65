package broker

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// FuzzParsePublish holds parsePublish against mochi: what it parses, mochi would have handed over with the same content.
func FuzzParsePublish(f *testing.F) {
	for _, seed := range [][]byte{
		publishRaw(0x32, 7, "stadtluft/v1/a/reading", `{"pm10":1}`), publishRaw(0x30, 0, "t", ""), publishRaw(0x3b, 1, "t", "x"),
		publishRaw(0x38, 0, "t", "x"), publishRaw(0x34, 1, "t", "x"), publishRaw(0x36, 1, "t", "x"), publishRaw(0x32, 0, "t", "x"),
		publishRaw(0x32, 1, "", "x"), publishRaw(0x32, 1, "a/+/#", "x"), publishRaw(0x32, 1, "$SYS/a", "x"), publishRaw(0x32, 1, "a\x00", "x"),
		publishRaw(0x32, 1, "a\xff", "x"), {0x32, 1, 0}, {0x32, 0},
	} {
		f.Add(seed[0], seed[2:])
	}
	f.Fuzz(func(t *testing.T, first byte, body []byte) {
		first = packets.Publish<<4 | first&0xf
		m, ok := parsePublish(append([]byte{first, 0}, body...), 2)
		if !ok {
			return
		}
		var pk packets.Packet
		if err := pk.FixedHeader.Decode(first); err != nil {
			t.Fatalf("mochi refuses the first byte %#x: %v", first, err)
		}
		if err := pk.PublishDecode(bytes.Clone(body)); err != nil {
			t.Fatalf("mochi refuses %#x %x: %v", first, body, err)
		}
		if code := pk.PublishValidate(0); code != packets.CodeSuccess || !mqtt.IsValidFilter(pk.TopicName, true) {
			t.Fatalf("mochi refuses %#x %x: %v", first, body, code)
		}
		if m.topic != pk.TopicName || !bytes.Equal(m.payload, pk.Payload) || m.id != pk.PacketID || m.qos != pk.FixedHeader.Qos ||
			m.retain != pk.FixedHeader.Retain || m.duplicate != pk.FixedHeader.Dup {
			t.Errorf("parsePublish(%#x %x) = %+v, want %+v", first, body, m, pk)
		}
	})
}

// TestReadTakesMessagesOnly sends packets in pieces of each size: what is taken and what mochi reads are together what was sent.
func TestReadTakesMessagesOnly(t *testing.T) {
	long := strings.Repeat("x", 3*readBuffer)
	sent := []struct {
		packet []byte
		taken  bool
	}{
		{[]byte{0xc0, 0}, false}, // PINGREQ
		{publishRaw(0x32, 1, "a", "one"), true},
		{publishRaw(0x32, 2, "a", long), true},
		{publishRaw(0x34, 3, "a", "QoS 2"), false},
		{publishRaw(0x32, 4, "+", long), false},
		{publishRaw(0x30, 0, "a", ""), true},
		{subscribe311(5, "a", 1), false},
		{publishRaw(0x32, 6, "left", "to mochi"), false},
	}
	var stream, taken, left []byte
	for _, s := range sent {
		stream = append(stream, s.packet...)
		if s.taken {
			taken = append(taken, s.packet...)
		} else {
			left = append(left, s.packet...)
		}
	}
	for size := 1; size < 2*readBuffer; size += 7 {
		var gotTaken, gotLeft []byte
		end, other := net.Pipe()
		c := newConn(end, nil)
		c.client, c.station = &mqtt.Client{}, "a"
		go func() {
			defer other.Close()
			for piece := range slices.Chunk(stream, size) {
				_, _ = other.Write(piece)
			}
		}()
		for {
			header, length, err := c.fixedHeader()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			c.rest = len(header) + length
			if c.mayTake(header[0], length) {
				m, ok, err := c.publish(len(header))
				if err != nil {
					t.Fatal(err)
				}
				if ok && m.topic != "left" {
					c.back = nil
					gotTaken = append(gotTaken, publishRaw(0x30|m.qos<<1, m.id, m.topic, string(m.payload))...)
					continue
				}
			}
			packet := make([]byte, len(c.back)+c.rest)
			if _, err := io.ReadFull(iotest.OneByteReader(c), packet); err != nil {
				t.Fatal(err)
			}
			if c.back != nil {
				t.Fatalf("after mochi has read it, %d bytes of a packet are kept", cap(c.back))
			}
			gotLeft = append(gotLeft, packet...)
		}
		if !bytes.Equal(gotTaken, taken) || !bytes.Equal(gotLeft, left) {
			t.Fatalf("in pieces of %d bytes %x is taken and %x left to mochi, want %x and %x", size, gotTaken, gotLeft, taken, left)
		}
	}
}

// TestReadEndsWithThePacket reads more than the current packet has, which must not be tried for ever.
func TestReadEndsWithThePacket(t *testing.T) {
	end, other := net.Pipe()
	defer other.Close()
	c := newConn(end, nil)
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("Read() = %d, %v, want an error", n, err)
	}
}
