package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"stadtluft/cmd/stadtluft/simulation"
)

const (
	// demoEvery is shorter than with real kits, so that changes are visible.
	demoEvery = 30 * time.Second
	// demoBacklog covers the last full hour.
	demoBacklog = 2*time.Hour + 15*time.Minute
)

// avoidTaken replaces default addresses that another program uses by free ones, and logs each. Configured addresses
// stay.
func (c *Config) avoidTaken(standard Config, log *slog.Logger) error {
	for _, address := range []struct {
		key      string
		value    *string
		standard string
	}{{"http.listen", &c.HTTPListen, standard.HTTPListen}, {"mqtt.listen", &c.MQTTListen, standard.MQTTListen}} {
		if *address.value != address.standard {
			continue
		}
		free, err := freeAddress(address.standard)
		if err != nil {
			return fmt.Errorf("%s: %w", address.key, err)
		}
		if free != address.standard {
			log.Warn("address is in use, taking a free one", "key", address.key, "in_use", address.standard, "address", free)
			*address.value = free
		}
	}
	return nil
}

// freeAddress returns the address if it is free, else one with another port of the same host.
func freeAddress(address string) (string, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(address) // it was good enough to be in use
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// newDemo returns the part with simulated stations, which use real MQTT and have credentials of their own.
func newDemo(ctx context.Context, b *base, stations int, seed uint64) (part, error) {
	if b.config.MQTTListen == "" || !b.roles.has(intakeRole) {
		return part{}, ConfigError{errors.New("--demo needs the embedded broker: set mqtt.listen and take the role ingest, or use `stadtluft simulate` with a broker of your own")}
	}
	run, err := simulation.Register(ctx, b.registry, b.city.boundary, "tcp://"+b.config.MQTTListen, b.config.MQTTPrefix, seed, stations)
	if err != nil {
		return part{}, err
	}
	run.Every, run.Backlog = demoEvery, demoBacklog
	return part{name: "demo stations", run: run.Run}, nil
}
