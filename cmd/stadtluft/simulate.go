package main

import (
	"context"
	"fmt"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/cmd/stadtluft/simulation"
	"stadtluft/ingest/registry"
)

// simulateCmd runs simulated stations that publish to a broker with credentials of their own. It registers them in the
// registry of a running server, or of the data folder.
type simulateCmd struct {
	configFlag
	Broker   string        `required:"" help:"The broker, such as tcp://127.0.0.1:1883." placeholder:"URL"`
	Stations int           `required:"" help:"How many stations." placeholder:"N"`
	Rate     float64       `help:"Messages a second of all stations together; without it each sends every 145 s." placeholder:"R"`
	Duration time.Duration `help:"How long; until interrupted without it." placeholder:"D"`
	Backlog  time.Duration `help:"How far back each station first delivers what it measured while offline." placeholder:"D"`
	Seed     uint64        `help:"Which simulated city: the same seed is the same city." default:"1"`
}

func (cmd *simulateCmd) Run(ctx context.Context, std streams) error {
	every, err := simulation.Interval(cmd.Stations, cmd.Rate)
	if err != nil {
		return usageError{err}
	}
	var run *simulation.Run
	err = cmd.withRegistry(ctx, func(config server.Config, r *registry.Registry) error {
		boundary, err := server.LoadBoundary(config)
		if err != nil {
			return err
		}
		run, err = simulation.Register(ctx, r, boundary, cmd.Broker, config.MQTTPrefix, cmd.Seed, cmd.Stations)
		return err
	})
	if err != nil {
		return err
	}
	run.Every, run.Backlog = every, cmd.Backlog
	if cmd.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cmd.Duration)
		defer cancel()
	}
	fmt.Fprintf(std.err, "%d stations publish to %s, each every %v\n", cmd.Stations, cmd.Broker, every)
	if err := run.Run(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%d messages acknowledged, %d given up at the end\n", run.Sent(), run.Failed())
	return err
}
