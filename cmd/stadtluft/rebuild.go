package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/registry"
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
	return withRegistry(ctx, cmd.configFlag, func(r *registry.Registry) error {
		config, err := cmd.load()
		if err != nil {
			return configError{err}
		}
		s, err := openStore(ctx, config)
		if err != nil {
			return err
		}
		defer s.Close()
		a := &averages.Averages{
			Aggregate: &aggregate.Aggregate{Correction: averages.Correction(config.correction())}, Stations: r, Store: s,
			Size: int32(config.GridResolution), DayOffset: config.dayOffset(), Log: slog.New(slog.DiscardHandler),
		}
		days := 0
		err = a.Rebuild(ctx, from, to, func(done time.Time) {
			days++
			fmt.Fprintf(std.err, "\rrebuilt up to %s", done.Format(time.RFC3339))
		})
		if days > 0 {
			fmt.Fprintln(std.err)
		}
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
