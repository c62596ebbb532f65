package mqtt

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"stadtluft/ingest"
)

// packed returns the bytes of packets.
func packed(t testing.TB, list ...packets.ControlPacket) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, p := range list {
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func message(topic string, qos byte, id uint16, payload string) *packets.PublishPacket {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.MessageID, p.Payload = topic, qos, id, []byte(payload)
	return p
}

// TestConnTakesMessages lets a connection read packets byte by byte and in one piece: what is taken and what is left must be as
// they were sent.
func TestConnTakesMessages(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 3*readAhead))
	ping, left := packets.NewControlPacket(packets.Pingresp), message("other", 1, 3, "left")
	retained := message("a/b", 1, 4, "")
	retained.Retain, retained.Dup = true, true
	sent := packed(t, message("a/b", 0, 0, "first"), ping, message("a/c", 1, 65535, long), left, message("a/d", 2, 5, "left"), retained)
	want := []publish{
		{topic: "a/b", payload: []byte("first")},
		{topic: "a/c", payload: []byte(long), id: 65535, qos: 1},
		{topic: "a/b", payload: []byte{}, id: 4, qos: 1, retained: true, duplicate: true},
	}
	for name, reader := range map[string]io.Reader{"whole": bytes.NewReader(sent), "bytes": iotest.OneByteReader(bytes.NewReader(sent))} {
		var taken []publish
		c := &conn{in: bufio.NewReader(reader), take: func(_ acknowledger, m publish) bool {
			if m.topic == "other" {
				return false
			}
			taken = append(taken, m)
			return true
		}}
		rest, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(taken, want, func(a, b publish) bool {
			same := bytes.Equal(a.payload, b.payload)
			a.payload, b.payload = nil, nil
			return same && a.topic == b.topic && a.id == b.id && a.qos == b.qos && a.retained == b.retained && a.duplicate == b.duplicate
		}) {
			t.Errorf("%s: taken %d messages, want %d as sent", name, len(taken), len(want))
		}
		if want := packed(t, ping, left, message("a/d", 2, 5, "left")); !bytes.Equal(rest, want) {
			t.Errorf("%s: left %q, want %q", name, rest, want)
		}
	}
}

// TestConnAcknowledges expects acknowledgements in order, whole, and before a packet of paho's.
func TestConnAcknowledges(t *testing.T) {
	ours, theirs := net.Pipe()
	c := &conn{Conn: ours}
	for id := range uint16(100) {
		c.acknowledge(publish{id: id, qos: 1})
		c.acknowledge(publish{id: id})
	}
	go func() {
		if _, err := c.Write(packed(t, packets.NewControlPacket(packets.Disconnect))); err != nil {
			t.Errorf("Write() = %v", err)
		}
		ours.Close()
	}()
	var want []packets.ControlPacket
	for id := range uint16(100) {
		ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
		ack.MessageID = id
		want = append(want, ack)
	}
	want = append(want, packets.NewControlPacket(packets.Disconnect))
	if got, _ := io.ReadAll(theirs); !bytes.Equal(got, packed(t, want...)) {
		t.Errorf("sent %x", got)
	}
	c.acknowledge(publish{id: 1, qos: 1}) // has no effect
}

// TestQoS2 has a broker send a message with QoS 2, as some do when an older subscription in the session has it: it is received, and
// acknowledged only when it is done.
func TestQoS2(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := make(chan packets.ControlPacket, 10)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		for {
			p, err := packets.ReadPacket(nc)
			if err != nil {
				return
			}
			switch p := p.(type) {
			case *packets.ConnectPacket:
				err = packets.NewControlPacket(packets.Connack).Write(nc)
			case *packets.SubscribePacket:
				ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
				ack.MessageID, ack.ReturnCodes = p.MessageID, p.Qoss
				_, err = nc.Write(packed(t, ack, message("stadtluft/v1/AAA/reading", 2, 7, "wanted"), message("other", 2, 8, "")))
			default:
				answers <- p
			}
			if err != nil {
				return
			}
		}
	}()
	in := make(chan ingest.Message)
	s, _ := run(t, &testBroker{url: "tcp://" + l.Addr().String()}, 0, in)
	acknowledged := func(want uint16) {
		t.Helper()
		select {
		case p := <-answers:
			if got, ok := p.(*packets.PubrecPacket); !ok || got.MessageID != want {
				t.Fatalf("answer %v, want PUBREC %d", p, want)
			}
		case <-time.After(patience):
			t.Fatalf("no PUBREC %d", want)
		}
	}
	acknowledged(8)
	select {
	case m := <-in:
		if string(m.Payload) != "wanted" {
			t.Errorf("received %q", m.Payload)
		}
		m.Done(ingest.Outcome{})
	case <-time.After(patience):
		t.Fatal("not received")
	}
	acknowledged(7)
	if got := s.Counts(); got.Received != 1 || got.Unexpected != 1 || got.Held != 0 {
		t.Errorf("Counts() = %+v", got)
	}
}

// TestHugeMessage takes a message that is larger than everything that may be held, after a small one: the pipeline refuses it. Left at
// the broker it would come first on each further connection, and nothing after it.
func TestHugeMessage(t *testing.T) {
	s, err := New(Options{Broker: "tcp://127.0.0.1", ClientID: "x", Out: make(chan ingest.Message), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	c := &session{s: s, lost: make(chan error, 1)}
	for _, size := range []int{1, heldBytes + 1, 1} {
		c.take(nil, publish{topic: "stadtluft/v1/AAA/reading", payload: make([]byte, size)})
	}
	if got := s.Counts(); got.Received != 2 || got.Overflows != 1 {
		t.Errorf("Counts() = %+v, want the first two received", got)
	}
}

// FuzzParsePublish holds the parser against paho's.
func FuzzParsePublish(f *testing.F) {
	f.Add(packed(f, message("stadtluft/v1/A/reading", 1, 7, `{"pm10":1}`)))
	f.Add(packed(f, message("t", 0, 0, "")))
	f.Add([]byte{0x32, 3, 0, 9, 'a'})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &conn{in: bufio.NewReader(bytes.NewReader(data))}
		packet, header, err := c.next()
		if err != nil {
			return
		}
		got, ok := parsePublish(packet, header)
		if !ok {
			return
		}
		want, err := packets.ReadPacket(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%x is %+v; paho: %v", packet, got, err)
		}
		p := want.(*packets.PublishPacket)
		if got.topic != p.TopicName || got.id != p.MessageID || !bytes.Equal(got.payload, p.Payload) || got.qos != p.Qos || got.retained != p.Retain || got.duplicate != p.Dup {
			t.Errorf("%x is %+v, want %+v", packet, got, p)
		}
	})
}
