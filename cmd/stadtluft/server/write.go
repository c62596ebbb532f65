package server

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/deadletter"
)

// startWriter brings what the journal has to the store, and keeps the journal short.
func (s *server) startWriter(context.Context) error {
	s.supervisor.start("journal trimming", s.journal.Run)
	s.supervisor.start("writer", func(ctx context.Context) error { return s.journal.Write(ctx, s.write) })
	return nil
}

// startArchive archives closed days and lets the store forget them, which needs the writer in the same process: nothing is
// forgotten while something of its day is being written.
func (s *server) startArchive(context.Context) error {
	s.health.addCheck(func(_ context.Context, add addProblem) {
		add("archive", s.store.Problem(), "free disk space where the data folder lies, and see the log; nothing half-written is published, and it is tried again at least every minute")
	})
	s.health.counts(s.archiveCounters)
	s.supervisor.start("archive", s.store.Run)
	return nil
}

// write brings what the journal has to where it rests. It is called again with the same entries until
// it returns nil; both places take the same twice without harm.
func (s *server) write(ctx context.Context, _, _ uint64, b ingest.Batch) error {
	err := s.writeBatch(ctx, b)
	if err != nil {
		s.writeError.Store(&err)
	} else {
		s.writeError.Store(nil)
	}
	return err
}

func (s *server) writeBatch(ctx context.Context, b ingest.Batch) error {
	begin := time.Now()
	readings := s.kept(b.Readings)
	rejected, err := s.store.WriteReadings(ctx, readings)
	if err != nil {
		return err
	}
	took, stored := time.Since(begin), store.Stored(readings, rejected)
	more, err := store.Revise(ctx, s.store, b.HourFlags)
	if err != nil {
		return err
	}
	refusals, err := s.setAside(append(rejected, more...))
	if err != nil {
		return err
	}
	if err := s.registry.KeepRefusals(ctx, slices.Concat(b.Refusals, refusals)); err != nil {
		return err
	}
	s.metrics.Wrote(stored, len(refusals), took)
	return nil
}

// setAside keeps what the store rejects among the dead letters and returns a refusal for each value.
func (s *server) setAside(rejected []store.Rejected) ([]ingest.Refusal, error) {
	if len(rejected) == 0 {
		return nil, nil
	}
	if err := s.deadLetters().Add(rejected); err != nil {
		return nil, err
	}
	refusals := store.Refusals(rejected)
	s.log.Error("store rejects values, set aside: see stadtluft dead-letters list", "values", len(refusals), "station", rejected[0].Reading.Station, "err", rejected[0].Detail)
	return refusals, nil
}

func (s *server) deadLetters() deadletter.File { return DeadLetters(s.config) }

// DeadLetters is where values that the store rejected lie.
func DeadLetters(c Config) deadletter.File {
	return deadletter.File{Path: filepath.Join(c.Data, "dead-letters.jsonl")}
}

// kept are readings without those of stations whose readings are to go.
func (s *server) kept(readings []ingest.Reading) []ingest.Reading {
	kept := readings[:0:0]
	for _, r := range readings {
		if st, known := s.registry.Station(r.Station); !known || st.Status != ingest.Erased {
			kept = append(kept, r)
		}
	}
	return kept
}
