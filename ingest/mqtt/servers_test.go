package mqtt

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/ingest/broker"
)

const patience = 60 * time.Second

// tokens accepts station X with the token "token-X", and the server's own user, whose password outlives a restart.
type tokens struct{}

func (tokens) Authenticate(user, password string) broker.Access {
	if password != "token-"+user {
		return broker.Access{Denied: true}
	}
	if user == "intake" {
		return broker.Access{Intake: true}
	}
	return broker.Access{Station: user}
}

// testBroker is a broker under test that can be stopped and started again.
type testBroker struct {
	url         string
	start, stop func(testing.TB)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// embedded starts our own broker.
func embedded(t testing.TB) *testBroker {
	t.Helper()
	dir, listen := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	var b *broker.Broker
	r := &testBroker{url: "tcp://" + listen}
	r.start = func(t testing.TB) {
		t.Helper()
		var err error
		if b, err = broker.Start(broker.Options{Dir: dir, Listen: listen, Auth: tokens{}, Log: quiet()}); err != nil {
			t.Fatal(err)
		}
		b.SetOpen(true)
	}
	r.stop = func(testing.TB) { b.Close() }
	r.start(t)
	t.Cleanup(func() { b.Close() })
	return r
}

// mosquitto starts a real one with its default settings except for the listener, the persistence if it is to be
// restarted, and the lines in more.
func mosquitto(t testing.TB, persistence bool, more ...string) *testBroker {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs Mosquitto")
	}
	path := "/usr/sbin/mosquitto"
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: apt-get install mosquitto", path)
	}
	dir, port := t.TempDir(), freePort(t)
	config := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\n", port) + strings.Join(more, "")
	if persistence {
		config += fmt.Sprintf("persistence true\npersistence_location %s/\nmax_queued_messages 0\nuser root\n", dir)
	}
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var cmd *exec.Cmd
	stop := func() {
		if cmd == nil {
			return
		}
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		cmd = nil
	}
	r := &testBroker{url: fmt.Sprintf("mqtt://127.0.0.1:%d", port)}
	r.start = func(t testing.TB) {
		t.Helper()
		cmd = exec.Command(path, "-c", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "mosquitto to listen", func() bool {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				return false
			}
			return c.Close() == nil
		})
	}
	r.stop = func(testing.TB) { stop() }
	r.start(t)
	t.Cleanup(stop)
	return r
}

func until(t testing.TB, what string, ok func() bool) {
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

// dial returns a plain client that publishes; it reconnects and sends again what was not acknowledged.
func dial(t testing.TB, r *testBroker, id string) paho.Client {
	t.Helper()
	o := paho.NewClientOptions().AddBroker(r.url).SetClientID("station-" + id).SetUsername(id).SetPassword("token-" + id).
		SetProtocolVersion(4).SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond).
		SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond)
	c := paho.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("station %s: %v", id, token.Error())
	}
	t.Cleanup(func() { c.Disconnect(10) })
	return c
}
