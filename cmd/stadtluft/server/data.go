package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"stadtluft/geo"
	"stadtluft/ingest/registry"
)

// MakeDataFolder makes the data folder where it is missing.
func MakeDataFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// OpenRegistry opens the registry of the data folder that the configuration names.
func OpenRegistry(ctx context.Context, c Config, boundary *geo.Boundary) (*registry.Registry, error) {
	return registry.Open(ctx, filepath.Join(c.Data, "registry.db"), registry.Options{
		Boundary: boundary, Policy: registry.Policy(c.Registration), Zone: c.CityZone, Licence: c.LicenceID,
	})
}
