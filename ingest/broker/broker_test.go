package broker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const patience = 20 * time.Second

// door is a broker under test, with what the pipeline and the owners got.
type door struct {
	*Broker
	addr     string
	messages chan ingest.Message

	mu      sync.Mutex // guards notices
	notices []string
}

func (d *door) notify(station string, reason wire.Reason, _ string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notices = append(d.notices, station+" "+string(reason))
}

func (d *door) notified(want string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.notices, want)
}

// openDoor starts a broker which lets station X in with the token "token-X". The test is its pipeline.
func openDoor(t *testing.T, options ...func(*Options)) *door {
	t.Helper()
	d := &door{messages: make(chan ingest.Message, 100)}
	o := Options{
		Out: d.messages, Authenticate: func(id, token string) bool { return token == "token-"+id }, Notify: d.notify, Log: slog.New(slog.DiscardHandler),
	}
	for _, option := range options {
		option(&o)
	}
	d.Broker = New(o)
	d.Open()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		cancel()
		d.Close()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v, want nil", err)
		}
	})
	return d
}

// accept answers every message with an outcome without refusals.
func (d *door) accept(t *testing.T) {
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		for {
			select {
			case m := <-d.messages:
				m.Done(ingest.Outcome{})
			case <-t.Context().Done():
				return
			}
		}
	}()
}

// next returns the next message, which its test answers.
func (d *door) next(t *testing.T) ingest.Message {
	t.Helper()
	select {
	case m := <-d.messages:
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
	}
	return ingest.Message{}
}

// dial connects; a test that wants the refusal looks at err.
func dial(t *testing.T, d *door, clientID, user, password string, take paho.MessageHandler) (paho.Client, error) {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + d.addr).SetClientID(clientID).SetUsername(user).SetPassword(password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience)
	if take != nil {
		o.SetDefaultPublishHandler(take)
	}
	c := paho.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		t.Fatalf("connect %s: no answer", clientID)
	}
	t.Cleanup(func() { c.Disconnect(10) })
	return c, token.Error()
}

func station(t *testing.T, d *door, id string) paho.Client {
	t.Helper()
	c, err := dial(t, d, "station-"+id, id, "token-"+id, nil)
	if err != nil {
		t.Fatalf("station %s: %v", id, err)
	}
	return c
}

func publish(t *testing.T, c paho.Client, topic string, retained bool, payload any) {
	t.Helper()
	token := c.Publish(topic, 1, retained, payload)
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("publish to %s: %v", topic, token.Error())
	}
}

// subscribe returns the code of the SUBACK: 0x80 when refused.
func subscribe(t *testing.T, c paho.Client, filter string) byte {
	t.Helper()
	token := c.Subscribe(filter, 1, nil).(*paho.SubscribeToken)
	if !token.WaitTimeout(patience) {
		t.Fatalf("subscribe to %s: no answer", filter)
	}
	return token.Result()[filter]
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for: %s", patience, what)
		}
	}
}

func TestLogIn(t *testing.T) {
	d := openDoor(t)
	f := func(user, password string, want bool) {
		t.Helper()
		if _, err := dial(t, d, "id of "+user, user, password, nil); (err == nil) != want {
			t.Errorf("log-in as %q with %q: %v, want success %v", user, password, err, want)
		}
	}
	f("AAA", "token-AAA", true)
	f("AAA", "token-BBB", false)
	f("AAA", "", false)
	f("", "", true) // reads the averages
	f("city", "token-city", false)
	long := strings.Repeat("A", 200)
	f(long, "token-"+long, false)
	if got := d.Counts().Logins; got != 4 {
		t.Errorf("%d refused log-ins are counted, want 4", got)
	}
}

func TestStationsComeInWhenOpen(t *testing.T) {
	d := openDoor(t)
	d.open.Store(false)
	if _, err := dial(t, d, "x", "AAA", "token-AAA", nil); err == nil || !strings.Contains(err.Error(), "server Unavailable") {
		t.Errorf("log-in before Open: %v, want Server Unavailable", err)
	}
	d.Open()
	station(t, d, "AAA")
}

