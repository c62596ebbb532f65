package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/deadletter"
)

// DeadLetters returns the file of values that the store rejected.
func DeadLetters(c Config) deadletter.File {
	return deadletter.File{Path: filepath.Join(c.Data, "dead-letters.jsonl")}
}

// writer writes the journal's entries to the store, and deletes old ones from the journal.
type writer struct {
	journal  *journal.Journal
	storage  *storage
	registry *registry.Registry
	letters  deadletter.File
	writes   *metrics.Writes
	log      *slog.Logger
}

func newWriter(b *base, writes *metrics.Writes) *writer {
	return &writer{journal: b.journal, storage: b.storage, registry: b.registry, letters: DeadLetters(b.config), writes: writes, log: b.log}
}

func (w *writer) parts() []part {
	return []part{
		{name: "journal trimming", run: w.journal.Run},
		{name: "writer", run: func(ctx context.Context) error { return w.journal.Write(ctx, w.write) }},
	}
}

// write writes a batch of the journal to the store, and its refusals to the registry. It is called again with the same
// batch until it returns nil; writing the same twice changes nothing in either.
func (w *writer) write(ctx context.Context, _, _ uint64, b ingest.Batch) error {
	err := w.writeBatch(ctx, b)
	if err != nil {
		w.storage.writeError.Store(&err)
	} else {
		w.storage.writeError.Store(nil)
	}
	return err
}

func (w *writer) writeBatch(ctx context.Context, b ingest.Batch) error {
	begin := time.Now()
	readings := w.kept(b.Readings)
	rejected, err := w.storage.WriteReadings(ctx, readings)
	if err != nil {
		return err
	}
	took, stored := time.Since(begin), store.Stored(readings, rejected)
	more, err := store.Revise(ctx, w.storage, b.HourFlags)
	if err != nil {
		return err
	}
	refusals, err := w.setAside(append(rejected, more...))
	if err != nil {
		return err
	}
	if err := w.registry.KeepRefusals(ctx, slices.Concat(b.Refusals, refusals)); err != nil {
		return err
	}
	w.writes.Add(stored, len(refusals), took)
	return nil
}

// setAside writes values that the store rejected to the dead letters, and returns a refusal for each.
func (w *writer) setAside(rejected []store.Rejected) ([]ingest.Refusal, error) {
	if len(rejected) == 0 {
		return nil, nil
	}
	if err := w.letters.Add(rejected); err != nil {
		return nil, err
	}
	refusals := store.Refusals(rejected)
	w.log.Error("store rejects values, set aside: see stadtluft dead-letters list", "values", len(refusals), "station", rejected[0].Reading.Station, "err", rejected[0].Detail)
	return refusals, nil
}

// kept returns the readings without those of erased stations.
func (w *writer) kept(readings []ingest.Reading) []ingest.Reading {
	kept := readings[:0:0]
	for _, r := range readings {
		if st, known := w.registry.Station(r.Station); !known || st.Status != ingest.Erased {
			kept = append(kept, r)
		}
	}
	return kept
}
