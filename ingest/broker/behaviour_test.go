package broker

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// The packets of the cases below, by hand (MQTT 3.1.1, 3; MQTT 5, 3).
func bytesOf(b ...byte) []byte  { return b }
func number(n uint16) []byte    { return binary.BigEndian.AppendUint16(nil, n) }
func join(all ...[]byte) []byte { return bytes.Join(all, nil) }

// hello is the CONNECT of station AAA in a version.
func hello(version byte) []byte {
	name, properties := "MQTT", []byte(nil)
	switch version {
	case 3:
		name = "MQIsdp"
	case 5:
		properties = []byte{0}
	}
	return packet(0x10, text(name), bytesOf(version, 0xC2, 0, 60), properties, text("id"), text("AAA"), text("token-AAA"))
}

func publishRaw(first byte, id uint16, topic, payload string) []byte {
	body := [][]byte{text(topic)}
	if first&0x06 != 0 {
		body = append(body, number(id))
	}
	return packet(first, append(body, []byte(payload))...)
}

const reading = "stadtluft/v1/AAA/reading"

var (
	ping       = []byte{0xC0, 0}
	disconnect = []byte{0xE0, 0}
)

const (
	accepted = "20020000"
	pong     = "d000"
)

// behaviour is what a client sends, step by step, and what it gets for each step: packets as hexadecimal digits, "closed", or
// nothing.
type behaviour struct {
	name  string
	steps []step
}

type step struct {
	send []byte
	want string // packets with spaces between
}

