package lease

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"stadtluft/ingest/streams"
)

const patience = 30 * time.Second

func startServer(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	return s
}

// link is the way of a process to the server, which can be cut.
type link struct {
	server streams.InProcess

	mu    sync.Mutex // guards both below
	cut   bool
	conns []net.Conn
}

func (k *link) InProcessConn() (net.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cut {
		return nil, io.ErrClosedPipe
	}
	c, err := k.server.InProcessConn()
	if err == nil {
		k.conns = append(k.conns, c)
	}
	return c, err
}

func (k *link) set(cut bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut
	for _, c := range k.conns {
		c.Close()
	}
	k.conns = nil
}

// process takes part in a lease until end.
type process struct {
	*Lease
	bucket  *Bucket
	working atomic.Bool
	end     func()
}

func begin(t *testing.T, server streams.InProcess, name string, works *atomic.Int32) *process {
	t.Helper()
	b, err := Open(t.Context(), Options{InProcess: server, Prefix: "TEST", Holder: name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Lease: b.Lease("write"), bucket: b}
	run, stopRun := context.WithCancel(t.Context())
	work, stopWork := context.WithCancel(t.Context())
	var running, worker sync.WaitGroup
	running.Go(func() { p.Run(run) })
	worker.Go(func() {
		p.While(work, func(ctx context.Context) error {
			if works.Add(1) != 1 {
				t.Error("two work at once")
			}
			p.working.Store(true)
			<-ctx.Done()
			p.working.Store(false)
			works.Add(-1)
			return ctx.Err()
		})
	})
	p.end = sync.OnceFunc(func() {
		stopWork()
		worker.Wait()
		stopRun()
		running.Wait()
		b.Close()
	})
	t.Cleanup(p.end)
	return p
}

// sees reports whether the bucket names a holder, as this process reads it.
func (p *process) sees(t *testing.T, holder string) bool {
	t.Helper()
	name, err := p.bucket.Holder(t.Context(), "write")
	return err == nil && name == holder
}

// eventually returns how long a condition took.
func eventually(t *testing.T, what string, condition func() bool) time.Duration {
	t.Helper()
	start, tick := time.Now(), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Since(start) > patience {
			t.Fatalf("waited %v for %s", patience, what)
		}
		<-tick.C
	}
	return time.Since(start)
}

// TestLease lets two processes take part. The first ends cleanly, the second loses its way to the server and gets it back
// when the third has the lease.
func TestLease(t *testing.T) {
	s := startServer(t)
	var works atomic.Int32
	first := begin(t, s, "first", &works)
	eventually(t, "the first to work", first.working.Load)
	way := &link{server: s}
	second := begin(t, way, "second", &works)
	eventually(t, "the second to know the first", func() bool { return second.sees(t, "first") })
	if second.Held() || !first.Held() {
		t.Fatalf("held by the first %v, by the second %v", first.Held(), second.Held())
	}
	first.end()
	if took := eventually(t, "the second to work", second.working.Load); took > 2*time.Second {
		t.Errorf("the second waited %v after a clean end", took)
	}
	third := begin(t, s, "third", &works)
	eventually(t, "the third to know the second", func() bool { return third.sees(t, "second") })
	way.set(true)
	took := eventually(t, "the third to work", third.working.Load)
	if took < Lifetime-renewEvery || took > Lifetime+2*time.Second {
		t.Errorf("the third waited %v for a lease that is not renewed, want about %v", took, Lifetime)
	}
	if second.Held() || second.working.Load() {
		t.Error("the second still holds what it cannot renew")
	}
	way.set(false)
	eventually(t, "the second to know the third", func() bool { return second.sees(t, "third") && second.Problem() == nil })
	if second.working.Load() {
		t.Error("the second works again")
	}
}

// TestAShortCutLosesNothing cuts the holder off for less than the lease lasts.
func TestAShortCutLosesNothing(t *testing.T) {
	s := startServer(t)
	var works atomic.Int32
	way := &link{server: s}
	holder := begin(t, way, "holder", &works)
	eventually(t, "the holder to work", holder.working.Load)
	other := begin(t, s, "other", &works)
	eventually(t, "the other to know it", func() bool { return other.sees(t, "holder") })
	way.set(true)
	time.AfterFunc(time.Second, func() { way.set(false) })
	gone := time.After(Lifetime + 2*time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
			if !holder.working.Load() || other.Held() {
				t.Fatalf("the holder works %v, the other holds it %v", holder.working.Load(), other.Held())
			}
		}
	}
}

// TestNobodyElse expects work without a lease to go on until its context ends.
func TestNobodyElse(t *testing.T) {
	var l *Lease
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := l.While(ctx, func(ctx context.Context) error {
		calls++
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if calls != 1 || err != context.Canceled || !l.Held() || l.Problem() != nil {
		t.Errorf("%d calls, %v, held %v, problem %v", calls, err, l.Held(), l.Problem())
	}
}
