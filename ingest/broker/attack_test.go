package broker

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// TestCloseDoesNotWaitForWebSockets closes while reading pauses from WebSockets whose other end does not answer.
func TestCloseDoesNotWaitForWebSockets(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Out = make(chan ingest.Message, 3*maxWindow) })
	server := httptest.NewServer(d.WebSocket())
	defer server.Close()
	for i := range 3 {
		ws, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		all := connect311(fmt.Sprint(i), "AAA", "token-AAA")
		for range maxWindow + 1 {
			all = append(all, packet(0x32, text("stadtluft/v1/AAA/reading"), []byte{0, 1}, []byte("x"))...)
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, all); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "full windows", func() bool { return d.Waiting() == 3*maxWindow })
	start := time.Now()
	d.Close()
	if took := time.Since(start); took > 2*closeTime {
		t.Errorf("Close took %v", took)
	}
}

// TestAClientThatAsksTooMuchIsSlowed sends more than the burst of packets that are no messages, and a SUBSCRIBE of
// more filters than that.
func TestAClientThatAsksTooMuchIsSlowed(t *testing.T) {
	d := openDoor(t)
	pings, filters := rawConn(t, d), rawConn(t, d)
	for _, c := range []*raw{pings, filters} {
		c.send(connect311("x", "", ""))
		c.want("20020000")
	}
	pings.send([]byte(strings.Repeat("\xc0\x00", 5*packetBurst)))
	for range packetBurst - 1 { // the CONNECT was one
		pings.want("d000")
	}
	pings.wantSlow("d000")
	body := [][]byte{binary.BigEndian.AppendUint16(nil, 1)}
	for range packetBurst + 1 {
		body = append(body, text("stadtluft/v1/city/#"), []byte{0})
	}
	filters.send(packet(0x82, body...))
	filters.wantClosed()
}

// wantSlow expects packets at a pace that leaves most of those asked for out.
func (c *raw) wantSlow(packet string) {
	c.t.Helper()
	end := time.Now().Add(100 * time.Millisecond)
	n := 0
	for ; time.Now().Before(end); n++ {
		c.want(packet)
	}
	if n > packetBurst {
		c.t.Errorf("%d packets in 0.1 s", n)
	}
}

// TestForeignUserNamesAreNotKept fails to log in with a name that no station can have.
func TestForeignUserNamesAreNotKept(t *testing.T) {
	l := newLimits(10)
	l.guesses = &ingest.Rates{Sustained: 1.0 / 3600, Burst: 1}
	long := strings.Repeat("x", 10_000)
	for _, remote := range []string{"a", "b"} {
		if got := l.guessed(remote, long); got != 0 {
			t.Errorf("guess from %s: wait %v, want none, as its name is not kept", remote, got)
		}
	}
	if got := l.guessed("c", "AAA"); got != 0 {
		t.Errorf("first guess for a station: wait %v", got)
	}
	if got := l.guessed("d", "AAA"); got == 0 {
		t.Error("second guess for a station waits for nothing")
	}
}

// TestAStationHasSomeConnections opens one more than a station may have: its oldest ends.
func TestAStationHasSomeConnections(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	var all []*raw
	for i := range maxPerStation + 1 {
		c := rawConn(t, d)
		c.send(connect311(fmt.Sprint("line ", i), "AAA", "token-AAA"))
		c.want("20020000")
		all = append(all, c)
	}
	all[0].wantClosed()
	all[1].send([]byte{0xc0, 0})
	all[1].want("d000")
	station(t, d, "BBB")
}

// TestConnectingAgainCostsNoTime gives up waiting messages, as clients without an answer do; what was given up counts
// for nothing.
func TestConnectingAgainCostsNoTime(t *testing.T) {
	rates := &ingest.Rates{Sustained: 1.0 / 3600, Burst: 2}
	d := openDoor(t, func(o *Options) { o.Rates = rates })
	d.accept(t)
	publish(t, station(t, d, "AAA"), "stadtluft/v1/AAA/reading", false, "x")
	for i := range 5 {
		c := rawConn(t, d)
		c.send(connect311(fmt.Sprint(i), "AAA", "token-AAA"))
		until(t, "it to wait", func() bool { return d.Counts().Slowed == uint64(i)+1 })
		c.Close()
	}
	d.Disconnect("AAA")
	until(t, "all to be gone", func() bool { stations, _ := d.Connected(); return stations == 0 })
	if got := rates.Try("AAA"); got > time.Hour {
		t.Errorf("the next message waits %v, want an hour at most", got)
	}
}

// TestAClientThatGoesOnAskingTooMuchIsEnded sends on although it is slowed down.
func TestAClientThatGoesOnAskingTooMuchIsEnded(t *testing.T) {
	end, other := net.Pipe()
	defer other.Close()
	c := newConn(end, nil)
	c.packets = rate.NewLimiter(100_000, 1)
	ping := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}
	for n := 0; c.charge(&ping); n++ {
		if n > 1000*maxOverrun {
			t.Fatal("it may go on for ever")
		}
	}
	if c.overrun != maxOverrun+1 {
		t.Errorf("%d packets waited, want %d", c.overrun, maxOverrun+1)
	}
}

// TestSilentConnectionsKeepNobodyOut opens connections that send nothing, and then more than may be without a log-in.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Connections = 2 * newShare })
	var silent []*raw
	for range 10 {
		silent = append(silent, rawConn(t, d))
	}
	silent[0].wantClosed()
	until(t, "those that were ended to be gone", func() bool { d.limits.mu.Lock(); defer d.limits.mu.Unlock(); return d.limits.free == 6 })
	for i := range 4 {
		station(t, d, fmt.Sprint("S", i))
	}
}

