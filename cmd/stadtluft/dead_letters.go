package main

import (
	"context"
	"fmt"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export/archive"
	"stadtluft/ingest/store/deadletter"
)

// deadLettersCmd lists values that the store rejected and writes them again. It may run beside a server.
type deadLettersCmd struct {
	List  deadLettersListCmd  `cmd:"" help:"Print them, one line a value, with the store's words."`
	Retry deadLettersRetryCmd `cmd:"" help:"Write them to the store again; those that it rejects again stay."`
}

type deadLettersListCmd struct{ configFlag }

func (cmd *deadLettersListCmd) Run(std streams) error {
	config, err := cmd.loadAsOwner()
	if err != nil {
		return err
	}
	return server.DeadLetters(config).List(func(l deadletter.Letter) error {
		_, err := fmt.Fprintf(std.out, "%s %s %s %v: %q\n", l.Time.Format(time.RFC3339), l.Station, l.Quantity, l.Value, l.Detail)
		return err
	})
}

type deadLettersRetryCmd struct{ configFlag }

func (cmd *deadLettersRetryCmd) Run(ctx context.Context, std streams) error {
	return cmd.withArchive(ctx, func(config server.Config, s *archive.Store) error {
		taken, kept, err := server.DeadLetters(config).Retry(ctx, s.WriteReadings)
		if err != nil {
			return err
		}
		if kept > 0 {
			return fmt.Errorf("%d values are stored, %d were rejected again or cannot be read: see stadtluft dead-letters list", taken, kept)
		}
		_, err = fmt.Fprintf(std.out, "%d values are stored; stadtluft rebuild brings them into the averages\n", taken)
		return err
	})
}
