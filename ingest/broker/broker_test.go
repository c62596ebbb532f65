package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const patience = 20 * time.Second

// tokens lets station X in with the token "token-X".
type tokens struct{}

func (tokens) Authenticate(user, password string) Access {
	if password != "token-"+user {
		return Access{Denied: true}
	}
	return Access{Station: user}
}

// denials collects what OnDenied is told.
type denials struct {
	mu  sync.Mutex
	got []string
}

func (d *denials) add(user string, action Action, subject string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, fmt.Sprintf("%s %s %s", user, action, subject))
}

func (d *denials) has(want string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, got := range d.got {
		if got == want || strings.HasSuffix(want, " *") && strings.HasPrefix(got, want[:len(want)-1]) {
			return true
		}
	}
	return false
}

func start(t *testing.T, o Options) *Broker {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Auth = tokens{}
	o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	b, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// dial connects; a test that wants the refusal looks at err.
func dial(t *testing.T, b *Broker, id, user, password string, clean bool, take paho.MessageHandler) (paho.Client, error) {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID(id).SetUsername(user).SetPassword(password).
		SetProtocolVersion(4).SetCleanSession(clean).SetAutoReconnect(false).SetConnectTimeout(patience)
	if take != nil {
		o.SetDefaultPublishHandler(take)
	}
	c := paho.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		t.Fatalf("connect %s: no answer", id)
	}
	t.Cleanup(func() { c.Disconnect(10) })
	return c, token.Error()
}

func station(t *testing.T, b *Broker, id string) paho.Client {
	t.Helper()
	c, err := dial(t, b, "station-"+id, id, "token-"+id, true, nil)
	if err != nil {
		t.Fatalf("station %s: %v", id, err)
	}
	return c
}

func intake(t *testing.T, b *Broker, take paho.MessageHandler) paho.Client {
	t.Helper()
	cred := b.IntakeCredentials()
	c, err := dial(t, b, IntakeClientID, cred.User, cred.Password, false, take)
	if err != nil {
		t.Fatalf("intake: %v", err)
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

// subscribe is the code of the SUBACK: 0x80 when refused.
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
	tick, end := time.NewTicker(5*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited %v for: %s", patience, what)
		}
	}
}

func TestLogIn(t *testing.T) {
	b := start(t, Options{})
	b.SetOpen(true)
	station(t, b, "AAA")
	for _, f := range []struct{ id, user, password string }{
		{"wrong-token", "AAA", "token-BBB"},
		{"no-token", "AAA", ""},
		{"the-intake", "stadtluft-intake", "guess"},
		{"wildcard", "+", "token-+"},
		{"averages", "city", "token-city"},
		{"long", strings.Repeat("A", 200), "token-" + strings.Repeat("A", 200)},
		{IntakeClientID, "BBB", "token-BBB"},
		{"station-AAA", "BBB", "token-BBB"}, // would take over a session that is in use
	} {
		if _, err := dial(t, b, f.id, f.user, f.password, true, nil); err == nil {
			t.Errorf("client %q logged in as %q with %q, want a refusal", f.id, f.user, f.password)
		}
	}
	if got, want := b.Counts().Refused, uint64(8); got != want {
		t.Errorf("Counts().Refused = %d, want %d", got, want)
	}
	if got, want := b.Connected(), 1; got != want {
		t.Errorf("Connected() = %d, want %d: the first station must still be there", got, want)
	}
}

