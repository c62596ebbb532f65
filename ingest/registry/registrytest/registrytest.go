// Package registrytest opens registries for tests, each in a NATS server of its own in the test's process.
package registrytest

import (
	"log/slog"
	"testing"

	"stadtluft/ingest/natsserver"
	"stadtluft/ingest/registry"
)

// StartNATS runs a NATS server with JetStream in a folder of the test until the test ends. It has no address.
func StartNATS(t testing.TB) registry.InProcess {
	t.Helper()
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir(), Sync: "1m", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.InProcess()
}

// Open opens a registry, in a server of its own unless the options name one, until the test ends.
func Open(t testing.TB, o registry.Options) *registry.Registry {
	t.Helper()
	if o.InProcess == nil && o.URL == "" {
		o.InProcess = StartNATS(t)
	}
	r, err := registry.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