// TestAcknowledgedMeansDone publishes and expects no acknowledgement before the pipeline's, and then all in order.
func TestAcknowledgedMeansDone(t *testing.T) {
	d := openDoor(t)
	c := station(t, d, "AAA")
	var tokens []paho.Token
	for i := range 10 {
		tokens = append(tokens, c.Publish("stadtluft/v1/AAA/reading", byte(1+i%2), false, fmt.Sprint(i)))
	}
	var held []ingest.Message
	for i := range 10 {
		m := d.next(t)
		if got := string(m.Payload); got != fmt.Sprint(i) || m.From != "AAA" || m.Topic != "stadtluft/v1/AAA/reading" {
			t.Errorf("message %d is %q on %s from %q", i, got, m.Topic, m.From)
		}
		held = append(held, m)
	}
	for i, token := range tokens {
		if token.WaitTimeout(0) {
			t.Errorf("message %d was acknowledged before it was done", i)
		}
		held[i].Done(ingest.Outcome{})
		if !token.WaitTimeout(patience) || token.Error() != nil {
			t.Errorf("message %d: %v, want an acknowledgement", i, token.Error())
		}
	}
	if got := d.Waiting(); got != 0 {
		t.Errorf("%d messages wait, want none", got)
	}
}

// TestReadingPausesAtTheWindow sends more than one connection may have waiting; the rest stays on the line, and others
// are served.
func TestReadingPausesAtTheWindow(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Out = make(chan ingest.Message, 2*maxWindow) })
	c, other := station(t, d, "AAA"), station(t, d, "BBB")
	for range 3 * maxWindow {
		c.Publish("stadtluft/v1/AAA/reading", 1, false, "x")
	}
	until(t, "a full window", func() bool { return d.Waiting() == maxWindow })
	other.Publish("stadtluft/v1/BBB/reading", 1, false, "x")
	until(t, "the other's message", func() bool { return d.Waiting() == maxWindow+1 })
}

// TestATooFastStationIsSlowedAlone lets a log-in and three messages through at once and then one an hour.
func TestATooFastStationIsSlowedAlone(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Rates = &ingest.Rates{Sustained: 1.0 / 3600, Burst: 4} })
	d.accept(t)
	c, other := station(t, d, "AAA"), station(t, d, "BBB")
	for range 3 {
		publish(t, c, "stadtluft/v1/AAA/reading", false, "x")
	}
	late := c.Publish("stadtluft/v1/AAA/reading", 1, false, "x")
	publish(t, other, "stadtluft/v1/BBB/reading", false, "x")
	until(t, "the owner to be told", func() bool { return d.notified("AAA too_fast") })
	if late.WaitTimeout(0) {
		t.Error("a fourth message was acknowledged at once")
	}
	if got := d.Counts().Slowed; got != 1 {
		t.Errorf("%d messages were slowed down, want 1", got)
	}
}

func TestAnyoneReadsTheAveragesAndNothingElse(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	d.Publish("stadtluft/v1/city/pm10", true, []byte("1"))
	got := make(chan paho.Message, 10)
	c, err := dial(t, d, "board", "", "", func(_ paho.Client, m paho.Message) { got <- m })
	if err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]byte{
		"stadtluft/v1/city/#": 1, "stadtluft/v1/grid/+/pm10": 1, "stadtluft/v1/city/pm10": 1,
		"#": 0x80, "stadtluft/v1/+/reading": 0x80, "stadtluft/v1/AAA/feedback": 0x80, "$SYS/#": 0x80, "stadtluft/v1/+/pm10": 0x80,
		"stadtluft/v1/city/a+": 0x80,
	} {
		if code := subscribe(t, c, filter); code != want {
			t.Errorf("subscribe to %s: code %#x, want %#x", filter, code, want)
		}
	}
	if m := <-got; string(m.Payload()) != "1" || !m.Retained() || m.Qos() != 1 {
		t.Errorf("retained: %q %v QoS %d, want 1 true QoS 1", m.Payload(), m.Retained(), m.Qos())
	}
	d.Publish("stadtluft/v1/grid/c/pm10", true, []byte("2"))
	m := <-got
	for m.Topic() == "stadtluft/v1/city/pm10" {
		m = <-got // of another of the filters
	}
	if string(m.Payload()) != "2" || m.Retained() {
		t.Errorf("new: %q on %s, retained %v", m.Payload(), m.Topic(), m.Retained())
	}
	publish(t, c, "stadtluft/v1/AAA/reading", false, "x") // acknowledged, as MQTT 3.1.1 has no other answer
	if got := d.Counts().Denied; got != 7 {
		t.Errorf("%d denials are counted, want 7", got)
	}
}

