package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// agreedKey begins the keys of what the deployment's processes have agreed on. It is in no snapshot and no backup.
const agreedKey = "agreed."

// Agree returns the value that all processes of the deployment have under a name: the one that the first of them proposed.
func (r *Registry) Agree(ctx context.Context, name, proposal string) (string, error) {
	_, err := r.bucket.stations.Create(ctx, agreedKey+name, []byte(proposal))
	if err == nil {
		return proposal, nil
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return r.Agreed(ctx, name)
	}
	return "", fmt.Errorf("registry: agree on %s: %w", name, err)
}

// Agreed returns the value of a name; empty when no process has proposed one.
func (r *Registry) Agreed(ctx context.Context, name string) (string, error) {
	got, err := r.bucket.stations.Get(ctx, agreedKey+name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("registry: read %s: %w", name, err)
	}
	return string(got.Value()), nil
}
