package server

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/lease"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/deadletter"
)

// DeadLetters returns the file of values that the store rejected.
func DeadLetters(c Config) deadletter.File {
	return deadletter.File{Path: filepath.Join(c.Data, "dead-letters.jsonl")}
}

// errStandsBy is the error of a write after the lease was lost, before the writer has noticed.
var errStandsBy = errors.New("another process may write to the store now")

// writer writes the journal's entries to the store, and deletes old ones from the journal.
type writer struct {
	journal  *journal.Journal
	storage  *storage
	registry *registry.Registry
	letters  deadletter.File
	lease    *lease.Lease
	aside    atomic.Pointer[error] // why refusals or dead letters of the last batch could not be kept; nil when they were
	writes   *metrics.Writes
	offset   time.Duration // a day begins at midnight UTC minus this
	log      *slog.Logger
}

func newWriter(b *base, writes *metrics.Writes) *writer {
	return &writer{journal: b.journal, storage: b.storage, registry: b.registry, letters: DeadLetters(b.config), lease: b.leases.write, writes: writes, offset: b.config.DayOffset(), log: b.log}
}

func (w *writer) parts() []part {
	trimming := part{name: "journal trimming", run: w.journal.Run}
	writing := part{name: "writer", run: w.run, problems: w.problems}
	return []part{trimming.while(w.lease), writing.working(writeRole, w.lease), w.forgetting()}
}

// run writes until ctx ends, as it does when another process takes over. Whether the store takes readings is for that to say then.
func (w *writer) run(ctx context.Context) error {
	defer w.storage.writeError.Store(nil)
	return w.journal.Write(ctx, w.write)
}

func (w *writer) problems(_ context.Context, add addProblem) {
	if err := w.aside.Load(); err != nil && w.lease.Held() {
		add("writer", *err, "nothing is stored until what the store does not hold can be kept; look at NATS and at free disk space; readings are safe in the journal")
	}
}

// forgetting returns the part that deletes dead letters of erased stations. Each process that has written deletes its own.
func (w *writer) forgetting() part {
	changed := make(chan string, 1000)
	w.registry.OnChange(func(id string) {
		select {
		case changed <- id:
		default: // the next start deletes them
		}
	})
	return part{name: "dead letters", run: func(ctx context.Context) error {
		stations := map[string]bool{}
		if err := w.letters.Stations(func(id string) { stations[id] = true }); err != nil {
			w.log.Warn("read of dead letters failed", "err", err)
		}
		for id := range stations {
			w.forget(id)
		}
		for {
			select {
			case <-ctx.Done():
				return nil
			case id := <-changed:
				w.forget(id)
			}
		}
	}}
}

// forget deletes the dead letters of a station that is erased.
func (w *writer) forget(id string) {
	if st, known := w.registry.Station(id); known && st.Status != ingest.Erased {
		return
	}
	if err := w.letters.Delete(id); err != nil {
		w.log.Warn("dead letters of an erased station were not deleted, the next start tries again", "station", id, "err", err)
	}
}

// write writes a batch of the journal to the store, and its refusals to the registry. It is called again with the same
// batch until it returns nil; writing the same twice changes nothing in either.
func (w *writer) write(ctx context.Context, from, to ingest.Position, b ingest.Batch) error {
	if !w.lease.Held() {
		return errStandsBy
	}
	err := w.writeBatch(ctx, from, to, b)
	switch {
	case errors.Is(err, ingest.ErrPosition): // not a failure: the journal looks where the store is
	case errors.As(err, new(asideError)):
		w.aside.Store(&err)
	case err != nil:
		w.storage.writeError.Store(&err)
	default:
		w.storage.writeError.Store(nil)
		w.aside.Store(nil)
	}
	return err
}

// asideError is an error of what a write keeps outside the store: refusals in NATS, dead letters in the data folder.
type asideError struct{ error }

func (e asideError) Unwrap() error { return e.error }

// keepRefusals keeps refusals for the stations' owners.
func (w *writer) keepRefusals(ctx context.Context, refusals []ingest.Refusal) error {
	if err := w.registry.KeepRefusals(ctx, refusals); err != nil {
		return asideError{err}
	}
	return nil
}

// writeBatch moves the store's position last: readings are stored with it, or before it when flags of hours come after
// them.
func (w *writer) writeBatch(ctx context.Context, from, to ingest.Position, b ingest.Batch) error {
	begin, set := time.Now(), 0
	var rejected []store.Rejected
	keep := func(more []store.Rejected) error {
		refusals, err := w.setAside(more)
		if err == nil {
			err = w.keepRefusals(ctx, refusals)
		}
		rejected, set = append(rejected, more...), set+len(refusals)
		return err
	}
	if err := w.keepRefusals(ctx, b.Refusals); err != nil {
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
	if rejected, err = store.Revise(ctx, &w.storage.Store, flags); err == nil && len(rejected) > 0 {
		err = keep(rejected)
	}
	return err
}

// setAside writes values that the store rejected to the dead letters, and returns a refusal for each.
func (w *writer) setAside(rejected []store.Rejected) ([]ingest.Refusal, error) {
	if err := w.letters.Add(rejected); err != nil {
		return nil, asideError{err}
	}
	refusals := store.Refusals(rejected)
	w.log.Error("store rejects values, set aside: see stadtluft dead-letters list", "values", len(refusals), "station", rejected[0].Reading.Station, "err", rejected[0].Detail)
	return refusals, nil
}

// kept returns the readings without those of erased stations. It changes nothing in the list.
func (w *writer) kept(readings []ingest.Reading) []ingest.Reading {
	erased := func(r ingest.Reading) bool {
		st, known := w.registry.Station(r.Station)
		return known && st.Status == ingest.Erased
	}
	if !slices.ContainsFunc(readings, erased) { // as nearly always
		return readings
	}
	return slices.DeleteFunc(slices.Clone(readings), erased)
}
