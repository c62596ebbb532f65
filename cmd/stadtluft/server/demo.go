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

// newDemo makes simulated stations, which speak real MQTT and have credentials of their own.
func newDemo(ctx context.Context, b *base, stations int, seed uint64) (part, error) {
	if b.config.MQTTListen == "" || !b.roles.has(intakeRole) {
		return part{}, ConfigError{errors.New("--demo needs the embedded broker: set mqtt.listen and take the role ingest, or use `stadtluft simulate` with a broker of your own")}
	}
	run, err := simulation.Register(ctx, b.registry, b.city.boundary, "tcp://"+b.config.MQTTListen, seed, stations)
	if err != nil {
		return part{}, err
	}
	run.Every, run.Backlog = demoEvery, demoBacklog
	return part{name: "demo stations", run: run.Run}, nil
}