// TestBehaviourOnTheLine plays clients that keep to the standard and others that do not.
func TestBehaviourOnTheLine(t *testing.T) {
	in := step{hello(4), accepted}
	in5 := step{hello(5), ""} // its CONNACK is looked at elsewhere
	anyone := step{connect311("board", "", ""), accepted}
	alive := step{ping, pong}
	closed := func(send []byte) step { return step{send, "closed"} }
	list := []behaviour{
		// CONNECT
		{"3.1.1", []step{in, alive}},
		{"3.1", []step{{hello(3), accepted}, alive}},
		{"a bridge's version", []step{{packet(0x10, text("MQTT"), bytesOf(0x84, 0xC2, 0, 60), text("b"), text("AAA"), text("token-AAA")), accepted}, alive}},
		{"a bridge's version 3.1", []step{{packet(0x10, text("MQIsdp"), bytesOf(0x83, 0xC2, 0, 60), text("b"), text("AAA"), text("token-AAA")), accepted}, alive}},
		{"version 6", []step{{packet(0x10, text("MQTT"), bytesOf(6, 0x02, 0, 60), text("x")), "2003008400 closed"}}},
		{"version 2", []step{{packet(0x10, text("MQTT"), bytesOf(2, 0x02, 0, 60), text("x")), "20020001 closed"}}},
		{"name and version of different versions", []step{{packet(0x10, text("MQTT"), bytesOf(3, 0x02, 0, 60), text("x")), "20020001 closed"}}},
		{"another protocol's name", []step{{packet(0x10, text("HTTP"), bytesOf(4, 0x02, 0, 60), text("x")), "20020001 closed"}}},
		{"HTTP", []step{closed([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))}},
		{"TLS on the plain port", []step{closed([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))}},
		{"PUBLISH first", []step{closed(publishRaw(0x30, 0, reading, "x"))}},
		{"PINGREQ first", []step{closed(ping)}},
		{"reserved bits in the first byte", []step{closed(packet(0x11, text("MQTT"), bytesOf(4, 0x02, 0, 60), text("x")))}},
		{"a second CONNECT", []step{in, closed(hello(4))}},
		{"no client id, clean", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0x02, 0, 60), text("")), accepted}, alive}},
		{"no client id, not clean", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0x00, 0, 60), text("")), "20020002 closed"}}},
		{"not clean", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0xC0, 0, 60), text("id"), text("AAA"), text("token-AAA")), accepted}, alive}},
		{"a client id of everything", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0x02, 0, 60), text("a.b c*>+#/ü\t"+strings.Repeat("x", 300))), accepted}, alive}},
		{"a client id that is no UTF-8", []step{closed(packet(0x10, text("MQTT"), bytesOf(4, 0x02, 0, 60), text("\xff\xfe")))}},
		{"a client id with a zero", []step{closed(packet(0x10, text("MQTT"), bytesOf(4, 0x02, 0, 60), text("a\x00b")))}},
		{"the reserved bit of the flags", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0x03, 0, 60), text("x")), "20020003 closed"}}},
		{"a wrong token", []step{{connect311("x", "AAA", "wrong"), "20020005 closed"}}},
		{"an unknown station", []step{{connect311("x", "ZZZ", "x"), "20020005 closed"}}},
		{"a station without a password", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0x82, 0, 60), text("x"), text("AAA")), "20020005 closed"}}},
		{"an empty password", []step{{connect311("x", "AAA", ""), "20020005 closed"}}},
		{"an empty user", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0xC2, 0, 60), text("x"), text(""), text("")), accepted}, alive}},
		{"a password announced and missing", []step{closed(packet(0x10, text("MQTT"), bytesOf(4, 0xC2, 0, 60), text("x"), text("AAA")))}},
		{"a will with QoS 3", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0x1E, 0, 60), text("x"), text("t"), text("p")), "20020003 closed"}}},
		{"a will without a payload", []step{{packet(0x10, text("MQTT"), bytesOf(4, 0xCE, 0, 60), text("x"), text(reading), text(""), text("AAA"), text("token-AAA")), accepted}, alive}},
		{"a CONNECT in two parts", []step{{hello(4)[:7], ""}, {hello(4)[7:], accepted}, alive}},
		{"a CONNECT and more in one piece", []step{{join(hello(4), ping, ping), accepted + " " + pong + " " + pong}}},
		{"a CONNECT that is too long", []step{closed([]byte{0x10, 0xff, 0xff, 0x7f})}},
		{"a length of five bytes", []step{closed([]byte{0x10, 0xff, 0xff, 0xff, 0xff, 0x01})}},
		{"a CONNECT cut short", []step{closed(packet(0x10, text("MQTT"), bytesOf(4, 0x02)))}},

		// PUBLISH
		{"QoS 0", []step{in, {publishRaw(0x30, 0, reading, "x"), ""}, alive}},
		{"QoS 1", []step{in, {publishRaw(0x32, 7, reading, "x"), "40020007"}, alive}},
		{"QoS 1 with the greatest id", []step{in, {publishRaw(0x32, 65535, reading, "x"), "4002ffff"}}},
		{"QoS 1, again", []step{in, {publishRaw(0x32, 7, reading, "x"), "40020007"}, {publishRaw(0x3A, 7, reading, "x"), "40020007"}}},
		{"QoS 1, the same id without the mark", []step{in, {join(publishRaw(0x32, 7, reading, "x"), publishRaw(0x32, 7, reading, "y")), "40020007 40020007"}}},
		{"QoS 1 without an id", []step{in, closed(publishRaw(0x32, 0, reading, "x"))}},
		{"QoS 2", []step{in, {publishRaw(0x34, 7, reading, "x"), "50020007"}, {[]byte{0x62, 2, 0, 7}, "70020007"}, alive}},
		{"QoS 2, again before the release", []step{in, {publishRaw(0x34, 7, reading, "x"), "50020007"}, {publishRaw(0x3C, 7, reading, "x"), "50020007"}, {[]byte{0x62, 2, 0, 7}, "70020007"}}},
		{"QoS 2, released twice", []step{in, {publishRaw(0x34, 7, reading, "x"), "50020007"}, {[]byte{0x62, 2, 0, 7}, "70020007"}, {[]byte{0x62, 2, 0, 7}, "70020007"}}},
		{"a release of nothing", []step{in, {[]byte{0x62, 2, 0, 9}, "70020009"}, alive}},
		{"a release with wrong bits", []step{in, closed([]byte{0x60, 2, 0, 9})}},
		{"QoS 3", []step{in, closed(publishRaw(0x36, 7, reading, "x"))}},
		{"a mark without QoS", []step{in, closed(publishRaw(0x38, 0, reading, "x"))}},
		{"retained readings", []step{in, {publishRaw(0x33, 7, reading, "x"), "40020007"}}},
		{"an empty payload", []step{in, {publishRaw(0x32, 7, reading, ""), "40020007"}}},
		{"a topic with a space", []step{in, {publishRaw(0x32, 7, "living room/x", "x"), "40020007"}, alive}},
		{"a topic with a tab and a line break", []step{in, {publishRaw(0x32, 7, "a\tb\nc", "x"), "40020007"}, alive}},
		{"a topic of dots and stars", []step{in, {publishRaw(0x32, 7, "a.b.*.>", "x"), "40020007"}, alive}},
		{"an empty level", []step{in, {publishRaw(0x32, 7, "//", "x"), "40020007"}, alive}},
		{"a long topic", []step{in, {publishRaw(0x32, 7, strings.Repeat("x", 60000), "x"), "40020007"}, alive}},
		{"a topic that begins with $", []step{in, {publishRaw(0x32, 7, "$SYS/x", "x"), "40020007"}, {publishRaw(0x32, 8, "$other", "x"), "40020008"}, alive}},
		{"a bridge's state", []step{in, {publishRaw(0x33, 7, "$SYS/broker/connection/b/state", "1"), "40020007"}, alive}},
		{"a wildcard in a topic", []step{in, closed(publishRaw(0x32, 7, "a/+/b", "x"))}},
		{"a wildcard at the end of a topic", []step{in, closed(publishRaw(0x32, 7, "a/#", "x"))}},
		{"an empty topic", []step{in, closed(publishRaw(0x32, 7, "", "x"))}},
		{"a topic that is no UTF-8", []step{in, closed(publishRaw(0x32, 7, "\xc3\x28", "x"))}},
		{"a topic with a zero", []step{in, closed(publishRaw(0x32, 7, "a\x00", "x"))}},
		{"a topic with a surrogate", []step{in, closed(publishRaw(0x32, 7, "\xed\xa0\x80", "x"))}},
		{"a topic longer than its packet", []step{in, closed([]byte{0x32, 4, 0, 9, 'a', 'b'})}},
		{"another station's topic", []step{in, {publishRaw(0x32, 7, "stadtluft/v1/BBB/reading", "x"), "40020007"}, alive}},
		{"an average", []step{in, {publishRaw(0x33, 7, "stadtluft/v1/city/pm10", "x"), "40020007"}, alive}},
		{"without a log-in", []step{anyone, {publishRaw(0x32, 7, reading, "x"), "40020007"}, {publishRaw(0x34, 8, reading, "x"), "50020008"}, alive}},
		{"many in one piece", []step{in, {join(publishRaw(0x32, 1, reading, "x"), publishRaw(0x34, 2, reading, "x"), publishRaw(0x32, 3, "no", "x")), "40020001 50020002 40020003"}, alive}},
		{"byte by byte", []step{in, {publishRaw(0x32, 7, reading, "x")[:1], ""}, {publishRaw(0x32, 7, reading, "x")[1:2], ""}, {publishRaw(0x32, 7, reading, "x")[2:], "40020007"}}},
		{"more than a packet may have", []step{in, closed([]byte{0x32, 0x81, 0x80, 0x08})}},
		{"an acknowledgement of nothing", []step{in, {[]byte{0x40, 2, 0, 9}, ""}, alive}},

		// SUBSCRIBE
		{"averages", []step{anyone, {subscribe311(1, "stadtluft/v1/city/#", 0), "9003000100"}, alive}},
		{"averages with QoS 1", []step{anyone, {subscribe311(1, "stadtluft/v1/grid/+/pm10", 1), "9003000101"}}},
		{"averages with QoS 2", []step{anyone, {subscribe311(1, "stadtluft/v1/city/pm10", 2), "9003000102"}}},
		{"QoS 3 asked for", []step{anyone, closed(subscribe311(1, "stadtluft/v1/city/#", 3))}},
		{"everything", []step{in, {subscribe311(1, "#", 0), "9003000180"}, alive}},
		{"everything of the system", []step{in, {subscribe311(1, "$SYS/#", 0), "9003000180"}, alive}},
		{"one's feedback and status", []step{in, {packet(0x82, number(1), text("stadtluft/v1/AAA/feedback"), bytesOf(1), text("stadtluft/v1/AAA/status"), bytesOf(0)), "900400010100"}}},
		{"another's feedback", []step{in, {subscribe311(1, "stadtluft/v1/BBB/feedback", 0), "9003000180"}}},
		{"one's readings", []step{in, {subscribe311(1, reading, 0), "9003000180"}}},
		{"everyone's status", []step{in, {subscribe311(1, "stadtluft/v1/+/status", 0), "9003000180"}}},
		{"a shared subscription", []step{anyone, {subscribe311(1, "$share/g/stadtluft/v1/city/#", 0), "9003000180"}}},
		{"a plus after letters", []step{anyone, {subscribe311(1, "stadtluft/v1/city/a+", 0), "9003000180"}, alive}},
		{"a hash in the middle", []step{anyone, {subscribe311(1, "stadtluft/v1/city/#/x", 0), "9003000180"}, alive}},
		{"an empty filter", []step{anyone, {subscribe311(1, "", 0), "9003000180"}, alive}},
		{"a filter that is no UTF-8", []step{anyone, closed(subscribe311(1, "\xff", 0))}},
		{"no filter", []step{anyone, closed(packet(0x82, number(1)))}},
		{"no id", []step{anyone, closed(subscribe311(0, "stadtluft/v1/city/#", 0))}},
		{"wrong bits", []step{anyone, closed(packet(0x80, number(1), text("stadtluft/v1/city/#"), bytesOf(0)))}},
		{"twice the same", []step{anyone, {subscribe311(1, "stadtluft/v1/city/#", 0), "9003000100"}, {subscribe311(2, "stadtluft/v1/city/#", 1), "9003000201"}}},
		{"too many", []step{anyone, {packet(0x82, number(1), manyFilters(maxSubscriptions+1)), "9023" + "0001" + strings.Repeat("00", maxSubscriptions) + "80"}, alive}},
		{"UNSUBSCRIBE", []step{anyone, {subscribe311(1, "stadtluft/v1/city/#", 0), "9003000100"}, {packet(0xA2, number(2), text("stadtluft/v1/city/#")), "b0020002"}, alive}},
		{"UNSUBSCRIBE of nothing", []step{anyone, {packet(0xA2, number(2), text("x")), "b0020002"}, alive}},
		{"UNSUBSCRIBE without a filter", []step{anyone, closed(packet(0xA2, number(2)))}},

		// the rest
		{"DISCONNECT", []step{in, closed(disconnect)}},
		{"DISCONNECT with wrong bits", []step{in, closed([]byte{0xE1, 0})}},
		{"a packet of no kind", []step{in, closed([]byte{0x00, 0})}},
		{"PINGREQ with wrong bits", []step{in, closed([]byte{0xC1, 0})}},
		{"PINGREQ with a length of two bytes", []step{in, {[]byte{0xC0, 0x80, 0}, pong}, alive}},
		{"a length of more bytes than a packet's may have", []step{anyone, closed(join([]byte{0xC0, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, []byte{0x82, 0xff, 0x7f}, make([]byte, mochiBuffer-10), []byte{0x82, 2, 0, 1}))}},
		{"a server's packet", []step{in, closed([]byte{0x20, 2, 0, 0})}},
		{"AUTH before MQTT 5", []step{in, closed([]byte{0xF0, 0})}},

		// MQTT 5
		{"5: QoS 1", []step{in5, {packet(0x32, text(reading), number(7), bytesOf(0), []byte("x")), "40020007"}, alive}},
		{"5: QoS 2", []step{in5, {packet(0x34, text(reading), number(7), bytesOf(0), []byte("x")), "50020007"}, {[]byte{0x62, 2, 0, 7}, "70020007"}}},
		{"5: a topic alias that was not offered", []step{in5, {packet(0x32, text(reading), number(7), bytesOf(3, 0x23, 0, 1), []byte("x")), "e0 closed"}}},
		{"5: a SUBSCRIBE that breaks off", []step{in5, closed(packet(0x82, number(1), bytesOf(0), text("stadtluft/v1/city/#")))}},
		{"5: a subscription that is refused", []step{in5, {packet(0x82, number(1), bytesOf(0), text("#"), bytesOf(0)), "90040001" + "0087"}, alive}},
		{"5: a method of authentication", []step{{packet(0x10, text("MQTT"), bytesOf(5, 0x02, 0, 60), bytesOf(4, 0x15, 0, 1, 'x'), text("x")), "20"}}},
		{"5: a DISCONNECT with a reason", []step{in5, closed([]byte{0xE0, 1, 0x04})}},
	}
	d := openDoor(t)
	d.accept(t)
	for _, b := range list {
		t.Run(b.name, func(t *testing.T) { b.play(t, d) })
	}
	if stations, all := d.Connected(); all > 0 {
		until(t, "the connections to be forgotten", func() bool { stations, all = d.Connected(); return stations+all == 0 })
	}
}

