package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// serveCmd runs everything in one process, or those roles that it is given.
type serveCmd struct {
	rolesFlag
	Demo int    `help:"Bring this many simulated stations to life, marked as demo data." placeholder:"N"`
	Seed uint64 `help:"Which simulated city: the same seed is the same city." default:"1"`
}

func (cmd *serveCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return configError{fmt.Errorf("configuration:\n%w", err)}
	}
	log := newLogger(config, std.err)
	parts := newSupervisor(log)
	defer parts.stop()
	taken, _ := parseRoles(config.Roles) // validated with the configuration
	s := &server{config: config, roles: taken, log: log, supervisor: parts, out: std.out, demo: cmd.Demo, seed: cmd.Seed}
	if err := s.start(ctx); err != nil {
		return err
	}
	err = parts.wait(ctx)
	log.Info("stopping")
	return err
}

func newLogger(c Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(c.LogLevel))) // validated with the configuration
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
