package journal

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"stadtluft/ingest"
)

const patience = 30 * time.Second

func startServer(t testing.TB, dir string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// storeAt is a store that only knows its position.
type storeAt struct {
	mu sync.Mutex // guards at
	at ingest.Position
}

func (s *storeAt) position(context.Context) (ingest.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at, nil
}

func (s *storeAt) advance(from, to ingest.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.at.Equal(from) {
		return ingest.ErrPosition
	}
	s.at = to
	return nil
}

func open(t testing.TB, s *server.Server, o Options) *Journal {
	t.Helper()
	o.InProcess = s
	if o.Position == nil {
		o.Position = new(storeAt).position
	}
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j
}

func appendAll(t testing.TB, j *Journal, n int) {
	t.Helper()
	for i := range n {
		b := many(1)
		b.Readings[0].Time = time.Unix(int64(i), 0).UTC()
		if err := j.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// written runs a writer on an empty store until it has n readings and returns their seconds.
func written(t testing.TB, j *Journal, n int) []int64 {
	t.Helper()
	return writtenTo(t, j, new(storeAt), n)
}

// writtenTo runs a writer on a store until it has got n readings and returns their seconds.
func writtenTo(t testing.TB, j *Journal, s *storeAt, n int) []int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	j.o.Position = s.position
	var got []int64
	err := j.Write(ctx, func(_ context.Context, from, to ingest.Position, b ingest.Batch) error {
		if err := s.advance(from, to); err != nil {
			return err
		}
		for _, r := range b.Readings {
			got = append(got, r.Time.Unix())
		}
		if len(got) >= n {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func upTo(n int) []int64 {
	var all []int64
	for i := range n {
		all = append(all, int64(i))
	}
	return all
}

func TestFailingSinkGetsTheSameBatchAgain(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	appendAll(t, j, 100)
	ctx, cancel := context.WithCancel(t.Context())
	_ = j.Write(ctx, func(context.Context, ingest.Position, ingest.Position, ingest.Batch) error {
		cancel()
		return errors.New("dies")
	})
	if got, want := written(t, j, 100), upTo(100); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if s, err := j.Stats(t.Context()); err != nil || s.Unwritten != 0 || s.Written != 100 {
		t.Errorf("got %+v, %v, want all written", s, err)
	}
}

// TestWritesGather appends one entry after another: the first is written at once, those that come within quietTime are one
// write to the store.
func TestWritesGather(t *testing.T) {
	store := &storeAt{}
	j := open(t, startServer(t, t.TempDir()), Options{Position: store.position})
	ctx, stop := context.WithCancel(t.Context())
	got, writes, begin := make(chan int, 100), 0, time.Now()
	done := make(chan error, 1)
	go func() {
		done <- j.Write(ctx, func(_ context.Context, from, to ingest.Position, b ingest.Batch) error {
			writes++
			got <- len(b.Readings)
			return store.advance(from, to)
		})
	}()
	const entries = 40
	appendAll(t, j, 1)
	<-got
	if took := time.Since(begin); took >= quietTime {
		t.Errorf("the first entry was written after %v", took)
	}
	appendAll(t, j, entries)
	for n := 0; n < entries; n += <-got {
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if most := int(time.Since(begin)/quietTime) + 2; writes > most {
		t.Errorf("%d writes of %d entries in %v, want at most %d", writes, entries, time.Since(begin), most)
	}
}

func TestRestartAndCorruptEntry(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir)
	j := open(t, s, Options{})
	appendAll(t, j, 3)
	if _, err := j.js.Publish(t.Context(), j.subject(), []byte{7}); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), many(2000)); err != nil {
		t.Fatal(err)
	}
	j.Close()
	s.Shutdown()
	s.WaitForShutdown()
	j = open(t, startServer(t, dir), Options{})
	if got := len(written(t, j, 2003)); got != 2003 {
		t.Errorf("got %d readings, want 2003", got)
	}
	aside, err := j.js.Stream(t.Context(), j.o.Stream+"_ASIDE")
	if err != nil {
		t.Fatal(err)
	}
	m, err := aside.GetMsg(t.Context(), 1)
	if err != nil || m.Header.Get("Stadtluft-Sequence") != "4" || !slices.Equal(m.Data, []byte{7}) {
		t.Errorf("got %+v, %v, want entry 4 aside", m, err)
	}
}

func TestFullKeepsEverything(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{MaxBytes: 64 << 10})
	taken := 0
	var err error
	for ; err == nil; taken += 100 {
		err = j.Append(t.Context(), many(100))
	}
	taken -= 100
	if !errors.Is(err, ErrFull) || j.Problem() == nil {
		t.Fatalf("got %v, problem %v, want ErrFull", err, j.Problem())
	}
	if got := len(written(t, j, taken)); got != taken {
		t.Errorf("got %d readings, want %d", got, taken)
	}
	if err := j.Append(t.Context(), many(100)); err != nil || j.Problem() != nil {
		t.Errorf("after writing: got %v, problem %v, want room again", err, j.Problem())
	}
}

func TestTrimKeepsUnwritten(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	appendAll(t, j, 10)
	later := time.Now().Add(100 * time.Hour)
	if n, err := j.trim(t.Context(), later); n != 0 || err != nil {
		t.Errorf("unwritten: got %d, %v, want 0", n, err)
	}
	written(t, j, 10)
	appendAll(t, j, 5)
	if n, err := j.trim(t.Context(), time.Now()); n != 0 || err != nil {
		t.Errorf("young: got %d, %v, want 0", n, err)
	}
	if n, err := j.trim(t.Context(), later); n != 10 || err != nil {
		t.Errorf("old: got %d, %v, want 10", n, err)
	}
}

func follow(t testing.TB, j *Journal, since time.Time) (n int) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := j.Follow(ctx, ingest.Position{}, since, cancel, func(ingest.Batch) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFollow(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	if got := follow(t, j, time.Now()); got != 0 {
		t.Errorf("empty: got %d entries, want 0", got)
	}
	appendAll(t, j, 50)
	if got := follow(t, j, time.Now().Add(-time.Hour)); got != 50 {
		t.Errorf("got %d entries, want 50", got)
	}
	if got := follow(t, j, time.Now().Add(time.Hour)); got != 0 {
		t.Errorf("from later on: got %d entries, want 0", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "50": 50, "500": 500} {
		b.Run(name, func(b *testing.B) {
			j, batch := open(b, startServer(b, b.TempDir()), Options{}), many(n)
			for b.Loop() {
				if err := j.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

func BenchmarkFollow(b *testing.B) {
	const entries = 2000
	j := open(b, startServer(b, b.TempDir()), Options{})
	for range entries {
		if err := j.Append(b.Context(), many(10)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if got := follow(b, j, time.Now().Add(-time.Hour)); got != entries {
			b.Fatalf("got %d entries, want %d", got, entries)
		}
	}
	b.ReportMetric(float64(entries*b.N)/b.Elapsed().Seconds(), "entries/s")
}
