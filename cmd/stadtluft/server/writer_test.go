package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"stadtluft/export/archive"
	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/sqlite"
)

// refusingStore is a store that answers and takes nothing.
type refusingStore struct{ store.Store }

func (refusingStore) Advance(context.Context, []ingest.Reading, ingest.Position, ingest.Position, func([]store.Rejected) error) error {
	return errors.New("not now")
}

// TestWhoStandsByBlamesNoStore has a writer fail until its lease ends: another process writes then, and tells how the store is.
func TestWhoStandsByBlamesNoStore(t *testing.T) {
	nats := registrytest.StartNATS(t)
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
	stations, err := registry.Open(t.Context(), registry.Options{InProcess: nats})
	if err != nil {
		t.Fatal(err)
	}
	defer stations.Close()
	at := time.Now().UTC().Truncate(time.Second)
	if err := j.Append(t.Context(), ingest.Batch{Readings: []ingest.Reading{{Station: "AAA", Time: at, Received: at, Values: []ingest.Value{{Value: 1}}}}}); err != nil {
		t.Fatal(err)
	}
	w := &writer{journal: j, storage: &storage{Store: archive.Store{Store: refusingStore{s}, Archive: &archive.Archive{Dir: t.TempDir()}}}, registry: stations, writes: metrics.NewWrites(), log: slog.New(slog.DiscardHandler)}
	problem := func() (found error) {
		w.storage.part().problems(t.Context(), func(_ string, err error, _ string) { found = err })
		return found
	}
	lease, end := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.run(lease) }()
	for deadline := time.Now().Add(time.Minute); problem() == nil; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a write that fails is no problem")
		}
	}
	end()
	if err := <-ended; err != nil || problem() != nil {
		t.Errorf("after the lease: %v, problem %v", err, problem())
	}
}

// TestOnlyTheStoreIsBlamedForItself writes a refusal while NATS is away, and then again with NATS.
func TestOnlyTheStoreIsBlamedForItself(t *testing.T) {
	nats := registrytest.StartNATS(t)
	open := func() *registry.Registry {
		r, err := registry.Open(t.Context(), registry.Options{InProcess: nats})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	s, err := sqlite.Open(t.Context(), t.TempDir()+"/readings.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	gone := open()
	w := &writer{storage: &storage{Store: archive.Store{Store: s, Archive: &archive.Archive{Dir: t.TempDir()}}}, registry: gone, writes: metrics.NewWrites(), log: slog.New(slog.DiscardHandler)}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	to := ingest.Position{Journal: "J", Seq: 1, Time: time.Unix(1, 0).UTC()}
	batch := ingest.Batch{Refusals: []ingest.Refusal{{Station: "AAA", Received: time.Unix(1, 0).UTC(), Reason: wire.Malformed}}}
	problems := func() (list []string) {
		add := func(part string, err error, _ string) {
			if err != nil {
				list = append(list, part)
			}
		}
		w.problems(t.Context(), add)
		w.storage.part().problems(t.Context(), add)
		return list
	}
	if err := w.write(context.Background(), ingest.Position{}, to, batch); err == nil || errors.Is(err, ingest.ErrPosition) {
		t.Errorf("write without NATS: %v", err)
	}
	if got := strings.Join(problems(), " "); got != "writer" {
		t.Errorf("without NATS the problems are of %q, want of the writer", got)
	}
	w.registry = open()
	defer w.registry.Close()
	if err := w.write(context.Background(), ingest.Position{}, to, batch); err != nil {
		t.Errorf("write with NATS: %v", err)
	}
	if got := problems(); len(got) > 0 {
		t.Errorf("with NATS the problems are of %q", got)
	}
}
