package broker

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"

	"stadtluft/firmware-protocol/wire"
)

const (
	// maxSubscriptions bounds the subscriptions of one connection.
	maxSubscriptions = 32
	// maxUnacknowledged bounds the messages with QoS 1 that a subscriber has not acknowledged; further ones wait.
	maxUnacknowledged = 20
)

// topics holds retained messages and delivers messages to subscribers. Deliveries wait for their subscriber, newest
// message of each topic only, so that a slow one costs at most one message per topic.
type topics struct {
	mu       sync.Mutex // guards what follows, and subscriptions and pending of every subscriber
	retained map[string][]byte
	public   map[*conn]struct{}            // connections that have subscribed to averages
	own      map[string]map[*conn]struct{} // and those that have to their own station's topics, by station
}

func newTopics() topics {
	return topics{retained: map[string][]byte{}, public: map[*conn]struct{}{}, own: map[string]map[*conn]struct{}{}}
}

// subscriber is a connection's side of topics.
type subscriber struct {
	subscriptions []packets.Subscription
	pending       map[string]delivery
	order         []string // of the topics in pending
	delivering    bool

	unacknowledged chan struct{} // one element per QoS 1 message that the client has not acknowledged
	lastID         uint16        // of those messages
}

// delivery is a message on its way to a subscriber.
type delivery struct {
	payload  []byte
	retained bool // it was retained when the subscription was made
}

// stationOf returns the station whose own topic a topic or filter is; empty when it is of averages.
func stationOf(topic string) string {
	if t, ok := wire.ParseTopic(topic); ok {
		return t.Station
	}
	return ""
}

// publish retains a message and queues it for those who have subscribed to its topic. An empty payload ends the
// retention.
func (t *topics) publish(topic string, retain bool, payload []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case retain && len(payload) == 0:
		delete(t.retained, topic)
	case retain:
		t.retained[topic] = payload
	}
	readers := t.public
	if station := stationOf(topic); station != "" {
		readers = t.own[station]
	}
	for c := range readers {
		if c.subscriber.wants(topic) {
			t.queue(c, topic, delivery{payload: payload})
		}
	}
}

// subscribe adds a subscription that was granted, and queues retained messages as it asks for them (MQTT 5, 3.8.3.1).
func (t *topics) subscribe(c *conn, sub packets.Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &c.subscriber
	known := s.remove(sub.Filter)
	s.subscriptions = append(s.subscriptions, sub)
	t.register(c, sub.Filter)
	if sub.RetainHandling == 2 || sub.RetainHandling == 1 && known {
		return
	}
	if !strings.ContainsAny(sub.Filter, "+#") {
		if payload, ok := t.retained[sub.Filter]; ok {
			t.queue(c, sub.Filter, delivery{payload, true})
		}
		return
	}
	for topic, payload := range t.retained {
		if wire.Matches(sub.Filter, topic) {
			t.queue(c, topic, delivery{payload, true})
		}
	}
}

// register lists a connection among those that get messages for a filter. It needs mu.
func (t *topics) register(c *conn, filter string) {
	if stationOf(filter) == "" {
		t.public[c] = struct{}{}
		return
	}
	if t.own[c.station] == nil {
		t.own[c.station] = map[*conn]struct{}{}
	}
	t.own[c.station][c] = struct{}{}
}

// unsubscribe removes a subscription.
func (t *topics) unsubscribe(c *conn, filter string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.subscriber.remove(filter)
}

// leave removes all subscriptions of a connection.
func (t *topics) leave(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.public, c)
	if own := t.own[c.station]; own != nil {
		delete(own, c)
		if len(own) == 0 {
			delete(t.own, c.station)
		}
	}
	c.subscriber.subscriptions, c.subscriber.pending, c.subscriber.order = nil, nil, nil
}

// queue adds a delivery, in place of one of the same topic that waits. It needs mu.
func (t *topics) queue(c *conn, topic string, d delivery) {
	s := &c.subscriber
	if s.pending == nil {
		s.pending = map[string]delivery{}
	}
	if _, waits := s.pending[topic]; !waits {
		s.order = append(s.order, topic)
	}
	s.pending[topic] = d
	if !s.delivering {
		s.delivering = true
		go t.deliver(c)
	}
}

// deliver sends what waits for a subscriber, at the subscriber's pace.
func (t *topics) deliver(c *conn) {
	for c.pace() {
		packet, ok := t.next(c)
		if !ok {
			return
		}
		if packet.FixedHeader.Qos > 0 {
			select {
			case c.subscriber.unacknowledged <- struct{}{}:
			case <-c.ctx.Done():
			}
		}
		switch err := c.client.WritePacket(packet); {
		case errors.Is(err, packets.ErrPacketTooLarge): // for this client of MQTT 5, which will not acknowledge it
			if packet.FixedHeader.Qos > 0 {
				c.subscriber.acknowledged()
			}
		case err != nil: // the connection has ended, which pace sees
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c.subscriber.delivering, c.subscriber.pending, c.subscriber.order = false, nil, nil
}

// next takes the next delivery of a subscriber; false when there is none.
func (t *topics) next(c *conn) (packets.Packet, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &c.subscriber
	for len(s.order) > 0 {
		topic := s.order[0]
		s.order = s.order[1:]
		d := s.pending[topic]
		delete(s.pending, topic)
		if packet, wanted := s.packet(topic, d); wanted {
			return packet, true
		}
	}
	s.delivering, s.pending, s.order = false, nil, nil
	return packets.Packet{}, false
}

// packet returns a delivery as a packet, with the highest QoS of the matching subscriptions, at most 1, and their
// identifiers; false when there is none any more.
func (s *subscriber) packet(topic string, d delivery) (p packets.Packet, wanted bool) {
	p = packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: d.retained}, TopicName: topic, Payload: d.payload}
	for _, sub := range s.subscriptions {
		if !wire.Matches(sub.Filter, topic) {
			continue
		}
		wanted = true
		p.FixedHeader.Qos = max(p.FixedHeader.Qos, min(sub.Qos, 1))
		if sub.Identifier > 0 {
			p.Properties.SubscriptionIdentifier = append(p.Properties.SubscriptionIdentifier, sub.Identifier)
		}
	}
	if p.FixedHeader.Qos > 0 {
		if s.lastID++; s.lastID == 0 {
			s.lastID = 1
		}
		p.PacketID = s.lastID
	}
	return p, wanted
}

// acknowledged makes room for another message with QoS 1.
func (s *subscriber) acknowledged() {
	select {
	case <-s.unacknowledged:
	default: // the client acknowledges what it did not get
	}
}

// wants reports whether a subscription matches a topic. It needs topics.mu.
func (s *subscriber) wants(topic string) bool {
	return slices.ContainsFunc(s.subscriptions, func(sub packets.Subscription) bool { return wire.Matches(sub.Filter, topic) })
}

// remove removes a subscription and reports whether there was one. It needs topics.mu.
func (s *subscriber) remove(filter string) bool {
	before := len(s.subscriptions)
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(sub packets.Subscription) bool { return sub.Filter == filter })
	return len(s.subscriptions) < before
}
