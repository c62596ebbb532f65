package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	nats "github.com/nats-io/nats-server/v2/server"
)

// oldBroker is the embedded broker of the version before, on a data folder: NATS's MQTT, which kept messages for the
// session of the intake.
type oldBroker struct {
	url    string
	server *nats.Server
}

func startOldBroker(t *testing.T, data string) oldBroker {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := nats.NewServer(&nats.Options{
		ServerName: "stadtluft", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: filepath.Join(data, "nats"), MaxPayload: 256 << 10,
		MQTT: nats.MQTTOpts{Host: "127.0.0.1", Port: addr.Port, AckWait: 10 * time.Second, MaxAckPending: 8192},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the old broker is not ready")
	}
	return oldBroker{"tcp://" + addr.String(), s}
}

// subscribe makes the session of the intake, as the version before did, and leaves it.
func (o oldBroker) subscribe(t *testing.T) {
	t.Helper()
	const intake = "stadtluft-intake"
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(o.url).SetClientID(intake).SetProtocolVersion(4).SetCleanSession(false))
	done := func(token mqtt.Token) {
		t.Helper()
		if !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatalf("the old intake: %v", token.Error())
		}
	}
	done(c.Connect())
	done(c.SubscribeMultiple(map[string]byte{"stadtluft/v1/+/reading": 1, "stadtluft/v1/+/status": 1, "stadtluft/v1/+/kit/#": 1}, nil))
	c.Disconnect(100)
}

// TestMessagesOfTheOldBrokerAreTaken starts on a data folder whose broker, that of the version before, holds 5,000
// messages which it had acknowledged and nobody had read; once with the journal in the same folder, and once elsewhere.
func TestMessagesOfTheOldBrokerAreTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: sends 10,000 readings")
	}
	f := func(t *testing.T, env ...string) {
		data, registered := t.TempDir(), t.TempDir()
		senders := registerStations(t, registered, 50)
		copyRegistry(t, registered, data)
		_, end := span()
		old := startOldBroker(t, data)
		old.subscribe(t)
		publish(t, t.Context(), old.url, false, senders, end, atOnce)
		old.server.Shutdown()
		old.server.WaitForShutdown()
		if !slices.ContainsFunc(streamNames(t, data), func(name string) bool { return name == "$MQTT_msgs" }) {
			t.Fatal("the old broker kept no messages")
		}

		p := launch(t, data, env...)
		grid := checkStory(t, p, senders)
		if left := streamNames(t, data); slices.ContainsFunc(left, func(name string) bool { return strings.HasPrefix(name, "$MQTT") }) {
			t.Errorf("the streams %q are there, want none of the old broker", left)
		}
		p.kill()
		p.start()
		if got := checkStory(t, p, senders); got != grid {
			t.Errorf("the grid differs after another start: %s", firstDifference(got, grid))
		}
		if got := p.metric("stadtluft_received_total"); got != 0 {
			t.Errorf("another start received %v messages, want none", got)
		}
	}
	t.Run("embedded", func(t *testing.T) { f(t) })
	t.Run("journal elsewhere", func(t *testing.T) { f(t, "STADTLUFT_NATS_URL="+startNATS(t)) })
}

// streamNames returns the names of the streams in a data folder.
func streamNames(t *testing.T, data string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(data, "nats", "jetstream", "$G", "streams"))
	if errors.Is(err, fs.ErrNotExist) { // none
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}
