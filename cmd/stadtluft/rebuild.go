package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"stadtluft/cmd/stadtluft/progress"
	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export/archive"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
)

// rebuildCmd checks a period again and computes its grid averages again. It may run beside a server.
type rebuildCmd struct {
	configFlag
	From string `required:"" help:"Start, RFC 3339 or a date." placeholder:"T"`
	To   string `required:"" help:"End, not included." placeholder:"T"`
}

func (cmd *rebuildCmd) Run(ctx context.Context, std streams) error {
	from, to, err := period(cmd.From, cmd.To)
	if err != nil {
		return usageError{err}
	}
	return cmd.withArchive(ctx, func(config server.Config, s *archive.Store) error {
		a := &averages.Averages{
			Aggregate: &aggregate.Aggregate{Correction: averages.Correction(config.Correction(), s.Archive.Stations)}, Stations: s.Archive.Stations, Store: s,
			Size: int32(config.GridResolution), DayOffset: config.DayOffset(), Log: slog.New(slog.DiscardHandler),
			NewChecker: func() averages.Checker { return quality.NewHourChecker(config.Quality) },
		}
		const day = 24 * time.Hour
		first := aggregate.DayOf(from, a.DayOffset)
		days, bar := 0, progress.New(std.err, int((to.Sub(first)+day-1)/day))
		err = a.Rebuild(ctx, from, to, func(done time.Time) {
			days++
			bar.Step(days, "rebuilt up to "+done.Format(time.RFC3339))
		})
		bar.Line()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.out, "%d days are rebuilt from stored readings\n", days)
		return err
	})
}