func manyFilters(n int) []byte {
	var all []byte
	for i := range n {
		all = append(all, text("stadtluft/v1/grid/"+strings.Repeat("x", i+1)+"/pm10")...)
		all = append(all, 0)
	}
	return all
}

// play expects each step's answer. A packet that is given by its first byte alone is compared by that.
func (b behaviour) play(t *testing.T, d *door) {
	c := rawConn(t, d)
	defer c.Close()
	for i, s := range b.steps {
		c.send(s.send)
		if i == 0 && s.want == "" && len(b.steps) > 1 && len(s.send) > 20 && s.send[8] == 5 {
			c.read() // the CONNACK of MQTT 5
			continue
		}
		for want := range strings.FieldsSeq(s.want) {
			switch {
			case want == "closed":
				c.wantClosed()
			case len(want) == 2:
				if got := c.read(); hex.EncodeToString(got[:1]) != want {
					t.Errorf("step %d: got %x, want a packet %s", i, got, want)
				}
			default:
				c.want(want)
			}
		}
	}
}

// TestReasonsOfMQTT5 looks at the properties that MQTT 5 adds.
func TestReasonsOfMQTT5(t *testing.T) {
	d := openDoor(t)
	c := rawConn(t, d)
	c.send(hello(5))
	connack := string(c.read())
	if connack[3] != 0 || !strings.Contains(connack, "\x27\x00\x02\x00\x00") || !strings.Contains(connack, "\x2a\x00") || !strings.Contains(connack, "\x21\x00\x40") {
		t.Errorf("CONNACK %x, want success, a maximum packet size of 128 KiB, no shared subscriptions, a receive maximum of 64", connack)
	}
	f := func(o ingest.Outcome, wantCode byte, wantReason string) {
		t.Helper()
		c.send(packet(0x32, text(reading), number(7), bytesOf(0), []byte("x")))
		d.next(t).Done(o)
		got := c.read()
		if got[0] != 0x40 || got[4] != wantCode || !strings.Contains(string(got), wantReason) {
			t.Errorf("got %x, want the code %#x and %q", got, wantCode, wantReason)
		}
	}
	refused := ingest.Refusal{Reason: wire.Malformed, Detail: "no JSON"}
	f(ingest.Outcome{Refusals: []ingest.Refusal{refused}}, 0x99, "malformed: no JSON")
	f(ingest.Outcome{Refusals: []ingest.Refusal{{Reason: wire.BadTopic, Detail: "x"}}}, 0x90, "bad_topic: x")
	f(ingest.Outcome{Refusals: []ingest.Refusal{{Reason: wire.Forbidden, Detail: "x"}}}, 0x87, "forbidden: x")
	f(ingest.Outcome{Readings: make([]ingest.Reading, 1), Refusals: []ingest.Refusal{refused}}, 0x00, "malformed: no JSON")
}

