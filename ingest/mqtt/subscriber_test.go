package mqtt

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest"
)

// run starts a subscriber and ends it with the test or with the function it returns.
func run(t testing.TB, r *testBroker, held int, out chan<- ingest.Message) (*Subscriber, func()) {
	t.Helper()
	s, err := New(Options{
		Broker: r.url, Username: "intake", Password: "token-intake", ClientID: "intake", Held: held, Out: out, Log: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var gone bool
	stop := func() {
		cancel()
		if !gone {
			gone = true
			if err := <-ended; err != nil {
				t.Errorf("Run() = %v, want nil", err)
			}
		}
	}
	t.Cleanup(stop)
	select {
	case <-s.Ready():
	case <-time.After(patience):
		_, _, err := s.Connected()
		t.Fatalf("no subscription after %v: %v", patience, err)
	}
	return s, stop
}

// consume acknowledges in batches, each late, until it has received n different payloads. It returns false when it
// receives nothing for too long.
func consume(in <-chan ingest.Message, n, batch int) (seen map[string]int, redelivered int, ok bool) {
	seen = map[string]int{}
	var held []ingest.Message
	late := time.NewTicker(5 * time.Millisecond)
	defer late.Stop()
	for last := time.Now(); len(seen) < n || len(held) > 0; {
		select {
		case m := <-in:
			last = time.Now()
			seen[string(m.Payload)]++
			if m.Redelivered {
				redelivered++
			}
			if held = append(held, m); len(held) < batch {
				continue
			}
		case <-late.C:
			if time.Since(last) > patience {
				return seen, redelivered, false
			}
		}
		for _, m := range held {
			m.Done(ingest.Outcome{})
		}
		held = held[:0]
	}
	return seen, redelivered, true
}

// send publishes n numbered messages at QoS 1 and returns when all are acknowledged.
func send(t testing.TB, r *testBroker, id string, from, n int) {
	t.Helper()
	c := dial(t, r, id)
	window := make(chan struct{}, 50)
	for i := from; i < from+n; i++ {
		window <- struct{}{}
		token := c.Publish("stadtluft/v1/"+id+"/reading", 1, false, fmt.Sprint(i))
		go func() {
			<-token.Done()
			<-window
		}()
	}
	for range cap(window) {
		select {
		case window <- struct{}{}:
		case <-time.After(patience):
			t.Errorf("not all publishes were acknowledged within %v", patience)
			return
		}
	}
}

func TestLateAcknowledgementsInBatches(t *testing.T) {
	t.Parallel() // it waits more than it works
	const n = 5000
	r := mosquitto(t, false)
	in := make(chan ingest.Message)
	s, _ := run(t, r, 0, in)
	const part = 500
	go func() { // Mosquitto acknowledges and drops what exceeds 1,000 queued messages
		for k := 0; k < n; k += part {
			send(t, r, fmt.Sprint("S", k), k, part)
			until(t, "most of a part", func() bool { return s.Counts().Received > uint64(k+part/2) })
		}
	}()
	seen, _, ok := consume(in, n, 1000) // a batch that Mosquitto's window of 20 never fills
	if !ok || len(seen) != n {
		t.Fatalf("%d of %d messages arrived", len(seen), n)
	}
	for payload, times := range seen {
		if times != 1 {
			t.Errorf("message %s arrived %d times, want once", payload, times)
		}
	}
	if got := s.Counts(); got.Received != n || got.Held != 0 || got.Overflows != 0 {
		t.Errorf("Counts() = %+v, want %d received, none held, no overflow", got, n)
	}
}

func TestBrokerRestartLosesNothing(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := mosquitto(t, true)
	const n = 5000
	in := make(chan ingest.Message)
	s, _ := run(t, r, 0, in)
	go send(t, r, "AAA", 0, n)
	restarted := make(chan struct{})
	go func() {
		defer close(restarted)
		until(t, "the first messages", func() bool { return s.Counts().Received > n/5 })
		r.stop(t)
		r.start(t)
	}()
	seen, _, ok := consume(in, n, 500)
	<-restarted
	if !ok || len(seen) != n {
		t.Errorf("%d of %d messages arrived", len(seen), n)
	}
	if got := s.Counts().Connects; got < 2 {
		t.Errorf("%d connections, want at least 2", got)
	}
}

func TestUnacknowledgedMessagesAreRedelivered(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := mosquitto(t, true)
	const n = 10
	in := make(chan ingest.Message, n)
	_, stop := run(t, r, 0, in)
	send(t, r, "AAA", 0, n)
	for range n {
		<-in // never done
	}
	stop()
	again := make(chan ingest.Message, n)
	run(t, r, 0, again)
	seen, redelivered, ok := consume(again, n, n)
	if !ok || redelivered != n {
		t.Errorf("%d messages came again, %d of them flagged; want %d", len(seen), redelivered, n)
	}
}

// TestOverflow has capacity for 10 of 100 messages. The rest must wait at the broker, the connection must
// end, and all must arrive in the end.
func TestOverflow(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := mosquitto(t, true)
	const n = 100
	in := make(chan ingest.Message)
	s, _ := run(t, r, 10, in)
	go send(t, r, "AAA", 0, n)
	until(t, "the overflow", func() bool { return s.Counts().Overflows > 0 })
	if got := s.Counts().Held; got > 10 {
		t.Errorf("%d messages are held, want at most 10", got)
	}
	if seen, _, ok := consume(in, n, 5); !ok {
		t.Errorf("%d of %d messages arrived", len(seen), n)
	}
}

// TestBusyJournal has capacity for 10 of the 20 messages that Mosquitto sends before it waits, and a receiver that takes its
// time: the rest must wait at the broker, on the same connection.
func TestBusyJournal(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := mosquitto(t, true)
	const n = 200
	in := make(chan ingest.Message)
	s, _ := run(t, r, 10, in)
	go send(t, r, "AAA", 0, n)
	seen, redelivered, ok := consume(in, n, 5)
	if !ok || redelivered > 0 {
		t.Errorf("%d of %d messages arrived, %d of them again", len(seen), n, redelivered)
	}
	if got := s.Counts(); got.Overflows != 0 || got.Connects != 1 || got.Held != 0 {
		t.Errorf("Counts() = %+v, want no overflow, one connection, none held", got)
	}
}

func TestRetainedFlag(t *testing.T) {
	r := mosquitto(t, true)
	c := dial(t, r, "AAA")
	if token := c.Publish("stadtluft/v1/AAA/status", 1, true, "online"); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	in := make(chan ingest.Message, 1)
	run(t, r, 0, in)
	m := <-in
	m.Done(ingest.Outcome{})
	if string(m.Payload) != "online" || !m.Retained || m.Topic != "stadtluft/v1/AAA/status" {
		t.Errorf("got %q on %s, retained %v; want online on the status topic, true", m.Payload, m.Topic, m.Retained)
	}
}

func TestPublish(t *testing.T) {
	r := mosquitto(t, false)
	in := make(chan ingest.Message, 1)
	s, _ := run(t, r, 0, in)
	if err := s.Publish(t.Context(), "stadtluft/v1/city/pm10", 1, true, []byte("20.1")); err != nil {
		t.Errorf("Publish() = %v, want nil", err)
	}
	if err := s.Publish(t.Context(), "stadtluft/v1/AAA/reading", 1, false, []byte("x")); err != nil {
		t.Errorf("Publish() = %v, want nil", err)
	}
	m := <-in // the first of the two is on a topic without a filter
	m.Done(ingest.Outcome{})
	if string(m.Payload) != "x" {
		t.Errorf("got %q, want x", m.Payload)
	}
	r.stop(t)
	until(t, "the loss to be noticed", func() bool { ok, _, _ := s.Connected(); return !ok })
	if err := s.Publish(t.Context(), "stadtluft/v1/city/pm10", 1, true, nil); err == nil {
		t.Error("Publish() without a broker = nil, want an error")
	}
}

func TestRefusedLogIn(t *testing.T) {
	r := guarded(t)
	s, err := New(Options{Broker: r.url, Username: "AAA", Password: "wrong", ClientID: "x", Out: make(chan ingest.Message), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.Run(ctx)
	var last error
	until(t, "the refusal", func() bool { _, _, last = s.Connected(); return last != nil })
	if !strings.Contains(last.Error(), "wrong user or password") {
		t.Errorf("Connected() says %q, want it to name user or password", last)
	}
}

// TestRefusedSubscription logs in as a station, which may not read the others' topics.
func TestRefusedSubscription(t *testing.T) {
	r := ours(t)
	s, err := New(Options{Broker: r.url, Username: "AAA", Password: "token-AAA", ClientID: "x", Out: make(chan ingest.Message), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.Run(ctx)
	var last error
	until(t, "the refusal", func() bool { _, _, last = s.Connected(); return last != nil })
	if !strings.Contains(last.Error(), "subscribe to stadtluft/v1/") {
		t.Errorf("Connected() says %q, want it to name the subscription", last)
	}
}

// TestPublishOnly subscribes to nothing, as a user who may read nothing.
func TestPublishOnly(t *testing.T) {
	r := guarded(t)
	s, err := New(Options{Broker: r.url, Username: "AAA", Password: "token-AAA", ClientID: "x", Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.Run(ctx)
	until(t, "a connection", func() bool { ok, _, _ := s.Connected(); return ok })
	if err := s.Publish(t.Context(), "stadtluft/v1/AAA/reading", 1, false, []byte("x")); err != nil {
		t.Errorf("Publish() = %v, want nil", err)
	}
}

func TestNewErrors(t *testing.T) {
	file := t.TempDir() + "/ca.pem"
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		o    Options
		want string
	}{
		{Options{Broker: "127.0.0.1:1883", ClientID: "x"}, "mqtt.broker"},
		{Options{Broker: "http://host", ClientID: "x"}, "begins with none of"},
		{Options{Broker: "tcp://host"}, "no client id"},
		{Options{Broker: "mqtts://host", ClientID: "x", CAFile: file}, "no certificate in"},
		{Options{Broker: "ssl://host", ClientID: "x", CAFile: file + "-missing"}, "mqtt.ca"},
	} {
		if _, err := New(f.o); err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("New(%q) says %v, want it to contain %q", f.o.Broker, err, f.want)
		}
	}
	s, err := New(Options{Broker: "mqtts://host", ClientID: "x"})
	if err != nil || s.broker != "ssl://host:8883" {
		t.Errorf("New(mqtts://host) is %v, %v; want ssl://host:8883", s, err)
	}
}

// TestContestedClientID lets two subscribers use one client id, as two processes on copies of a data folder would.
func TestContestedClientID(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := mosquitto(t, false)
	s, _ := run(t, r, 0, make(chan ingest.Message, 1))
	if err := s.Contested(); err != nil {
		t.Errorf("Contested() = %v of the only client", err)
	}
	run(t, r, 0, make(chan ingest.Message, 1))
	until(t, "the contest to be noticed", func() bool { return s.Contested() != nil })
	if err := s.Contested(); !strings.Contains(err.Error(), `another client uses the id "intake"`) {
		t.Errorf("Contested() = %v, want it to name the id", err)
	}
}
