package mqtt

import (
	"context"
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
	config := fmt.Sprintf("listener %d 127.0.0.1\n", port) + strings.Join(append([]string{"allow_anonymous true\n"}, more...), "")
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

// guarded starts one that lets in station AAA alone, with its token, and lets it read nothing of the stations' topics.
func guarded(t testing.TB) *testBroker {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs Mosquitto")
	}
	dir := t.TempDir()
	passwords, acl := filepath.Join(dir, "passwords"), filepath.Join(dir, "acl")
	if out, err := exec.Command("mosquitto_passwd", "-c", "-b", passwords, "AAA", "token-AAA").CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	if err := os.WriteFile(acl, []byte("user AAA\ntopic write stadtluft/v1/AAA/#\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mosquitto(t, false, fmt.Sprintf("allow_anonymous false\npassword_file %s\nacl_file %s\nuser root\n", passwords, acl))
}

// ours starts our own broker, which refuses a subscription at once, as a Mosquitto with an ACL does not.
func ours(t testing.TB) *testBroker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(broker.Options{Authenticate: func(id, token string) bool { return token == "token-"+id }, Log: quiet()})
	b.Open()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		cancel()
		b.Close()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v, want nil", err)
		}
	})
	return &testBroker{url: "tcp://" + l.Addr().String()}
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
