package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/natsserver"
	"stadtluft/ingest/streams"
)

// storeSlow is how long readings may wait for the store before /readyz reports it.
const storeSlow = time.Minute

// openJournal opens the journal: in the embedded server unless a cluster is configured.
func openJournal(ctx context.Context, c Config, deployment string, embedded *natsserver.Server, s *storage, log *slog.Logger) (*journal.Journal, error) {
	o := journal.Options{
		URL: c.NATSURL, Stream: c.NATSPrefix + "_JOURNAL", Deployment: deployment, Replicas: c.NATSReplicas, MaxBytes: journalBytes,
		Log: log, Position: s.Position,
	}
	if embedded != nil {
		o.InProcess, o.Guard = embedded.InProcess(), embedded.Problem
	}
	return journal.Open(ctx, o)
}

// damageAdvice says what a gap in the journal means, and what to do.
func damageAdvice(d journal.Damage) string {
	if d.Stored {
		return "the store has what is missing, and averages are made from there; check the disk and the memory of this machine: what was appended and not yet stored when it broke can be gone"
	}
	return "readings from that time that were acknowledged can be gone: check the disk and the memory of this machine, and restore nothing older over the data folder"
}

// journalPart returns the part that closes the journal, and reports its state.
func journalPart(j *journal.Journal) part {
	p := closing("journal", func() error { j.Close(); return nil })
	p.problems = func(ctx context.Context, add addProblem) {
		problem, do := j.Problem(), "look at the store and at free disk space; what is there is safe"
		if errors.Is(problem, streams.ErrNoAnswer) {
			do = "look at nats.url, the network and the NATS servers, of which more than half must be there; it goes on by itself then, and stations keep what is not acknowledged"
		}
		add("journal", problem, do)
		if stats, err := j.Stats(ctx); err != nil {
			add("journal", err, "look at the log, and at nats.url where the journal is elsewhere")
		} else if stats.Lag > storeSlow {
			add("store", fmt.Errorf("%d journal entries wait for the store, the oldest for %v", stats.Unwritten, stats.Lag.Round(time.Second)),
				"they are safe; look at the store and at the log")
		}
		for _, d := range j.Damage() {
			add("journal", notice{errors.New(d.String())}, damageAdvice(d))
		}
		if f := j.Filling(); f != nil {
			add("store", notice{fmt.Errorf("the store lacked %d journal entries since %s and gets them from the journal", f.Entries, f.Since.UTC().Format(time.RFC3339))},
				"wait; averages of that time follow")
		}
	}
	p.measure = func(ctx context.Context, c metrics.Collection) {
		stats, err := j.Stats(ctx)
		if err != nil {
			return // missing in this scrape; ready has the reason
		}
		var missing uint64
		for _, d := range j.Damage() {
			missing += d.Entries()
		}
		c.Gauge("journal_missing_entries", "Entries that the journal has lost, of those found in its last three days.", float64(missing))
		c.Journal(metrics.Journal{
			Entries: stats.Entries, Bytes: stats.Bytes, Unwritten: stats.Unwritten, Undecodable: stats.Undecodable, Lag: stats.Lag,
			Appends: stats.Appends, AppendTime: stats.AppendDuration,
		})
	}
	p.status = func(ctx context.Context, s *admin.Status) error {
		stats, err := j.Stats(ctx)
		s.Entries, s.Bytes, s.Unwritten, s.Lag, s.Undecodable = stats.Entries, stats.Bytes, stats.Unwritten, stats.Lag.Seconds(), stats.Undecodable
		return err
	}
	return p
}
