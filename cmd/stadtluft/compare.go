package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export/archive"
	"stadtluft/firmware-protocol/quantity"
)

// compareCmd compares the city's stations with official ones, as a server does every night. It may run beside a server,
// which takes the result over in the next night.
type compareCmd struct {
	configFlag
	Again bool `help:"Compare every day again, also those that are kept."`
}

func (cmd *compareCmd) Run(ctx context.Context, std streams) error {
	return cmd.withArchive(ctx, func(config server.Config, s *archive.Store) error {
		c := server.NewComparer(config, s.Archive.Stations, s, slog.New(slog.DiscardHandler))
		if cmd.Again {
			if err := os.RemoveAll(c.Folder); err != nil {
				return err
			}
		}
		if err := c.Compare(ctx, time.Now()); err != nil {
			return err
		}
		r, _ := c.Latest()
		if !r.Compared() {
			return errors.New("there is no hour of an official station with stations of the city within 5 km: see stadtluft import official")
		}
		for _, q := range quantity.All() {
			if row, ok := r.Headline(q); ok {
				fmt.Fprintf(std.out, "%s: over %d days %+.1f %s against the official instruments (95 %%: %+.1f to %+.1f), typically ±%.1f, r %.2f; %d hours within %d m\n",
					q, row.Period, row.Bias, q.Unit(), row.BiasLow, row.BiasHigh, row.SD, row.R, row.N, row.Radius)
			}
		}
		for _, k := range r.Kappas {
			fmt.Fprintf(std.out, "%s: kappa %v comes closest (95 %%: %v to %v), in force is %v; %d hours of %d days within %d m\n", k.Quantity, k.Proposed, k.Low, k.High, r.Kappa, k.N, k.Days, k.Radius)
		}
		return nil
	})
}
