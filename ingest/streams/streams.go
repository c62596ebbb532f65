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
	pingEvery       = 2 * time.Second        // between pings of a server;
	pings           = 2                      // when so many are not answered, it is taken for lost
	clusterReplicas = 3                      // of a stream in a cluster of three servers or more
	deploymentTag   = "stadtluft_deployment" // metadata of a stream
)

// Heartbeat is the interval at which a server says that a reader of a stream is still served. After two that do not come the reader
// begins again, such as when the server that served it was restarted.
const Heartbeat = 2 * time.Second

// InProcess is a NATS server in the same process.
type InProcess interface {
	InProcessConn() (net.Conn, error)
}

// Conn is a connection to NATS with JetStream. The caller of Connect closes it.
type Conn struct {
	*nats.Conn
	JetStream jetstream.JetStream
	at        string // for people
	log       *slog.Logger
}

// Connect opens a connection to a server in this process, or without one to the addresses in urls, with commas between
// them. It reconnects without limit and buffers nothing meanwhile, so that a message without a connection is an error.
// name says in logs whose it is.
func Connect(name, urls string, server InProcess, log *slog.Logger) (*Conn, error) {
	var lost time.Time // handlers are called one after the other
	options := []nats.Option{
		nats.Name("stadtluft " + name), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectBufSize(-1),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pings),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if lost = time.Now(); err != nil {
				log.Warn(name+" connection to NATS lost, reconnecting to any of its servers", "servers", len(c.Servers()), "err", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			log.Info(name+" connection to NATS restored", "server", c.ConnectedServerName(), "after", since(lost))
		}),
	}
	if server != nil {
		options = append(options, nats.InProcessServer(server))
	}
	at, begin := "in this process", time.Now()
	if server == nil {
		at = "at " + masked(urls)
	}
	nc, err := nats.Connect(urls, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS %s, tried for %v: %w", at, since(begin), err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to NATS %s: %w", at, err)
	}
	return &Conn{nc, js, at, log}, nil
}

func since(begin time.Time) time.Duration { return time.Since(begin).Round(10 * time.Millisecond) }

// Asked returns the error of a request that began at a time, with what was asked. It says so when NATS did not answer, of
// whom it was asked and for how long; then it is ErrNoAnswer as well.
func (c *Conn) Asked(what string, begin time.Time, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNoAnswer):
		return err // says so already
	case !silent(err):
		return fmt.Errorf("%s: %w", what, err)
	case leaderless(err):
		return fmt.Errorf("%s: NATS %s %w, tried for %v; it chooses a leader, needs more than half of its servers, or has no JetStream: %w", what, c.at, ErrNoAnswer, since(begin), err)
	}
	return fmt.Errorf("%s: NATS %s %w, tried for %v: %w", what, c.at, ErrNoAnswer, since(begin), err)
}

// ErrNoAnswer reports that NATS did not answer: it is away, or has no leader for what was asked.
var ErrNoAnswer = errors.New("did not answer")

// leaderless reports whether a server that is there said that nobody can answer now.
func leaderless(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) || errors.As(err, &api) && api.ErrorCode == 10008 // JSClusterNotAvailErr (nats-server, server/errors.json)
}

// silent reports whether an error means that there was no answer, or none but that nobody can give one now.
func silent(err error) bool {
	for _, e := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrConnectionClosed, ErrNoAnswer,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return leaderless(err)
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
		list[i] = strings.Replace(u.String(), url.User("***").String(), "***", 1)
	}
	return strings.Join(list, ",")
}

// Ensure creates a stream or brings it up to its configuration. It has replicas, or with 0 three in a cluster of three
// servers or more, else one; Ensure never lowers them. It marks the stream with the id of a deployment, unless that is
// empty, and refuses one of another. It waits for a cluster that is starting: for its leader, and for its third server where
// three addresses are known.
func (c *Conn) Ensure(ctx context.Context, config jetstream.StreamConfig, replicas int, deployment string) (jetstream.Stream, error) {
	var s jetstream.Stream
	err := c.Wait(ctx, "make stream "+config.Name, func(late bool) (err error) {
		s, err = c.ensure(ctx, config, replicas, deployment, late)
		return err
	})
	return s, err
}

// Wait calls do, and again while NATS does not answer or is smaller than do needs, as a cluster that is starting. It gives up
// after startTime, with late in the last call.
func (c *Conn) Wait(ctx context.Context, what string, do func(late bool) error) error {
	begin, told := time.Now(), false
	for {
		late := time.Since(begin) > startTime
		err := do(late)
		if err == nil || late || ctx.Err() != nil || !silent(err) && !tooFewServers(err) {
			return c.Asked(what, begin, err)
		}
		if !told {
			told = true
			c.log.Info("waiting for the NATS cluster", "to", what, "at_most", startTime, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectWait):
		}
	}
}

const (
	startTime   = 20 * time.Second // longest wait for a cluster that is starting
	requestTime = 5 * time.Second  // for one attempt
)

// ensure tries once. With less it makes a stream of fewer replicas in a cluster that is smaller than it should be.
func (c *Conn) ensure(ctx context.Context, config jetstream.StreamConfig, replicas int, deployment string, less bool) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
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
	if tooFewServers(err) && config.Replicas > least && (less || len(c.Servers()) < clusterReplicas) {
		c.log.Warn("stream has fewer copies than a cluster of three would keep, start again when it has three servers", "stream", config.Name, "copies", least, "err", err)
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