// TestARefusalFitsTheClient sends refused messages as clients of MQTT 5 that take packets of few bytes only: each is
// acknowledged, with the sentence where it fits.
func TestARefusalFitsTheClient(t *testing.T) {
	d := openDoor(t)
	most := byte(200)
	refusal := ingest.Refusal{Reason: wire.Malformed, Detail: strings.Repeat("x", 100)}
	for size := byte(60); size < most; size++ {
		c := rawConn(t, d)
		c.send(packet(0x10, text("MQTT"), []byte{5, 0xC2, 0, 60, 5, 0x27, 0, 0, 0, size}, text(fmt.Sprint(size)), text("AAA"), text("token-AAA")))
		if c.read()[3] != 0 {
			t.Fatal("no log-in")
		}
		c.send(packet(0x32, text("stadtluft/v1/AAA/reading"), []byte{0, 1, 0}, []byte("x")))
		d.next(t).Done(ingest.Outcome{Refusals: []ingest.Refusal{refusal}})
		if got := c.read(); got[0] != 0x40 || len(got) > int(size) {
			t.Errorf("at most %d bytes: got %x", size, got)
		}
		c.Close()
	}
}

// TestManyDeniedSubscriptionsAreToldOnce asks for what a station may not read more often than an owner wants to know.
func TestManyDeniedSubscriptionsAreToldOnce(t *testing.T) {
	d := openDoor(t)
	c := rawConn(t, d)
	c.send(connect311("x", "AAA", "token-AAA"))
	c.want("20020000")
	body := [][]byte{{0, 1}}
	for range packetBurst / 2 {
		body = append(body, text("#"), []byte{0})
	}
	c.send(packet(0x82, body...))
	c.read()
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := len(d.notices); got != toldBurst {
		t.Errorf("the owner is told %d times, want %d", got, toldBurst)
	}
}

// TestALogInThatWaitsLeavesNoWill takes over connections of a station that is too fast: only the one that was logged in
// has a last will.
func TestALogInThatWaitsLeavesNoWill(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Rates = &ingest.Rates{Sustained: 1.0 / 3600, Burst: 1} })
	for i := range uint64(4) {
		rawConn(t, d).send(connectWill("x", "AAA", "token-AAA", "stadtluft/v1/AAA/status", "offline"))
		until(t, "it to be logged in, or to wait", func() bool { _, all := d.Connected(); return all == 1 && d.Counts().Slowed == i })
	}
	if got := len(d.messages); got != 1 {
		t.Errorf("%d last wills, want 1", got)
	}
}

// TestAMessageTooLongForASubscriber publishes a message that is longer than one of two subscribers of MQTT 5 takes, more often than a
// subscriber may leave unacknowledged: that one gets the shorter ones only and stays connected, the other gets all.
func TestAMessageTooLongForASubscriber(t *testing.T) {
	d := openDoor(t)
	reader := func(id string, most ...byte) *raw {
		c := rawConn(t, d)
		c.send(packet(0x10, text("MQTT"), []byte{5, 0x02, 0, 60, byte(len(most))}, most, text(id)))
		if got := c.read(); got[0] != 0x20 || got[3] != 0 {
			t.Fatalf("%s: no log-in: %x", id, got)
		}
		c.send(packet(0x82, []byte{0, 1, 0}, text("stadtluft/v1/city/+"), []byte{1}))
		if got := c.read(); got[0] != 0x90 {
			t.Fatalf("%s: no subscription: %x", id, got)
		}
		return c
	}
	// next returns the payload of the next message, after it has acknowledged that.
	next := func(c *raw) string {
		got := c.read()
		if got[0]>>4 != 3 {
			t.Fatalf("got %x, want a message", got)
		}
		_, n := binary.Uvarint(got[1:])
		body := got[1+n:]
		id := 2 + int(binary.BigEndian.Uint16(body))
		c.send(packet(0x40, body[id:id+2]))
		return string(body[id+3:]) // after the length 0 of the properties
	}
	small, all := reader("small", 0x27, 0, 0, 0, 60), reader("all")
	for n := range 2 * maxUnacknowledged {
		long, short := strings.Repeat("x", 100)+fmt.Sprint(n), fmt.Sprint(n)
		d.Publish("stadtluft/v1/city/pm10", false, []byte(long))
		if got := next(all); got != long {
			t.Fatalf("the subscriber without a limit got %q, want %q", got, long)
		}
		d.Publish("stadtluft/v1/city/pm10", false, []byte(short))
		if got := next(all); got != short {
			t.Fatalf("the subscriber without a limit got %q, want %q", got, short)
		}
		if got := next(small); got != short {
			t.Fatalf("the subscriber that takes 60 bytes got %q, want %q", got, short)
		}
	}
}

// TestLongTopicsAreCounted has a message wait whose topic is much longer than its payload.
func TestLongTopicsAreCounted(t *testing.T) {
	d := openDoor(t)
	c := rawConn(t, d)
	c.send(hello(4))
	c.want(accepted)
	topic := strings.Repeat("x", 60_000)
	c.send(publishRaw(0x32, 7, topic, "x"))
	m := d.next(t)
	if d.held.TryAcquire(maxHeld - int64(len(topic))) {
		t.Fatal("its topic does not count as held")
	}
	m.Done(ingest.Outcome{})
	c.want("40020007")
	until(t, "it to be released", func() bool { return d.Waiting() == 0 })
	if !d.held.TryAcquire(maxHeld) {
		t.Error("something is held after the acknowledgement")
	}
}
