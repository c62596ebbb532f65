package main

import (
	"context"
	"fmt"

	"stadtluft/cmd/stadtluft/server"
)

// serveCmd runs the server in one process, or the given roles of it.
type serveCmd struct {
	rolesFlag
	Demo int    `help:"Bring this many simulated stations to life, marked as demo data." placeholder:"N"`
	Seed uint64 `help:"Which simulated city: the same seed is the same city." default:"1"`
}

func (cmd *serveCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	return server.Run(ctx, server.Options{Config: config, Out: std.out, Log: server.NewLogger(config, std.err), Demo: cmd.Demo, Seed: cmd.Seed})
}
