package broker

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// pingRequest and pingResponse are PINGREQ and its answer (MQTT 3.1.1, 3.12, 3.13).
var (
	pingRequest  = []byte{packets.Pingreq << 4, 0}
	pingResponse = []byte{packets.Pingresp << 4, 0}
)

// converse runs a connection until it ends. mochi panics on some malformed packets of MQTT 5, which must cost no more
// than the connection that sent them. mochi's own loop, EstablishConnection, keeps some 5 KB of packets on the stack while it
// waits for the next one, and a second goroutine for a queue that is not used here.
func (b *Broker) converse(c *conn) (err error) {
	cl := b.server.NewClient(c, "", "", false)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("malformed packet: %v", cause)
		}
		cl.Stop(err)
	}()
	for err = b.connect(c, cl); err == nil && c.ctx.Err() == nil && !cl.Closed(); {
		err = b.next(c, cl)
	}
	return err
}

// connect reads the first packet and logs the client in.
//
//go:noinline
func (b *Broker) connect(c *conn, cl *mqtt.Client) error {
	header, length, err := c.fixedHeader()
	switch {
	case err != nil:
		return err
	case length > maxConnect:
		return errLongConnect
	case header[0]>>4 != packets.Connect:
		return packets.ErrProtocolViolationRequireFirstConnect
	}
	c.rest = len(header) + length
	pk, err := read(cl)
	if err != nil {
		return err
	}
	pk.Connect.WillTopic = b.inside(pk.Connect.WillTopic)
	if !prepare(c, &pk) {
		return packets.ErrRejectPacket
	}
	cl.ParseConnect("", pk)
	code := pk.ConnectValidate()
	if code == packets.CodeSuccess {
		if code = b.logIn(cl, c, pk); code != packets.CodeSuccess {
			b.counts.logins.Add(1)
		}
	}
	if err := b.server.SendConnack(cl, code, false, nil); err != nil || code == packets.CodeSuccess {
		return err
	}
	return code
}

// next waits for a packet and processes it. While it waits, little is on the stack.
func (b *Broker) next(c *conn, cl *mqtt.Client) error {
	c.awaitPacket()
	header, length, err := c.fixedHeader()
	if err != nil {
		return err
	}
	if bytes.Equal(header, pingRequest) {
		return c.ping()
	}
	c.rest = len(header) + length
	if c.mayTake(header[0], length) {
		if taken, err := b.take(c, len(header)); taken || err != nil {
			return err
		}
	}
	return b.process(cl)
}

// take reads a message and hands it over; false for one that is left to mochi, which copies each packet several times, at
// 800 bytes.
//
//go:noinline
func (b *Broker) take(c *conn, header int) (taken bool, err error) {
	m, ok, err := c.publish(header)
	if err != nil || !ok {
		return false, err
	}
	if m.topic = b.inside(m.topic); strings.HasPrefix(m.topic, "$") {
		return false, nil
	}
	c.back = nil
	b.receive(c, m)
	return true, nil
}

// read has mochi read the current packet.
func read(cl *mqtt.Client) (packets.Packet, error) {
	var header packets.FixedHeader
	if err := cl.ReadFixedHeader(&header); err != nil {
		return packets.Packet{}, err
	}
	return cl.ReadPacket(&header)
}

// process has mochi process the current packet. A client of MQTT 5 is told of an error.
//
//go:noinline
func (b *Broker) process(cl *mqtt.Client) error {
	pk, err := read(cl)
	if err != nil {
		return err
	}
	err = b.server.InjectPacket(cl, pk)
	var code packets.Code
	if errors.As(err, &code) && cl.Properties.ProtocolVersion == 5 && code.Code >= packets.ErrUnspecifiedError.Code {
		_ = b.server.DisconnectClient(cl, code) // it returns code
	}
	return err
}

// ping answers a PINGREQ.
func (c *conn) ping() error {
	if !c.charge(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}) {
		return packets.ErrRejectPacket
	}
	_, err := c.in.Discard(len(pingRequest))
	if err == nil {
		_, err = c.Write(pingResponse)
	}
	return err
}