func TestAStationStaysBelowItsPrefix(t *testing.T) {
	var d denials
	b := start(t, Options{OnDenied: d.add})
	var elsewhere atomic.Int64
	own := make(chan string, 10)
	in := intake(t, b, func(_ paho.Client, m paho.Message) {
		if strings.HasPrefix(m.Topic(), "stadtluft/v1/AAA/") {
			own <- string(m.Payload())
			return
		}
		elsewhere.Add(1)
	})
	if got := subscribe(t, in, "stadtluft/#"); got != 1 {
		t.Fatalf("intake's subscription: code %#x, want 1", got)
	}
	b.SetOpen(true)
	s := station(t, b, "AAA")

	for _, topic := range []string{"stadtluft/v1/BBB/reading", "stadtluft/v1/city/pm10", "other/topic"} {
		publish(t, s, topic, false, "x") // MQTT 3.1.1 has no refusal: it gets its PUBACK
		until(t, "the denial of "+topic, func() bool { return d.has("AAA publish " + topic) })
	}
	for _, filter := range []string{"#", "stadtluft/#", "stadtluft/v1/+/reading", "stadtluft/v1/BBB/feedback", "$MQTT/#"} {
		if got := subscribe(t, s, filter); got != 0x80 {
			t.Errorf("subscribe to %s: code %#x, want 0x80", filter, got)
		}
	}
	until(t, "the denial of a subscription", func() bool { return d.has("AAA subscribe stadtluft/v1/BBB/feedback") })
	for _, filter := range []string{"stadtluft/v1/AAA/feedback", "stadtluft/v1/AAA/status", "stadtluft/v1/city/#"} {
		if got := subscribe(t, s, filter); got != 1 {
			t.Errorf("subscribe to %s: code %#x, want 1", filter, got)
		}
	}
	publish(t, s, "stadtluft/v1/AAA/reading", false, "mine")
	if got, want := <-own, "mine"; got != want {
		t.Errorf("intake has %q, want %q", got, want)
	}
	if got := elsewhere.Load(); got != 0 {
		t.Errorf("%d messages outside the prefix reached the intake, want 0", got)
	}
	if got, want := b.Counts().Publish, uint64(3); got != want {
		t.Errorf("Counts().Publish = %d, want %d", got, want)
	}
}

func TestAWillStaysBelowItsPrefix(t *testing.T) {
	var d denials
	b := start(t, Options{OnDenied: d.add})
	b.SetOpen(true)
	o := paho.NewClientOptions().AddBroker("tcp://"+b.Addr()).SetClientID("will").SetUsername("AAA").SetPassword("token-AAA").
		SetProtocolVersion(4).SetAutoReconnect(false).SetWill("stadtluft/v1/BBB/status", "offline", 1, true)
	c := paho.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	b.Disconnect("AAA")
	until(t, "the denial of the will", func() bool { return b.Counts().Publish == 1 })
}

func TestAnyoneReadsTheAveragesAndNothingElse(t *testing.T) {
	b := start(t, Options{})
	publish(t, intake(t, b, nil), "stadtluft/v1/city/pm2_5", true, "12.3")
	got := make(chan paho.Message, 1)
	anyone, err := dial(t, b, "dashboard", "", "", true, func(_ paho.Client, m paho.Message) { got <- m })
	if err != nil {
		t.Fatalf("anonymous log-in: %v", err)
	}
	if code := subscribe(t, anyone, "stadtluft/v1/city/#"); code != 1 {
		t.Fatalf("subscribe: code %#x, want 1", code)
	}
	if m := <-got; string(m.Payload()) != "12.3" || !m.Retained() {
		t.Errorf("got %q, retained %v; want 12.3, true", m.Payload(), m.Retained())
	}
	for _, filter := range []string{"#", "stadtluft/v1/+/reading", "stadtluft/v1/#"} {
		if code := subscribe(t, anyone, filter); code != 0x80 {
			t.Errorf("subscribe to %s: code %#x, want 0x80", filter, code)
		}
	}
	publish(t, anyone, "stadtluft/v1/city/pm2_5", true, "0")
	until(t, "the denial", func() bool { return b.Counts().Publish == 1 })
}

// TestTheIntakeReadsEveryTopic subscribes to more than there is room for with the largest windows, also in a session that had
// fewer before.
func TestTheIntakeReadsEveryTopic(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{Dir: dir})
	if code := subscribe(t, intake(t, b, nil), "stadtluft/v1/+/kit/#"); code != 1 {
		t.Fatalf("subscribe: code %#x, want 1", code)
	}
	b.Close()
	topics := []string{"airgradient/readings/+", "esphome/+/sensor/+/state", "opennoise/+/dba_stats", "device/sck/+/readings/#", "tele/+/SENSOR", "v3/+/devices/+/up", "a/#", "b/#"}
	b = start(t, Options{Dir: dir, Topics: topics})
	in := intake(t, b, nil)
	for _, filter := range append(topics, "stadtluft/v1/+/kit/#", "stadtluft/v1/+/reading", "stadtluft/v1/+/status") {
		if code := subscribe(t, in, filter); code != 1 {
			t.Errorf("subscribe to %s: code %#x, want 1", filter, code)
		}
	}
}

