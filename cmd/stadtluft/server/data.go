package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"stadtluft/export/archive"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
)

func makeDataFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// OpenRegistry opens the registry for a command: on the cluster that the configuration names, through the server that
// runs on the data folder, or, when none runs, in an embedded NATS server of its own, which close ends. It makes the
// data folder when it is missing.
func OpenRegistry(ctx context.Context, c Config) (r *registry.Registry, close func() error, err error) {
	r, _, close, err = reachRegistry(ctx, c)
	return r, close, err
}

// withRegistry calls use with the registry, as OpenRegistry opens it, and with the embedded server that has it, nil for a cluster.
func withRegistry(ctx context.Context, c Config, use func(*registry.Registry, registry.InProcess) error) error {
	r, nats, close, err := reachRegistry(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(use(r, nats), close())
}

func reachRegistry(ctx context.Context, c Config) (r *registry.Registry, nats registry.InProcess, close func() error, err error) {
	if err := makeDataFolder(c.Data); err != nil {
		return nil, nil, nil, err
	}
	boundary, err := LoadBoundary(c)
	if err != nil {
		return nil, nil, nil, err
	}
	log := slog.New(slog.DiscardHandler)
	end := func() {}
	if c.NATSURL == "" {
		if nats, end, err = reachNATS(ctx, c, log); err != nil {
			return nil, nil, nil, err
		}
	}
	if r, err = openRegistry(ctx, c, boundary, nats, log); err != nil {
		end()
		return nil, nil, nil, err
	}
	return r, nats, func() error {
		defer end()
		return r.Close()
	}, nil
}

// openRegistry opens the registry in an embedded NATS server, or on a cluster for nil.
func openRegistry(ctx context.Context, c Config, boundary *geo.Boundary, nats registry.InProcess, log *slog.Logger) (*registry.Registry, error) {
	return registry.Open(ctx, registry.Options{
		Boundary: boundary, Policy: registry.Policy(c.Registration), Zone: c.CityZone, Licence: c.LicenceID,
		URL: c.NATSURL, InProcess: nats, Prefix: c.NATSPrefix, Replicas: c.NATSReplicas,
		Folder: c.Data, Readings: c.hasReadings, Log: log,
	})
}

// evidence is how far back readings show that an installation is not new.
const evidence = 366 * 24 * time.Hour

// hasReadings reports whether the store has readings of the last year, or the archive has any.
func (c Config) hasReadings(ctx context.Context) (bool, error) {
	days, err := NewArchive(c, nil, slog.New(slog.DiscardHandler)).Days(archive.Ends())
	if err != nil {
		return false, storeError{err, c.archiveElsewhere()}
	}
	if len(days) > 0 {
		return true, nil
	}
	if c.StoreKind == "sqlite" && !exists(filepath.Join(c.Data, readingsFile)) {
		return false, nil
	}
	s, err := OpenStore(ctx, c)
	if err != nil {
		return false, storeError{err, false}
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(ctx, c.openTime)
	defer cancel()
	found := errors.New("a reading")
	now := time.Now()
	err = s.Readings(ctx, store.ReadingQuery{From: now.Add(-evidence), To: now.Add(24 * time.Hour)}, func(ingest.Reading) error { return found })
	switch {
	case errors.Is(err, found):
		return true, nil
	case err != nil:
		return false, storeError{err, c.StoreKind == "influxdb"}
	}
	return false, nil
}