// TestASlowReaderGetsTheNewest publishes many values while the client reads nothing: its buffers stay bounded, and it
// ends with the newest of each topic.
func TestASlowReaderGetsTheNewest(t *testing.T) {
	d := openDoor(t)
	c := rawConn(t, d)
	c.send(connect311("slow", "", ""))
	c.want("20020000")
	c.send(subscribe311(1, "stadtluft/v1/city/#", 0))
	c.want("9003000100")
	big := strings.Repeat("x", 10_000)
	const topics, rounds = 50, 100
	for round := range rounds {
		for topic := range topics {
			d.Publish(fmt.Sprint("stadtluft/v1/city/", topic), true, fmt.Append(nil, big, round))
		}
	}
	newest := map[string]bool{}
	for len(newest) < topics {
		topic, payload := c.readPublish()
		if strings.HasSuffix(payload, fmt.Sprint("x", rounds-1)) {
			newest[topic] = true
		}
	}
}

func TestStatusIsRetainedAndNothingElse(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	c := station(t, d, "AAA")
	publish(t, c, "stadtluft/v1/AAA/status", true, "online")
	publish(t, c, "stadtluft/v1/AAA/feedback", true, "forged")
	publish(t, c, "stadtluft/v1/BBB/status", true, "forged")
	d.topics.mu.Lock()
	defer d.topics.mu.Unlock()
	if got := d.topics.retained; len(got) != 1 || string(got["stadtluft/v1/AAA/status"]) != "online" {
		t.Errorf("retained: %v, want the status alone", got)
	}
}

// TestTheLastWillIsSentWhenALineHangs replaces a connection that does not answer any more.
func TestTheLastWillIsSentWhenALineHangs(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	hung := rawConn(t, d)
	hung.send(connectWill("x", "AAA", "token-AAA", "stadtluft/v1/AAA/status", "offline"))
	hung.want("20020000")
	status := make(chan string, 10)
	o := paho.NewClientOptions().AddBroker("tcp://" + d.addr).SetClientID("x").SetUsername("AAA").SetPassword("token-AAA").SetAutoReconnect(false)
	c := paho.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(10)
	c.Subscribe("stadtluft/v1/AAA/status", 1, func(_ paho.Client, m paho.Message) { status <- string(m.Payload()) })
	if got := <-status; got != "offline" {
		t.Errorf("the status is %q, want the will of the old connection", got)
	}
	publish(t, c, "stadtluft/v1/AAA/status", true, "online")
	if got := <-status; got != "online" {
		t.Errorf("the status is %q, want online", got)
	}
	hung.wantClosed()
}

// TestNobodyTakesAnothersSession uses one client id as different users.
func TestNobodyTakesAnothersSession(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	a := station(t, d, "AAA")
	for _, user := range []string{"BBB", "", ""} {
		if _, err := dial(t, d, "station-AAA", user, "token-"+user, nil); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, a, "stadtluft/v1/AAA/reading", false, "x")
	if stations, all := d.Connected(); stations != 2 || all != 4 {
		t.Errorf("Connected() = %d, %d; want 2, 4", stations, all)
	}
}

