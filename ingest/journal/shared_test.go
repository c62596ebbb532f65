package journal

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// sharing is a process that appends what is not there yet.
type sharing struct {
	*Shared
	mu     sync.Mutex // guards passed
	passed map[int64]float64
}

func share(t *testing.T, j *Journal) *sharing {
	t.Helper()
	p := &sharing{passed: map[int64]float64{}}
	var err error
	p.Shared, err = j.Share(t.Context(), func(b ingest.Batch) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, r := range b.Readings {
			p.passed[r.Time.Unix()] = r.Values[0].Value
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Follow(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return p
}

// put appends a value for a second unless there is one; it reports whether it did.
func (p *sharing) put(t *testing.T, second int64, value float64) bool {
	b := ingest.Batch{Readings: []ingest.Reading{{
		Station: "A", Time: time.Unix(second, 0).UTC(), Received: time.Unix(second, 0).UTC(), Values: []ingest.Value{{Quantity: quantity.PM10, Value: value}},
	}}}
	for {
		p.mu.Lock()
		_, there := p.passed[second]
		p.mu.Unlock()
		if there {
			return false
		}
		err := p.Append(t.Context(), b)
		if err == nil {
			return true
		}
		var behind *ingest.BehindError
		if !errors.As(err, &behind) {
			t.Errorf("append: %v", err)
			return false
		}
		for _, other := range behind.Others {
			for _, r := range other.Readings {
				if r.Time.Unix() == second {
					return false
				}
			}
		}
	}
}

// TestWhatOthersAppendedEndsAProblem fails to append, and then hears that another process has appended the same: nothing is left to
// append, and nothing is wrong any more.
func TestWhatOthersAppendedEndsAProblem(t *testing.T) {
	s := startServer(t, t.TempDir())
	j, other := open(t, s, Options{}), open(t, s, Options{})
	p := share(t, j)
	b := ingest.Batch{Readings: []ingest.Reading{{Station: "A", Time: time.Unix(1, 0).UTC(), Received: time.Unix(1, 0).UTC(), Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}}}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Append(cut, b); err == nil || j.Problem() == nil {
		t.Fatalf("append without NATS: %v, problem %v", err, j.Problem())
	}
	if err := other.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var behind *ingest.BehindError
	if err := p.Append(t.Context(), b); !errors.As(err, &behind) || len(behind.Others) != 1 {
		t.Fatalf("append after another: %v", err)
	}
	if err := j.Problem(); err != nil {
		t.Errorf("the problem stays: %v", err)
	}
}

// TestAnAnswerEndsAProblem fails to append once, as a process that loses its lease meanwhile: when NATS answers again nothing is
// wrong any more, though nothing is appended.
func TestAnAnswerEndsAProblem(t *testing.T) {
	s := startServer(t, t.TempDir())
	j := open(t, s, Options{})
	share(t, j)
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Append(cut, many(1)); err == nil || j.Problem() == nil {
		t.Fatalf("append without NATS: %v, problem %v", err, j.Problem())
	}
	until(t, j.Problem)
}

// TestOthersAreToldBeforeAnAppend has another process append after a batch was checked and before it is appended: it is told, and
// nothing is appended until then.
func TestOthersAreToldBeforeAnAppend(t *testing.T) {
	s := startServer(t, t.TempDir())
	here, there := share(t, open(t, s, Options{})), share(t, open(t, s, Options{}))
	if !there.put(t, 7, 1) {
		t.Fatal("the first append failed")
	}
	until(t, func() error {
		here.Shared.mu.Lock()
		defer here.Shared.mu.Unlock()
		if here.last != there.last {
			return errors.New("the other's reading is not passed on")
		}
		return nil
	})
	b := many(1)
	var behind *ingest.BehindError
	if err := here.Append(t.Context(), b); !errors.As(err, &behind) || len(behind.Others) != 1 || behind.Others[0].Readings[0].Time.Unix() != 7 {
		t.Errorf("an append after a batch that its process has not been told: %v", err)
	}
	if err := here.Append(t.Context(), b); err != nil {
		t.Errorf("an append after that was told: %v", err)
	}
}

// TestSharedAppends has three processes append a value for each of 300 seconds at the same time, while a fourth appends
// flags. Each second must be in the journal once, and each process know all of what the others appended.
func TestSharedAppends(t *testing.T) {
	s := startServer(t, t.TempDir())
	const processes, seconds = 3, 300
	var all []*sharing
	var mine [processes]int
	for range processes {
		all = append(all, share(t, open(t, s, Options{})))
	}
	other := open(t, s, Options{})
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() {
			for second := range int64(seconds) {
				if p.put(t, second, float64(i)) {
					mine[i]++
				}
			}
		})
	}
	wg.Go(func() {
		for range seconds / 10 {
			err := other.Append(t.Context(), ingest.Batch{HourFlags: []ingest.HourFlags{{Station: "A", Hour: time.Unix(0, 0).UTC(), Quantity: quantity.PM10}}})
			if err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	values := map[int64]int{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := other.Follow(ctx, ingest.Position{}, time.Time{}, cancel, func(b ingest.Batch) error {
		for _, r := range b.Readings {
			values[r.Time.Unix()]++
		}
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for second := range int64(seconds) {
		if values[second] != 1 {
			t.Errorf("second %d is %d times in the journal, want once", second, values[second])
		}
	}
	sum := 0
	for i, p := range all {
		sum += mine[i]
		until(t, func() error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if n := len(p.passed); n != seconds-mine[i] {
				return errors.New("the others' readings are not passed on")
			}
			return nil
		})
	}
	if sum != seconds {
		t.Errorf("%v were appended, want %d together", mine, seconds)
	}
	t.Logf("appended by each: %v", mine)
}

// TestSharedAfterALostEnd appends when the journal has lost its last entries.
func TestSharedAfterALostEnd(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir)
	j := open(t, s, Options{})
	appendAll(t, j, 5)
	p := share(t, j)
	if !p.put(t, 10, 1) {
		t.Fatal("not appended")
	}
	p.Shared.mu.Lock()
	p.Shared.last += 3 // what this process believes to be there
	p.Shared.mu.Unlock()
	if !p.put(t, 11, 1) {
		t.Fatal("not appended after the end was lost")
	}
	if other := share(t, open(t, s, Options{})); !other.put(t, 12, 1) {
		t.Fatal("not appended by another")
	}
	if !p.put(t, 13, 1) {
		t.Fatal("not appended after another")
	}
}
