package registry

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// agreedKey begins the keys of what the deployment's processes have agreed on. It is in no snapshot and no backup.
const agreedKey = "agreed."

// Agree returns the value that all processes of the deployment have under a name: the one that the first of them proposed.
func (r *Registry) Agree(ctx context.Context, name, proposal string) (string, error) {
	begin := time.Now()
	_, err := r.bucket.stations.Create(ctx, agreedKey+name, []byte(proposal))
	if err == nil {
		return proposal, nil
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return r.Agreed(ctx, name)
	}
	return "", r.bucket.nc.Asked("registry: agree on "+name, begin, err)
}

// Agreed returns the value of a name; empty when no process has proposed one.
func (r *Registry) Agreed(ctx context.Context, name string) (string, error) {
	begin := time.Now()
	got, err := r.bucket.stations.Get(ctx, agreedKey+name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", r.bucket.nc.Asked("registry: read "+name, begin, err)
	}
	return string(got.Value()), nil
}
