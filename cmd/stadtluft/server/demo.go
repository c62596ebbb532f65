package server

import (
	"context"
	"errors"
	"time"

	"stadtluft/cmd/stadtluft/simulation"
)

const (
	// demoEvery is faster than real kits are, so that one sees something happen.
	demoEvery = 30 * time.Second
	// demoBacklog fills the last full hour.
	demoBacklog = 2*time.Hour + 15*time.Minute
)

// startDemo brings simulated stations to life, over real MQTT and with credentials of their own.
func (s *server) startDemo(ctx context.Context) error {
	if s.demo == 0 {
		return nil
	}
	if s.broker == nil || s.config.MQTTListen == "" {
		return ConfigError{errors.New("--demo needs the embedded broker: set mqtt.listen and take the role ingest, or use `stadtluft simulate` with a broker of your own")}
	}
	run, err := simulation.Register(ctx, s.registry, s.boundary, "tcp://"+s.broker.Addr(), s.seed, s.demo)
	if err != nil {
		return err
	}
	run.Every, run.Backlog = demoEvery, demoBacklog
	s.supervisor.start("demo stations", run.Run)
	return nil
}
