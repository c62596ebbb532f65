package broker

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// raw is a connection to the broker on which a test writes bytes by hand.
type raw struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func rawConn(t *testing.T, d *door) *raw {
	t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &raw{t, c, bufio.NewReader(c)}
}

func (c *raw) send(packet []byte) {
	c.t.Helper()
	if _, err := c.Write(packet); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// read returns the next packet.
func (c *raw) read() []byte {
	c.t.Helper()
	head, err := c.in.ReadByte()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	n, err := binary.ReadUvarint(c.in)
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(c.in, body); err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return append(binary.AppendUvarint([]byte{head}, n), body...)
}

// want expects a packet.
func (c *raw) want(packet string) {
	c.t.Helper()
	if got := hex.EncodeToString(c.read()); got != packet {
		c.t.Errorf("got %s, want %s", got, packet)
	}
}

// wantClosed expects the connection to end without another packet.
func (c *raw) wantClosed() {
	c.t.Helper()
	if b, err := c.in.ReadByte(); err == nil {
		c.t.Errorf("got a packet that begins with %#x, want the end", b)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Error("the connection goes on, want the end")
	}
}

// wantNothing expects no packet within a moment.
func (c *raw) wantNothing() {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		c.t.Fatal(err)
	}
	if b, err := c.in.ReadByte(); err == nil {
		c.t.Errorf("got a packet that begins with %#x, want nothing yet", b)
	} else if !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("the connection ended: %v", err)
	}
}

// readPublish reads packets up to the next PUBLISH with QoS 0.
func (c *raw) readPublish() (topic, payload string) {
	c.t.Helper()
	for {
		packet := c.read()
		if packet[0]>>4 != 3 {
			continue
		}
		_, n := binary.Uvarint(packet[1:])
		body := packet[1+n:]
		length := int(binary.BigEndian.Uint16(body))
		return string(body[2 : 2+length]), string(body[2+length:])
	}
}

func text(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

// packet joins a first byte and a body.
func packet(first byte, body ...[]byte) []byte {
	var all []byte
	for _, b := range body {
		all = append(all, b...)
	}
	return append(binary.AppendUvarint([]byte{first}, uint64(len(all))), all...)
}

// connect311 is a CONNECT of MQTT 3.1.1 with a clean session; without a user it is anonymous.
func connect311(clientID, user, password string) []byte {
	if user == "" {
		return packet(0x10, text("MQTT"), []byte{4, 0x02, 0, 60}, text(clientID))
	}
	return packet(0x10, text("MQTT"), []byte{4, 0xC2, 0, 60}, text(clientID), text(user), text(password))
}

// connectWill is one with a last will with QoS 1, retained.
func connectWill(clientID, user, password, topic, payload string) []byte {
	return packet(0x10, text("MQTT"), []byte{4, 0xEE, 0, 60}, text(clientID), text(topic), text(payload), text(user), text(password))
}

func subscribe311(id uint16, filter string, qos byte) []byte {
	return packet(0x82, binary.BigEndian.AppendUint16(nil, id), text(filter), []byte{qos})
}
