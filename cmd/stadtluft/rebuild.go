package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/averages"
)

// rebuildCmd computes grid averages of a period again. It may run beside a server.
type rebuildCmd struct {
	configFlag
	From string `required:"" help:"Start, RFC 3339 or a date." placeholder:"T"`
	To   string `required:"" help:"End, not included." placeholder:"T"`
}

func (cmd *rebuildCmd) Run(ctx context.Context, std streams) error {
	from, to, err := period(cmd.From, cmd.To)
	if err != nil {
		return configError{err}
	}
	return withArchive(ctx, cmd.configFlag, func(s *archive.Store) error {
		config, err := cmd.load()
		if err != nil {
			return configError{err}
		}
		a := &averages.Averages{
			Aggregate: &aggregate.Aggregate{Correction: averages.Correction(config.correction())}, Stations: s.Archive.Stations, Store: s,
			Size: int32(config.GridResolution), DayOffset: config.dayOffset(), Log: slog.New(slog.DiscardHandler),
		}
		const day = 24 * time.Hour
		first := aggregate.DayOf(from, a.DayOffset)
		days, bar := 0, newProgress(std.err, int((to.Sub(first)+day-1)/day))
		err = a.Rebuild(ctx, from, to, func(done time.Time) {
			days++
			bar.step(days, "rebuilt up to "+done.Format(time.RFC3339))
		})
		bar.line()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.out, "%d days are rebuilt from stored readings\n", days)
		return err
	})
}

// period reads a period's two ends.
func period(from, to string) (start, end time.Time, err error) {
	if start, err = export.ParseTime(from); err == nil {
		end, err = export.ParseTime(to)
	}
	if err == nil && !start.Before(end) {
		err = fmt.Errorf("--from %s is not before --to %s", from, to)
	}
	return start, end, err
}
