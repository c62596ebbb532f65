package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// willTime bounds how long a last will waits for the pipeline.
const willTime = 10 * time.Second

// bridgeState begins the topics on which a Mosquitto bridge tells every broker of its connections.
const bridgeState = sysTopic + "$SYS/broker/connection/"

// received is what is needed of a client's PUBLISH while it waits for the journal: a packets.Packet takes 800 bytes.
type received struct {
	topic             string
	payload           []byte
	id                uint16 // 0 with QoS 0
	qos               byte
	retain, duplicate bool
}

// receive hands a station's message to the pipeline, which acknowledges it. It blocks, and with it the reading from this
// connection, while the station is too fast or too much waits for the journal. When the connection ends meanwhile, the
// message is dropped without acknowledgement; its sender has it still.
func (b *Broker) receive(c *conn, m received) {
	switch {
	case strings.HasPrefix(m.topic, bridgeState):
		c.acknowledge(m, packets.CodeSuccess.Code, "")
		return
	case c.station == "":
		b.counts.denied.Add(1)
		c.acknowledge(m, packets.ErrNotAuthorized.Code, "log in as a station to publish")
		return
	}
	if !b.slowDown(c) {
		return
	}
	select {
	case c.window <- struct{}{}:
	case <-c.ctx.Done():
		return
	}
	if !b.hand(c.ctx, c, m, (*conn).answer) {
		<-c.window
	}
}

// answer acknowledges a message with its outcome, and makes room for the next.
func (c *conn) answer(m received, o ingest.Outcome) {
	code, sentence := reason(o)
	c.acknowledge(m, code, sentence)
	<-c.window
}

// receiveWill hands over the last will of a connection that has ended, as if the station had just published it.
func (b *Broker) receiveWill(c *conn) {
	ctx, cancel := context.WithTimeout(context.Background(), willTime)
	defer cancel()
	b.hand(ctx, c, *c.will, func(*conn, received, ingest.Outcome) {})
}

// hand passes a message to the pipeline and calls done with its outcome; false when ctx ended before.
func (b *Broker) hand(ctx context.Context, c *conn, m received, done func(*conn, received, ingest.Outcome)) bool {
	if b.held.Acquire(ctx, m.cost()) != nil {
		return false
	}
	b.waiting.Add(1)
	message := ingest.Message{Topic: m.topic, Payload: m.payload, From: c.station, Received: time.Now().UTC(), Redelivered: m.duplicate}
	message.Done = func(o ingest.Outcome) {
		done(c, m, o)
		b.release(m)
		if m.retain && m.topic == wire.StatusTopic(c.station) && len(o.Refusals) == 0 {
			b.Publish(m.topic, true, m.payload)
		}
	}
	select {
	case b.options.Out <- message:
		return true
	case <-ctx.Done():
		b.release(m)
		return false
	}
}

// cost returns how much of maxHeld a message takes. Its topic is in memory twice: the payload is a part of the packet.
func (m received) cost() int64 { return int64(2*len(m.topic)+len(m.payload)) + messageCost }

func (b *Broker) release(m received) {
	b.held.Release(m.cost())
	b.waiting.Add(-1)
}

// slowDown waits while the station sends too fast; false when the connection ended meanwhile. A wait that is given up
// counts for nothing, else a station that connects again and again would wait for longer each time.
func (b *Broker) slowDown(c *conn) bool {
	if b.options.Rates == nil {
		return true
	}
	for first := true; ; first = false {
		wait := b.options.Rates.Try(c.station)
		if wait == 0 {
			return true
		}
		if first {
			b.slowed(c)
		}
		if !c.sleep(wait) {
			return false
		}
	}
}

// slowed counts a message that waits, and tells the owner from time to time.
func (b *Broker) slowed(c *conn) {
	b.counts.slowed.Add(1)
	if b.limits.notices.Try(c.station) == 0 {
		b.notify(c, wire.TooFast, fmt.Sprintf("more than %d messages at once, or %g a second for long: they are taken more slowly, none is lost", b.options.Rates.Burst, b.options.Rates.Sustained))
	}
}

// acknowledge answers a PUBLISH with QoS 1 or 2. Clients before MQTT 5 learn neither code nor sentence.
func (c *conn) acknowledge(m received, code byte, sentence string) {
	kind := packets.Puback
	switch m.qos {
	case 0:
		return
	case 2:
		kind = packets.Pubrec
	}
	if c.client.Properties.ProtocolVersion < 5 {
		_, _ = c.Write([]byte{kind << 4, 2, byte(m.id >> 8), byte(m.id)}) // a lost one is resent
		return
	}
	ack := packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: m.id, ReasonCode: code}
	ack.Properties.ReasonString = sentence
	if err := c.client.WritePacket(ack); errors.Is(err, packets.ErrPacketTooLarge) { // by some bytes, which mochi leaves out when it measures the sentence
		ack.Properties.ReasonString = ""
		_ = c.client.WritePacket(ack)
	}
}

// reason returns MQTT 5's reason code of an outcome, and the sentence of its first refusal. A message of which something
// was taken is a success.
func reason(o ingest.Outcome) (code byte, sentence string) {
	if len(o.Refusals) == 0 {
		return packets.CodeSuccess.Code, ""
	}
	first := o.Refusals[0]
	sentence = string(first.Reason) + ": " + first.Detail
	if len(o.Readings) > 0 || o.Duplicates > 0 {
		return packets.CodeSuccess.Code, sentence
	}
	switch first.Reason {
	case wire.BadTopic:
		return packets.ErrTopicNameInvalid.Code, sentence
	case wire.Forbidden, wire.UnknownStation, wire.Inactive:
		return packets.ErrNotAuthorized.Code, sentence
	}
	return packets.ErrPayloadFormatInvalid.Code, sentence
}

// deniedSubscription counts and reports a subscription that is not granted.
func (b *Broker) deniedSubscription(c *conn, filter string) {
	b.counts.denied.Add(1)
	b.notify(c, wire.Forbidden, fmt.Sprintf("subscribing to %.200q is not allowed: a station reads its own feedback and status, and averages", filter))
}

// report tells the owner of a station why its connection ended, where that is worth knowing.
func (b *Broker) report(c *conn, err error) {
	if errors.Is(err, packets.ErrPacketTooLarge) {
		b.notify(c, wire.TooLarge, fmt.Sprintf("a message of more than %d bytes, at most %d are taken; the connection was closed", maxPacket, wire.MaxMessage))
	}
}

// notify tells a station's owner, of each reason only some times a minute: what is told is written to the journal.
func (b *Broker) notify(c *conn, reason wire.Reason, detail string) {
	if c.station != "" && b.options.Notify != nil && b.limits.told.Try(c.station+" "+string(reason)) == 0 {
		b.options.Notify(c.station, reason, detail)
	}
}
