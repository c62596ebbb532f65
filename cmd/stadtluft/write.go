package main

import (
	"context"
	"slices"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// startWriter brings what the journal has to the store, and keeps the journal short.
func (s *server) startWriter(context.Context) error {
	s.house.start("journal trimming", s.journal.Run)
	s.house.start("writer", func(ctx context.Context) error { return s.journal.Write(ctx, s.write) })
	return nil
}

// startArchive archives closed days and lets the store forget them, which needs the writer in the same process: nothing is
// forgotten while something of its day is being written.
func (s *server) startArchive(context.Context) error {
	s.health.asks(func(_ context.Context, add complain) {
		add("archive", s.store.Problem(), "free disk space where the data folder lies, and see the log; nothing half-written is published, and it is tried again at least every minute")
	})
	s.health.counts(s.archiveCounters)
	s.house.start("archive", s.store.Run)
	return nil
}

// write brings what the journal has to where it rests. It is called again with the same entries until
// it returns nil; both places take the same twice without harm.
func (s *server) write(ctx context.Context, _, _ uint64, b ingest.Batch) error {
	begin := time.Now()
	unstorable, err := s.store.WriteReadings(ctx, s.kept(b.Readings))
	if err != nil {
		return err
	}
	s.metrics.Wrote(len(b.Readings), time.Since(begin))
	more, err := store.Revise(ctx, s.store, b.Verdicts)
	if err != nil {
		return err
	}
	return s.registry.KeepRefusals(ctx, slices.Concat(b.Refusals, unstorable, more))
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