// TestKeepAlive expects a silent client to be gone after one and a half times its keep-alive, and its will to be sent; and
// one whose keep-alive is half a day to stay.
func TestKeepAlive(t *testing.T) {
	d := openDoor(t)
	silent := rawConn(t, d)
	silent.send(packet(0x10, text("MQTT"), bytesOf(4, 0xEE, 0, 1), text("x"), text("stadtluft/v1/AAA/status"), text("offline"), text("AAA"), text("token-AAA")))
	silent.want(accepted)
	patient := rawConn(t, d)
	patient.send(packet(0x10, text("MQTT"), bytesOf(4, 0xC2, 0xAA, 0xAB), text("x"), text("BBB"), text("token-BBB")))
	patient.want(accepted)
	begin := time.Now()
	if m := d.next(t); m.Topic != "stadtluft/v1/AAA/status" || string(m.Payload) != "offline" || m.From != "AAA" {
		t.Errorf("got %q on %s from %q, want the will", m.Payload, m.Topic, m.From)
	} else {
		m.Done(ingest.Outcome{})
	}
	if waited := time.Since(begin); waited < 1400*time.Millisecond {
		t.Errorf("the will came after %v, want at least one and a half keep-alives", waited)
	}
	silent.wantClosed()
	patient.send(ping)
	patient.want(pong)
}