// TestNothingIsLostWhileTheIntakeIsAway also kills the server in between: another starts on what the
// first had on disk at that moment, without its having been closed.
func TestNothingIsLostWhileTheIntakeIsAway(t *testing.T) {
	const n = 200
	dir := t.TempDir()
	b := start(t, Options{Dir: dir})
	in := intake(t, b, nil)
	if code := subscribe(t, in, "stadtluft/v1/+/reading"); code != 1 {
		t.Fatalf("subscribe: code %#x, want 1", code)
	}
	b.SetOpen(true)
	in.Disconnect(100)
	s := station(t, b, "AAA")
	for i := range n {
		publish(t, s, "stadtluft/v1/AAA/reading", false, fmt.Sprint(i))
	}
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{Dir: killed})
	var mu sync.Mutex
	seen := map[string]bool{}
	intake(t, b, func(_ paho.Client, m paho.Message) {
		mu.Lock()
		defer mu.Unlock()
		seen[string(m.Payload())] = true
	})
	until(t, "all messages after the restart", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == n
	})
}

func TestAHugeMessageCostsOnlyItsConnection(t *testing.T) {
	var d denials
	b := start(t, Options{OnDenied: d.add})
	b.SetOpen(true)
	other, s := station(t, b, "BBB"), station(t, b, "AAA")
	publish(t, s, "stadtluft/v1/AAA/reading", false, make([]byte, 64<<10)) // the protocol's limit passes
	s.Publish("stadtluft/v1/AAA/reading", 1, false, make([]byte, 10<<20))
	until(t, "the closed connection", func() bool { return !s.IsConnectionOpen() })
	until(t, "the attribution", func() bool { return d.has("AAA too_large *") })
	if got, want := b.Counts().TooLarge, uint64(1); got != want {
		t.Errorf("Counts().TooLarge = %d, want %d", got, want)
	}
	publish(t, other, "stadtluft/v1/BBB/reading", false, "still here")
}

func TestStationsLogInWhenOpen(t *testing.T) {
	b := start(t, Options{})
	if _, err := dial(t, b, "early", "AAA", "token-AAA", true, nil); err == nil {
		t.Error("a station logged in while the gate was shut")
	}
	in := intake(t, b, nil)
	b.SetOpen(true)
	s, other := station(t, b, "AAA"), station(t, b, "BBB")
	b.Disconnect("AAA")
	until(t, "AAA to be gone", func() bool { return !s.IsConnectionOpen() })
	publish(t, other, "stadtluft/v1/BBB/reading", false, "x")
	b.SetOpen(false)
	until(t, "BBB to be gone", func() bool { return !other.IsConnectionOpen() && b.Connected() == 0 })
	publish(t, in, "stadtluft/v1/BBB/feedback", false, "the intake stays")
}

func TestAFullDiskKeepsStationsOut(t *testing.T) {
	var free atomic.Uint64
	free.Store(100)
	b := start(t, Options{
		Reserve: 50, guardInterval: time.Millisecond,
		freeBytes: func(string) (uint64, error) { return free.Load(), nil },
	})
	b.SetOpen(true)
	s := station(t, b, "AAA")
	if err := b.Problem(); err != nil {
		t.Fatalf("Problem() = %v, want nil", err)
	}
	free.Store(49)
	until(t, "the station to be gone", func() bool { return !s.IsConnectionOpen() })
	if err := b.Problem(); err == nil || !strings.Contains(err.Error(), "free") {
		t.Errorf("Problem() = %v, want one about free space", err)
	}
	if _, err := dial(t, b, "late", "AAA", "token-AAA", true, nil); err == nil {
		t.Error("a station logged in while the disk was full")
	}
	free.Store(50)
	until(t, "the problem to end", func() bool { return b.Problem() == nil })
	station(t, b, "AAA")
}

