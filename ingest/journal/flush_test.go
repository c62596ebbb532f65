package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"stadtluft/ingest"
)

// gatheredStore counts what is written to it.
type gatheredStore struct {
	storeAt
	mu                      sync.Mutex // guards what follows
	writes, readings, flags int        // flags: writes that have some
}

func (s *gatheredStore) sink(_ context.Context, from, to ingest.Position, b ingest.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes, s.readings = s.writes+1, s.readings+len(b.Readings)
	if len(b.HourFlags) > 0 {
		s.flags++
	}
	return s.advance(from, to)
}

func (s *gatheredStore) counts() (writes, readings int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes, s.readings
}

// write runs a writer on a store. stop returns when it has ended.
func write(t *testing.T, j *Journal, s *gatheredStore) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Write(ctx, s.sink) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// keepAppending appends a reading every few milliseconds for a time, and returns how many. Each is of a station of its own, from first on.
func keepAppending(t *testing.T, j *Journal, first int, duration time.Duration) (n int) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < duration; n++ {
		b := many(1)
		b.Readings[0].Station = fmt.Sprint("S", first+n)
		if err := j.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return n
}

// TestFlush appends without a pause: what comes after the first write waits, until somebody waits for it.
func TestFlush(t *testing.T) {
	s := &gatheredStore{}
	j := open(t, startServer(t, t.TempDir()), Options{Position: s.position})
	j.Flush(t.Context(), time.Time{}, time.Time{}, nil) // nobody writes
	defer write(t, j, s)()
	n := keepAppending(t, j, 0, flushEvery+flushEvery/2)
	before, _ := s.counts()
	if before > 2 {
		t.Errorf("%d writes in %v, want the first and those of what was there", before, flushEvery+flushEvery/2)
	}
	j.Flush(t.Context(), time.Time{}, time.Time{}, []string{"another"})
	at := many(1).Readings[0].Time
	j.Flush(t.Context(), time.Time{}, at, nil)
	if writes, _ := s.counts(); writes != before {
		t.Errorf("%d writes after a flush of a station without readings and of a period without, want %d", writes, before)
	}
	j.Flush(t.Context(), at, at.Add(time.Second), []string{"another", fmt.Sprint("S", n-1)})
	if writes, readings := s.counts(); readings != n || writes != before+1 {
		t.Errorf("%d of %d readings are stored by %d writes after a flush, want all by %d", readings, n, writes, before+1)
	}
	n += keepAppending(t, j, n, flushEvery/4)
	j.Flush(t.Context(), time.Time{}, time.Time{}, nil) // soon after the last write: it does not wait
	n += keepAppending(t, j, n, flushEvery)
	if writes, readings := s.counts(); readings < n/2 || writes != before+2 {
		t.Errorf("%d of %d readings are stored by %d writes, want %d writes", readings, n, writes, before+2)
	}
}

// TestStopWritesWhatHasGathered ends a writer while it gathers.
func TestStopWritesWhatHasGathered(t *testing.T) {
	s := &gatheredStore{}
	j := open(t, startServer(t, t.TempDir()), Options{Position: s.position})
	stop := write(t, j, s)
	n := keepAppending(t, j, 0, quietTime/2)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if writes, _ := s.counts(); writes > 0 {
			break
		}
	}
	n += keepAppending(t, j, n, quietTime/2)
	j.Flush(t.Context(), time.Time{}, time.Time{}, []string{"another"}) // the writer has the last, and still waits for more
	stop()
	if _, readings := s.counts(); readings != n {
		t.Errorf("%d of %d readings are stored when the writer has stopped", readings, n)
	}
}

// TestHourFlagsAreOneWrite appends the flags of an hour in several entries, as those of many stations are.
func TestHourFlagsAreOneWrite(t *testing.T) {
	s := &gatheredStore{}
	j := open(t, startServer(t, t.TempDir()), Options{Position: s.position})
	hour := time.Date(2026, 12, 1, 15, 0, 0, 0, time.UTC)
	for i := range 4 {
		var b ingest.Batch
		for k := range mergeReadings {
			b.HourFlags = append(b.HourFlags, ingest.HourFlags{Station: fmt.Sprint("S", i, "-", k), Hour: hour, Quantity: 1, Flags: ingest.Spike})
		}
		if err := j.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	stop := write(t, j, s)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if at, _ := s.position(t.Context()); at.Seq == 4 {
			break
		}
	}
	stop()
	if s.flags != 1 {
		t.Errorf("the flags of an hour are %d writes, want 1", s.flags)
	}
}

// TestFlushDoesNotWaitForAFailingStore has a store that takes nothing.
func TestFlushDoesNotWaitForAFailingStore(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	failed, done := make(chan bool, 100), make(chan error, 1)
	go func() {
		done <- j.Write(ctx, func(context.Context, ingest.Position, ingest.Position, ingest.Batch) error {
			failed <- true
			return errors.New("the disk is full")
		})
	}()
	if err := j.Append(t.Context(), many(1)); err != nil {
		t.Fatal(err)
	}
	for range 4 { // the next pause is of 800 ms
		<-failed
	}
	begin := time.Now()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { j.Flush(t.Context(), time.Time{}, time.Time{}, nil) })
	}
	all.Wait()
	if took := time.Since(begin); took > flushTime/2 {
		t.Errorf("Flush took %v while the store fails", took)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