// TestASessionMovesToAnotherDoor logs a station in at a second door while its first connection is open and has a last will.
func TestASessionMovesToAnotherDoor(t *testing.T) {
	first := openDoor(t)
	second := openDoor(t, func(o *Options) { o.LoggedIn = first.EndSession })
	second.accept(t)
	for moves, clientID := range map[bool]string{false: "another", true: "x"} {
		old := rawConn(t, first)
		old.send(connectWill("x", "AAA", "token-AAA", "stadtluft/v1/AAA/status", "offline"))
		old.want("20020000")
		c := rawConn(t, second)
		c.send(connect311(clientID, "AAA", "token-AAA"))
		c.want("20020000")
		if !moves {
			old.wantNothing()
			old.Close()
			m := first.next(t)
			if m.Done(ingest.Outcome{}); string(m.Payload) != "offline" {
				t.Errorf("last will %q of a connection that broke", m.Payload)
			}
			continue
		}
		old.wantClosed()
		until(t, "the session to be gone", func() bool { stations, _ := first.Connected(); return stations == 0 })
		select {
		case m := <-first.messages:
			t.Errorf("last will %q of a session that has moved", m.Payload)
		default:
		}
	}
	first.EndSession("AAA/unknown", time.Now())
	before := time.Now()
	c := rawConn(t, first)
	c.send(connect311("x", "AAA", "token-AAA"))
	c.want("20020000")
	first.EndSession("AAA/x", before) // of a log-in before this one, heard of late
	c.wantNothing()
}

func TestDisconnect(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	a, b := station(t, d, "AAA"), station(t, d, "BBB")
	d.Disconnect("AAA")
	until(t, "AAA to be gone", func() bool { return !a.IsConnectionOpen() })
	publish(t, b, "stadtluft/v1/BBB/reading", false, "x")
}

// TestAHugeMessageCostsOnlyItsConnection sends more than the broker takes, and a little more than the protocol allows.
func TestAHugeMessageCostsOnlyItsConnection(t *testing.T) {
	d := openDoor(t)
	d.accept(t)
	a, b := station(t, d, "AAA"), station(t, d, "BBB")
	publish(t, b, "stadtluft/v1/BBB/reading", false, make([]byte, wire.MaxMessage+1))
	a.Publish("stadtluft/v1/AAA/reading", 1, false, make([]byte, maxPacket))
	until(t, "the connection to end", func() bool { return !a.IsConnectionOpen() })
	until(t, "the owner to be told", func() bool { return d.notified("AAA too_large") })
	publish(t, b, "stadtluft/v1/BBB/reading", false, "x")
}

// TestGuessesAreSlowedDown fails to log in often; the answers then take their time, and a right token does not.
func TestGuessesAreSlowedDown(t *testing.T) {
	d := openDoor(t)
	d.limits.guesses = &ingest.Rates{Sustained: 1.0 / 3600, Burst: 2}
	for range 2 {
		c := rawConn(t, d)
		c.send(connect311("x", "AAA", "wrong"))
		c.want("20020005")
	}
	slow := rawConn(t, d)
	slow.send(connect311("x", "AAA", "wrong"))
	station(t, d, "AAA")
	slow.wantNothing()
}

// TestConnectionsWithoutALogInLeaveRoom fills the places of anonymous clients.
func TestConnectionsWithoutALogInLeaveRoom(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Connections = 8 })
	for range 2 {
		if _, err := dial(t, d, "", "", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dial(t, d, "", "", "", nil); err == nil || !strings.Contains(err.Error(), "server Unavailable") {
		t.Errorf("a third anonymous connection: %v, want Server Unavailable", err)
	}
	until(t, "its place to be free", func() bool { d.limits.mu.Lock(); defer d.limits.mu.Unlock(); return d.limits.free == 6 })
	for i := range 6 {
		station(t, d, fmt.Sprint("S", i))
	}
}

func TestCloseEndsEverything(t *testing.T) {
	d := openDoor(t)
	a := station(t, d, "AAA")
	early := rawConn(t, d)
	a.Publish("stadtluft/v1/AAA/reading", 1, false, "never done")
	d.next(t)
	d.Close()
	early.wantClosed()
	until(t, "the station to be gone", func() bool { return !a.IsConnectionOpen() })
}
