// Package streams connects to NATS and makes JetStream streams, for the journal and the registry. It knows how many
// replicas a stream has and which deployment it belongs to, and nothing of what is in it.
package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	reconnectWait   = 500 * time.Millisecond // between attempts to reach a lost server
	clusterReplicas = 3                      // of a stream in a cluster of three servers or more
	deploymentTag   = "stadtluft_deployment" // metadata of a stream
)

// InProcess is a NATS server in the same process.
type InProcess interface {
	InProcessConn() (net.Conn, error)
}

// Conn is a connection to NATS with JetStream. The caller of Connect closes it.
type Conn struct {
	*nats.Conn
	JetStream jetstream.JetStream
}

// Connect opens a connection to a server in this process, or without one to the addresses in urls, with commas between
// them. It reconnects without limit and buffers nothing meanwhile, so that a message without a connection is an error.
// name says in logs whose it is.
func Connect(name, urls string, server InProcess, log *slog.Logger) (*Conn, error) {
	options := []nats.Option{
		nats.Name("stadtluft " + name), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn(name+" connection lost, reconnecting", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info(name + " connection restored") }),
	}
	if server != nil {
		options = append(options, nats.InProcessServer(server))
	}
	nc, err := nats.Connect(urls, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS %s: %w", masked(urls), err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return &Conn{nc, js}, nil
}

// masked returns addresses without the passwords and tokens in them.
func masked(addresses string) string {
	list := strings.Split(addresses, ",")
	for i, address := range list {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil {
			list[i] = "(an address that cannot be read)"
			continue
		}
		if u.User != nil {
			u.User = url.User("***")
		}
		list[i] = u.String()
	}
	return strings.Join(list, ",")
}

// Ensure creates a stream or brings it up to its configuration. It has replicas, or with 0 three in a cluster of three
// servers or more, else one; Ensure never lowers them. It marks the stream with the id of a deployment, unless that is
// empty, and refuses one of another.
func (c *Conn) Ensure(ctx context.Context, config jetstream.StreamConfig, replicas int, deployment string) (jetstream.Stream, error) {
	least := max(replicas, 1)
	s, err := c.JetStream.Stream(ctx, config.Name)
	if err == nil {
		there := s.CachedInfo().Config
		least, config.Metadata = max(least, there.Replicas), there.Metadata
	} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, err
	}
	if config.Metadata, err = marked(config.Metadata, deployment); err != nil {
		return nil, err
	}
	if config.Replicas = least; replicas == 0 && c.ConnectedClusterName() != "" {
		config.Replicas = max(least, clusterReplicas)
	}
	s, err = c.JetStream.CreateOrUpdateStream(ctx, config)
	if tooFewServers(err) && config.Replicas > least {
		config.Replicas = least
		s, err = c.JetStream.CreateOrUpdateStream(ctx, config)
	}
	return s, err
}

// Has reports whether there is a stream. One that is marked with the id of another deployment is an error, unless deployment is empty.
func (c *Conn) Has(ctx context.Context, stream, deployment string) (bool, error) {
	s, err := c.JetStream.Stream(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err == nil {
		_, err = marked(maps.Clone(s.CachedInfo().Config.Metadata), deployment)
	}
	if err != nil {
		return false, fmt.Errorf("stream %s: %w", stream, err)
	}
	return true, nil
}

// marked adds a deployment to a stream's metadata.
func marked(metadata map[string]string, deployment string) (map[string]string, error) {
	switch id := metadata[deploymentTag]; {
	case deployment == "" || id == deployment:
		return metadata, nil
	case id != "":
		return nil, fmt.Errorf("it belongs to deployment %s, not to %s: set nats.prefix to a name of its own, or nats.url", id, deployment)
	}
	if metadata == nil {
		metadata = map[string]string{}
	}
	metadata[deploymentTag] = deployment
	return metadata, nil
}

// tooFewServers reports whether a cluster is smaller than the number of replicas (nats-server, server/errors.json).
func tooFewServers(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == 10005 || api.ErrorCode == 10074) // JSClusterNoPeersErrF, JSStreamReplicasNotSupportedErr
}
