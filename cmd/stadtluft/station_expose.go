package main

import (
	"context"
	"fmt"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// stationExposeCmd changes where a station measures.
type stationExposeCmd struct {
	configFlag
	ID       string    `arg:"" help:"The station's id."`
	Exposure string    `arg:"" help:"outdoor or indoor." enum:"outdoor,indoor"`
	From     time.Time `help:"Since when, such as 2026-05-01T12:00:00Z, at most 30 days ago; now without it." placeholder:"TIME"`
}

func (cmd *stationExposeCmd) Run(ctx context.Context, std streams) error {
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		change := &ingest.ExposedSince{From: cmd.From, Exposure: ingest.Exposure(cmd.Exposure)}
		if err := r.Edit(ctx, s.ID, registry.Shell, registry.Edit{Exposure: change}); err != nil {
			return err
		}
		s, _ = r.Station(s.ID)
		history := s.ExposureHistory()
		_, err := fmt.Fprintf(std.out, "%s measures %s since %s\n", s.ID, s.Exposure, history[len(history)-1].From.Format(time.RFC3339))
		return err
	})
}