// TestAWillIsNotSentAfterDisconnect ends connections in both ways.
func TestAWillIsNotSentAfterDisconnect(t *testing.T) {
	d := openDoor(t)
	for _, word := range []string{"polite", "rude"} {
		c := rawConn(t, d)
		c.send(connectWill("x", "AAA", "token-AAA", "stadtluft/v1/AAA/status", word))
		c.want(accepted)
		if word == "polite" {
			c.send(disconnect)
			c.wantClosed()
		} else {
			c.Close()
		}
	}
	m := d.next(t)
	m.Done(ingest.Outcome{})
	if got := string(m.Payload); got != "rude" {
		t.Errorf("the first will is %q, want that of the rude one", got)
	}
}

// TestAWillElsewhereIsRefused expects a will outside the station's topics to reach the pipeline, which refuses it.
func TestAWillElsewhereIsRefused(t *testing.T) {
	d := openDoor(t)
	c := rawConn(t, d)
	c.send(connectWill("x", "AAA", "token-AAA", "stadtluft/v1/city/pm10", "1"))
	c.want(accepted)
	c.Close()
	m := d.next(t)
	m.Done(ingest.Outcome{Refusals: []ingest.Refusal{{Reason: wire.BadTopic}}})
	if m.From != "AAA" || m.Topic != "stadtluft/v1/city/pm10" {
		t.Errorf("the will on %s from %q reached the pipeline", m.Topic, m.From)
	}
	d.topics.mu.Lock()
	defer d.topics.mu.Unlock()
	if len(d.topics.retained) > 0 {
		t.Error("a forged average is retained")
	}
}

// TestAClientThatDoesNotReadItsAcknowledgements is disconnected when too many wait; nobody else is delayed meanwhile.
func TestAClientThatDoesNotReadItsAcknowledgements(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	deaf, other := rawConn(t, d), rawConn(t, d)
	deaf.send(hello(4))
	deaf.want(accepted)
	other.send(connect311("x", "BBB", "token-BBB"))
	other.want(accepted)
	go func() {
		many := []byte(strings.Repeat(string(publishRaw(0x32, 7, reading, "")), 1000))
		for {
			if _, err := deaf.Write(many); err != nil {
				return
			}
		}
	}()
	for range 100 {
		other.send(publishRaw(0x32, 7, "stadtluft/v1/BBB/reading", "x"))
		other.want("40020007")
	}
}
