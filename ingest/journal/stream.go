package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	clusterReplicas = 3
	deploymentTag   = "stadtluft_deployment" // metadata of streams, also of the registry's
)

// ensure creates a stream or brings it up to its configuration. It never lowers the replicas, and refuses a stream of
// another deployment.
func (j *Journal) ensure(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	least := max(j.o.Replicas, 1)
	s, err := j.js.Stream(ctx, config.Name)
	if err == nil {
		there := s.CachedInfo().Config
		least, config.Metadata = max(least, there.Replicas), there.Metadata
	} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, err
	}
	if config.Metadata, err = j.marked(config.Metadata); err != nil {
		return nil, err
	}
	if config.Replicas = least; j.o.Replicas == 0 && j.nc.ConnectedClusterName() != "" {
		config.Replicas = max(least, clusterReplicas)
	}
	s, err = j.js.CreateOrUpdateStream(ctx, config)
	if tooFewServers(err) && config.Replicas > least {
		config.Replicas = least
		s, err = j.js.CreateOrUpdateStream(ctx, config)
	}
	return s, err
}

// marked adds the deployment to a stream's metadata.
func (j *Journal) marked(metadata map[string]string) (map[string]string, error) {
	switch id := metadata[deploymentTag]; {
	case j.o.Deployment == "" || id == j.o.Deployment:
		return metadata, nil
	case id != "":
		return nil, fmt.Errorf("it belongs to deployment %s, not to %s: set nats.prefix to a name of its own, or nats.url", id, j.o.Deployment)
	}
	if metadata == nil {
		metadata = map[string]string{}
	}
	metadata[deploymentTag] = j.o.Deployment
	return metadata, nil
}

// tooFewServers reports whether a cluster is smaller than the number of replicas (nats-server, server/errors.json).
func tooFewServers(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == 10005 || api.ErrorCode == 10074) // JSClusterNoPeersErrF, JSStreamReplicasNotSupportedErr
}
