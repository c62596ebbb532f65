package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"stadtluft/export/archive"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/sqlite"
)

// busyStore is a store to which another process writes when it is read.
type busyStore struct {
	store.Store
	err   error // after the last reading
	write func()
}

func (s busyStore) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	s.write()
	return cmp.Or(s.Store.Readings(ctx, q, yield), s.err)
}

// dayCounter counts values as the memory does.
type dayCounter struct{ *live.State }

func (c dayCounter) apply(b ingest.Batch) {
	for _, r := range b.Readings {
		c.Observe(r)
	}
}
func (c dayCounter) stored([]averages.Stored) {}
func (c dayCounter) caughtUp()                {}

// TestWhatIsStoredDuringAStartCountsOnce starts while another process writes the journal's entries to the store, which may
// break off while it is read.
func TestWhatIsStoredDuringAStartCountsOnce(t *testing.T) {
	t.Run("read to the end", func(t *testing.T) { countDuringAStart(t, nil) })
	t.Run("broken off", func(t *testing.T) { countDuringAStart(t, errors.New("the store broke off")) })
}

func countDuringAStart(t *testing.T, broken error) {
	t.Helper()
	nats, log := registrytest.StartNATS(t), slog.New(slog.DiscardHandler)
	stations, err := registry.Open(t.Context(), registry.Options{InProcess: nats})
	if err != nil {
		t.Fatal(err)
	}
	defer stations.Close()
	s, err := sqlite.Open(t.Context(), t.TempDir()+"/readings.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	j, err := journal.Open(t.Context(), journal.Options{InProcess: nats, Position: s.Position})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	now := time.Now().UTC().Truncate(time.Second)
	at := func(minutes int, values ...ingest.Value) ingest.Reading {
		when := now.Add(time.Duration(minutes-10) * time.Minute)
		return ingest.Reading{Station: "AAA", Time: when, Received: when, Values: values}
	}
	pm10, humidity := ingest.Value{Quantity: quantity.PM10, Value: 20}, ingest.Value{Quantity: quantity.Humidity, Value: 50}
	add := func(r ingest.Reading) {
		t.Helper()
		if err := j.Append(t.Context(), ingest.Batch{Readings: []ingest.Reading{r}}); err != nil {
			t.Fatal(err)
		}
	}
	written := uint64(0)
	write := func(until uint64) { // as a writer does
		t.Helper()
		ctx, done := context.WithCancel(t.Context())
		defer done()
		err := j.Write(ctx, func(ctx context.Context, from, to ingest.Position, b ingest.Batch) error {
			err := s.Advance(ctx, b.Readings, from, to, nil)
			if written = to.Seq; err == nil && written >= until {
				done()
			}
			return err
		})
		if err != nil || written != until {
			t.Fatalf("written up to %d, %v, want %d", written, err, until)
		}
	}
	add(at(0, pm10))
	write(1)
	busy := busyStore{s, broken, func() {
		add(at(1, pm10))
		add(at(2, pm10))
		write(3)
		add(at(2, humidity)) // of a station that sends each value by itself
		add(at(3, pm10))
	}}
	counter := dayCounter{live.NewState()}
	r := &replay{journal: j, registry: stations, log: log, since: now.Add(-24 * time.Hour), ahead: time.Minute, past: true, followers: []follower{counter},
		storage: &storage{Store: archive.Store{Store: busy, Archive: &archive.Archive{Dir: t.TempDir()}}}}
	sup := newSupervisor(log)
	defer sup.stop()
	if err := r.start(t.Context(), sup); err != nil {
		t.Fatal(err)
	}
	if got := counter.DayStats("AAA", now).Values; got != 5 {
		t.Errorf("%d values of the day, want 5", got)
	}
}

// hoursStore has a reading in each of two hours, and tells when it has been read to the end.
type hoursStore struct {
	store.Store
	read chan struct{}
}

func (s hoursStore) Readings(_ context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	for hour := range 2 {
		at := q.From.Add(time.Duration(hour) * time.Hour)
		if err := yield(ingest.Reading{Station: "AAA", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 20}}}); err != nil {
			return err
		}
	}
	close(s.read)
	return nil
}

// slowFollower takes the first readings when the store has been read to the end.
type slowFollower struct {
	t    *testing.T
	read chan struct{}
	n    *int
}

func (f slowFollower) apply(b ingest.Batch) {
	select {
	case <-f.read:
	case <-f.t.Context().Done():
	case <-time.After(10 * time.Second):
		f.t.Error("the store is not read while readings are passed on")
	}
	*f.n += len(b.Readings)
}
func (f slowFollower) stored([]averages.Stored) {}
func (f slowFollower) caughtUp()                {}

func TestAStartReadsWhileItPassesOn(t *testing.T) {
	stations, err := registry.Open(t.Context(), registry.Options{InProcess: registrytest.StartNATS(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer stations.Close()
	read, n := make(chan struct{}), 0
	r := &replay{registry: stations, log: slog.New(slog.DiscardHandler), since: time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Hour), passed: newPassed(ingest.Position{}),
		followers: []follower{slowFollower{t, read, &n}}, storage: &storage{Store: archive.Store{Store: hoursStore{read: read}, Archive: &archive.Archive{Dir: t.TempDir()}}}}
	if err := r.readStore(t.Context(), func() {}); err != nil || n != 2 {
		t.Errorf("%d readings, %v, want 2", n, err)
	}
}
