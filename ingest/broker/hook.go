package broker

import (
	"slices"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"stadtluft/firmware-protocol/wire"
)

// hook is the broker's side towards mochi. Each method is called by the goroutine that reads from the client.
type hook struct {
	mqtt.HookBase
	b *Broker
}

func (h *hook) ID() string { return "stadtluft" }

func (h *hook) Provides(method byte) bool {
	switch method {
	case mqtt.OnPacketRead, mqtt.OnPacketEncode, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnSubscribed, mqtt.OnUnsubscribed:
		return true
	}
	return false
}

func connOf(cl *mqtt.Client) *conn { return cl.Net.Conn.(*conn) }

// OnPacketRead is called before a packet is processed. packets.ErrRejectPacket ends the connection.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := connOf(cl)
	if !c.charge(&pk) {
		return pk, packets.ErrRejectPacket
	}
	switch pk.FixedHeader.Type {
	case packets.Disconnect:
		if pk.ReasonCode != packets.CodeDisconnectWillMessage.Code {
			c.will = nil
		}
	case packets.Subscribe, packets.Unsubscribe:
		for i, sub := range pk.Filters {
			pk.Filters[i].Filter = h.b.inside(sub.Filter)
			c.rooted.Store(pk.Filters[i].Filter != sub.Filter)
		}
	case packets.Puback:
		c.subscriber.acknowledged()
	case packets.Publish:
		pk.TopicName = h.b.inside(pk.TopicName)
		if strings.HasPrefix(pk.TopicName, "$") {
			pk.TopicName = sysTopic + pk.TopicName // mochi would leave it without acknowledgement
		}
	}
	return pk, nil
}

// sysTopic is put before topics that begin with "$".
const sysTopic = "/"

// OnACLCheck decides about subscriptions. Publishes are decided later: here a client of MQTT 3 would lose its connection.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if write {
		return true
	}
	c := connOf(cl)
	if h.b.mayRead(c.station, topic) && cl.State.Subscriptions.Len() < maxSubscriptions {
		return true
	}
	h.b.deniedSubscription(c, topic)
	return false
}

// OnPublish hands a message over. What it returns keeps mochi from doing more with it; packets.ErrRejectPacket would too,
// but then mochi copies the packet for a line of its log, which is not written.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	h.b.receive(connOf(cl), received{pk.TopicName, pk.Payload, pk.PacketID, pk.FixedHeader.Qos, pk.FixedHeader.Retain, pk.FixedHeader.Dup})
	pk.Ignore, pk.FixedHeader.Qos, pk.FixedHeader.Retain = true, 0, false
	return pk, nil
}

// OnSubscribed starts the deliveries of what was granted.
func (h *hook) OnSubscribed(cl *mqtt.Client, pk packets.Packet, codes []byte) {
	c := connOf(cl)
	var granted []packets.Subscription
	for i, sub := range pk.Filters {
		if codes[i] <= packets.CodeGrantedQos2.Code {
			granted = slices.DeleteFunc(granted, func(other packets.Subscription) bool { return other.Filter == sub.Filter })
			granted = append(granted, sub)
		}
	}
	if len(granted) == 0 {
		return
	}
	if c.subscriber.unacknowledged == nil {
		most := maxUnacknowledged
		if own := int(cl.Properties.Props.ReceiveMaximum); own > 0 {
			most = min(most, own)
		}
		c.subscriber.unacknowledged = make(chan struct{}, most)
	}
	for _, sub := range granted {
		h.b.topics.subscribe(c, sub)
	}
}

// OnUnsubscribed ends deliveries.
func (h *hook) OnUnsubscribed(cl *mqtt.Client, pk packets.Packet) {
	for _, sub := range pk.Filters {
		h.b.topics.unsubscribe(connOf(cl), sub.Filter)
	}
}

// OnPacketEncode corrects what mochi answers.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	switch {
	case pk.FixedHeader.Type == packets.Publish && connOf(cl).rooted.Load():
		pk.TopicName = wire.WithRoot(h.b.options.Root, pk.TopicName)
	case pk.FixedHeader.Type == packets.Pubcomp: // no state is kept for QoS 2, so each release is of something completed
		pk.ReasonCode, pk.Properties.ReasonString = packets.CodeSuccess.Code, ""
	case pk.FixedHeader.Type != packets.Connack:
	case cl.Properties.ProtocolVersion == 5:
		pk.Properties.MaximumPacketSize = maxPacket
		pk.Properties.SharedSubAvailable, pk.Properties.SharedSubAvailableFlag = 0, true
	case pk.ReasonCode > packets.Err3NotAuthorized.Code: // mochi has no code of MQTT 3 for it
		pk.ReasonCode = packets.Err3ServerUnavailable.Code
	}
	return pk
}
