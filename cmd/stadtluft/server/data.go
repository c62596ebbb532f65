package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"stadtluft/geo"
	"stadtluft/ingest/registry"
)

func makeDataFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// OpenRegistry opens the registry in the configured data folder. It makes the folder when it is missing.
func OpenRegistry(ctx context.Context, c Config) (*registry.Registry, error) {
	if err := makeDataFolder(c.Data); err != nil {
		return nil, err
	}
	boundary, err := LoadBoundary(c)
	if err != nil {
		return nil, err
	}
	return openRegistry(ctx, c, boundary)
}

func openRegistry(ctx context.Context, c Config, boundary *geo.Boundary) (*registry.Registry, error) {
	return registry.Open(ctx, filepath.Join(c.Data, "registry.db"), registry.Options{
		Boundary: boundary, Policy: registry.Policy(c.Registration), Zone: c.CityZone, Licence: c.LicenceID,
	})
}
