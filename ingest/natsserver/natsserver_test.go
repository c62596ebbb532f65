package natsserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for something that should take milliseconds.
const patience = 20 * time.Second

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waiting for %s took more than %v", what, patience)
		}
	}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	o.Dir, o.Log, o.watchEvery = t.TempDir(), slog.New(slog.DiscardHandler), time.Millisecond
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// disk is a disk with a number of free bytes.
type disk struct{ atomic.Uint64 }

func (d *disk) free(string) (uint64, error) { return d.Load(), nil }

func TestAFullDiskIsAProblem(t *testing.T) {
	var d disk
	d.Store(100)
	s := start(t, Options{Reserve: 50, freeBytes: d.free})
	if err := s.Problem(); err != nil {
		t.Fatalf("Problem() = %v, want nil", err)
	}
	d.Store(49)
	until(t, "a problem", func() bool { return strings.Contains(fmt.Sprint(s.Problem()), "0 MiB free") })
	d.Store(50)
	until(t, "the problem to end", func() bool { return s.Problem() == nil })
}

// TestAFailedWriteAsksForARestart logs what NATS 2.15.2 logged on a file system without space; its JetStreamEnabled
// stays true, so that its log line is the only trace.
func TestAFailedWriteAsksForARestart(t *testing.T) {
	var d disk
	d.Store(49)
	s := start(t, Options{Reserve: 50, freeBytes: d.free})
	(&logger{s, s.options.Log}).Errorf("JetStream stream '$G > STADTLUFT_JOURNAL' critical write error: write 3.blk: no space left on device")
	until(t, "the failed write to be quoted", func() bool { return strings.Contains(fmt.Sprint(s.Problem()), "no space left on device") })
	select {
	case err := <-s.Failed():
		t.Errorf("Failed() without room: %v", err)
	default:
	}
	d.Store(100)
	if err := <-s.Failed(); !strings.Contains(err.Error(), "there is room again") {
		t.Errorf("Failed() = %v, want it to speak of room", err)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name string
		o    Options
		want string
	}{
		{"no folder", Options{Dir: file + "/below"}, "data folder " + file + "/below: "},
		{"sync", Options{Dir: t.TempDir(), Sync: "often"}, `sync "often" is neither`},
	} {
		f.o.Log = slog.New(slog.DiscardHandler)
		s, err := Start(f.o)
		if err == nil {
			s.Close()
			err = errors.New("no error")
		}
		if !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: Start says %q, want it to contain %q", f.name, err, f.want)
		}
	}
}

// TestInProcess speaks the NATS protocol by hand: INFO, then a log-in without a word, then what only a client with
// access to everything may do.
func TestInProcess(t *testing.T) {
	c, err := start(t, Options{}).InProcess().InProcessConn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(c, "CONNECT {\"verbose\":false}\r\nSUB $JS.> 1\r\nPING\r\n")
	if got, err := in.ReadString('\n'); err != nil || got != "PONG\r\n" {
		t.Errorf("the in-process connection answers %q, %v; want PONG", got, err)
	}
}
