package server

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/geo/aggregate"
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
	offset   time.Duration // a day begins at midnight UTC minus this
	log      *slog.Logger
}

func newWriter(b *base, writes *metrics.Writes) *writer {
	return &writer{journal: b.journal, storage: b.storage, registry: b.registry, letters: DeadLetters(b.config), writes: writes, offset: b.config.DayOffset(), log: b.log}
}

func (w *writer) parts() []part {
	return []part{
		{name: "journal trimming", run: w.journal.Run},
		{name: "writer", run: func(ctx context.Context) error { return w.journal.Write(ctx, w.write) }},
	}
}

// write writes a batch of the journal to the store, and its refusals to the registry. It is called again with the same
// batch until it returns nil; writing the same twice changes nothing in either.
func (w *writer) write(ctx context.Context, from, to ingest.Position, b ingest.Batch) error {
	err := w.writeBatch(ctx, from, to, b)
	switch {
	case errors.Is(err, ingest.ErrPosition): // not a failure: the journal looks where the store is
	case err != nil:
		w.storage.writeError.Store(&err)
	default:
		w.storage.writeError.Store(nil)
	}
	return err
}

// writeBatch moves the store's position last: readings are stored with it, or before it when flags of hours come after
// them.
func (w *writer) writeBatch(ctx context.Context, from, to ingest.Position, b ingest.Batch) error {
	begin, set := time.Now(), 0
	var rejected []store.Rejected
	keep := func(more []store.Rejected) error {
		refusals, err := w.setAside(more)
		if err == nil {
			err = w.registry.KeepRefusals(ctx, refusals)
		}
		rejected, set = append(rejected, more...), set+len(refusals)
		return err
	}
	if err := w.registry.KeepRefusals(ctx, b.Refusals); err != nil {
		return err
	}
	kept := w.kept(b.Readings)
	readings := kept
	if len(b.HourFlags) > 0 {
		if err := w.revise(ctx, readings, b.HourFlags, keep); err != nil {
			return err
		}
		readings = nil
	}
	late := w.lateDays(kept)
	if err := w.note(ctx, late); err != nil {
		return err
	}
	if err := w.storage.Advance(ctx, readings, from, to, keep); err != nil {
		return err
	}
	if err := w.note(ctx, late); err != nil { // again: they may have been done before the readings were stored
		return err
	}
	w.writes.Add(store.Stored(kept, rejected), set, time.Since(begin))
	return nil
}

// lateDays returns the days of readings that came too late, or almost too late, for their hour to be in memory: their
// flags and averages are made from the store.
func (w *writer) lateDays(readings []ingest.Reading) (days []time.Time) {
	const late = aggregate.AllowedLateness - time.Hour
	for _, r := range readings {
		if r.Received.Sub(r.Time) < late {
			continue
		}
		if day := aggregate.DayOf(r.Time, w.offset); !slices.ContainsFunc(days, day.Equal) {
			days = append(days, day)
		}
	}
	return days
}

func (w *writer) note(ctx context.Context, days []time.Time) error {
	if len(days) == 0 {
		return nil
	}
	return w.registry.NoteLateDays(ctx, days)
}

// revise stores readings, then sets the flags of their hours.
func (w *writer) revise(ctx context.Context, readings []ingest.Reading, flags []ingest.HourFlags, keep func([]store.Rejected) error) error {
	rejected, err := w.storage.WriteReadings(ctx, readings)
	if err == nil && len(rejected) > 0 {
		err = keep(rejected)
	}
	if err != nil {
		return err
	}
	if rejected, err = store.Revise(ctx, w.storage, flags); err == nil && len(rejected) > 0 {
		err = keep(rejected)
	}
	return err
}

// setAside writes values that the store rejected to the dead letters, and returns a refusal for each.
func (w *writer) setAside(rejected []store.Rejected) ([]ingest.Refusal, error) {
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