// TestAFailedWriteKeepsStationsOut says what NATS 2.15.2 said on a file system without space; its
// JetStreamEnabled stays true, so that its log line is the only trace.
// TestAFailedWriteKeepsStationsOut and asks for a new start as soon as there is room for one.
func TestAFailedWriteKeepsStationsOut(t *testing.T) {
	var free atomic.Uint64
	b := start(t, Options{
		Reserve: 50, guardInterval: time.Millisecond,
		freeBytes: func(string) (uint64, error) { return free.Load(), nil },
	})
	free.Store(100)
	until(t, "room", func() bool { return b.Problem() == nil })
	b.SetOpen(true)
	s := station(t, b, "AAA")
	free.Store(49)
	until(t, "the guard to see it", func() bool { return b.Problem() != nil })
	l := &logger{b: b, log: b.options.Log}
	l.Errorf("JetStream stream '$G > $MQTT_msgs' critical write error: write 3.blk: no space left on device")
	until(t, "the station to be gone", func() bool { return !s.IsConnectionOpen() })
	until(t, "the guard to see the write", func() bool { return strings.Contains(fmt.Sprint(b.Problem()), "write to the log failed") })
	if err := b.Problem(); err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("Problem() = %v, want one that quotes the write", err)
	}
	select {
	case err := <-b.Failed():
		t.Errorf("Failed() without room: %v", err)
	default:
	}
	free.Store(100)
	if err := <-b.Failed(); !strings.Contains(err.Error(), "there is room again") {
		t.Errorf("Failed() = %v, want it to speak of room", err)
	}
}

// TestAFullLogLetsTheIntakeIn fills the log while the intake is away. NATS would refuse even the
// intake's log-in once the bound is reached, so stations must be kept out before.
func TestAFullLogLetsTheIntakeIn(t *testing.T) {
	b := start(t, Options{MaxStore: 8 << 20, guardInterval: time.Millisecond})
	in := intake(t, b, nil)
	if code := subscribe(t, in, "stadtluft/v1/+/reading"); code != 1 {
		t.Fatalf("subscribe: code %#x, want 1", code)
	}
	in.Disconnect(100)
	b.SetOpen(true)
	s := station(t, b, "AAA")
	until(t, "the gate to shut", func() bool {
		s.Publish("stadtluft/v1/AAA/reading", 1, false, make([]byte, 32<<10))
		return b.Problem() != nil
	})
	intake(t, b, func(paho.Client, paho.Message) {}) // acknowledges what it gets
	until(t, "the log to be read", func() bool { return b.Problem() == nil })
	station(t, b, "AAA")
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	inUse := l.Addr().String()
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name string
		o    Options
		want string
	}{
		{"port in use", Options{Dir: t.TempDir(), Listen: inUse}, inUse + " is in use: set mqtt.listen or stop the other broker"},
		{"no address", Options{Dir: t.TempDir(), Listen: "nonsense"}, `mqtt.listen: "nonsense" is not host:port`},
		{"no folder", Options{Dir: file + "/below"}, "data folder " + file + "/below: "},
		{"sync", Options{Dir: t.TempDir(), Sync: "often"}, `sync "often" is neither`},
	} {
		f.o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		b, err := Start(f.o)
		if err == nil {
			b.Close()
			err = errors.New("no error")
		}
		if !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: Start says %q, want it to contain %q", f.name, err, f.want)
		}
	}
}

func TestListeningOnEveryAddress(t *testing.T) {
	b := start(t, Options{Listen: ":0"})
	if got, want := b.Addr(), "127.0.0.1:"; !strings.HasPrefix(got, want) {
		t.Errorf("Addr() = %q, want it to begin with %q", got, want)
	}
	intake(t, b, nil)
}

func TestWithoutAListener(t *testing.T) {
	b, err := Start(Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := b.Addr(); got != "" {
		t.Errorf("Addr() = %q, want none", got)
	}
	c, err := b.InProcess().InProcessConn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// The NATS protocol by hand: INFO, then log-in without a word, then what only the journal may do.
	in := bufio.NewReader(c)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(c, "CONNECT {\"verbose\":false}\r\nSUB $JS.> 1\r\nPING\r\n")
	if got, err := in.ReadString('\n'); err != nil || got != "PONG\r\n" {
		t.Errorf("the in-process connection answers %q, %v; want PONG", got, err)
	}
}
