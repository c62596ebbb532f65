package server

import (
	"context"
	"log/slog"
	"path/filepath"

	"stadtluft/ingest/natsserver"
)

const (
	// journalBytes is the largest size of the journal, in bytes. 1,000 stations that send five values every 145 s fill
	// it in weeks.
	journalBytes = 2 << 30
	// otherBytes is the largest size of what else the embedded NATS server keeps, in bytes.
	otherBytes = 1 << 30
)

// openNATS starts the embedded NATS server, unless a cluster is configured.
func openNATS(c Config, log *slog.Logger, sup *supervisor) (*natsserver.Server, error) {
	if c.NATSURL != "" {
		return nil, nil
	}
	s, err := natsserver.Start(natsserver.Options{
		Dir: filepath.Join(c.Data, "nats"), Sync: c.NATSSync, MaxStore: journalBytes + otherBytes, Log: log,
	})
	if err != nil {
		return nil, err
	}
	server := closing("NATS server", func() error { s.Close(); return nil })
	server.problems = func(_ context.Context, add addProblem) {
		add("journal", s.Problem(), "free disk space where the data folder lies")
	}
	sup.start(server, part{name: "NATS server watch", run: func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.Failed(): // systemd starts the program again
			return err
		}
	}})
	return s, nil
}
