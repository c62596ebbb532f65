package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"stadtluft/export/api"
	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/sessions"
)

// ingress is the entry point of stations' messages.
type ingress struct {
	inbox  inbox
	rates  *ingest.Rates
	topics []kits.Topic   // of other firmware
	broker *broker.Broker // the embedded one; nil without mqtt.listen
}

// openIngress starts the embedded broker, if the configuration has it. Stations can log in after the intake permits it.
// listen is the address that it has.
func (p *process) openIngress(c Config, r *registry.Registry, log *slog.Logger, sup *supervisor) (in ingress, listen string, err error) {
	in.inbox = make(inbox, messageBuffer)
	in.rates = &ingest.Rates{Sustained: c.RateSustained, Burst: c.RateBurst}
	if in.topics, err = c.topics(); err != nil {
		return in, "", ConfigError{err}
	}
	r.OnWrongToken(in.inbox.wrongToken)
	if c.MQTTListen == "" {
		return in, "", nil
	}
	options := broker.Options{
		Out: in.inbox, Authenticate: r.Authenticate, Notify: in.inbox.refuse, Rates: in.rates, Root: c.MQTTPrefix, Log: log,
	}
	l, err := p.listenMQTT()
	if err != nil {
		return in, "", err
	}
	if options.Door = p.door; p.door == nil {
		options.Connections = c.connections(log)
	}
	var others *sessions.Sessions
	if c.NATSURL != "" {
		if others, err = sessions.Open(sessions.Options{URL: c.NATSURL, Prefix: c.NATSPrefix, Log: log}); err != nil {
			return in, "", err
		}
		sup.start(closing("sessions", func() error { others.Close(); return nil }))
		options.LoggedIn = others.Began
	}
	in.broker = broker.New(options)
	r.OnChange(in.broker.Disconnect)
	if p.door == nil {
		sup.start(brokerPart(in.broker, func(ctx context.Context) error { return in.broker.Serve(ctx, l, nil) }))
	} else {
		p.door.Add(in.broker, hostOf(c.HTTPPublicURL), func(user string) bool { _, known := r.Station(user); return known })
		sup.start(brokerPart(in.broker, untilDone))
	}
	if others != nil {
		sup.start(part{name: "sessions elsewhere", run: func(ctx context.Context) error { return others.Run(ctx, in.broker.EndSession) }})
	}
	return in, reachable(l.Addr().String()), nil
}

// connections returns how many connections the embedded broker may have: what is configured, at most half of the file
// descriptors of the process, since HTTP, the journal and the store need some too.
func (c *Config) connections(log *slog.Logger) int {
	descriptors := api.Descriptors()
	if descriptors/2 >= uint64(c.MQTTConnections) {
		return c.MQTTConnections
	}
	most := int(descriptors / 2)
	log.Info("fewer file descriptors than mqtt.connections needs, raise LimitNOFILE or lower the key", "connections", c.MQTTConnections, "descriptors", descriptors, "taken", most)
	return most
}

// listenMQTT listens on the address of a key.
func listenMQTT(key, address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, ConfigError{fmt.Errorf("%s: %q is not host:port: %w", key, address, err)}
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: set %s or stop the other broker", address, key)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return l, nil
}

// untilDone is what a part without work of its own does.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// brokerPart returns the embedded broker, which serves connections.
func brokerPart(b *broker.Broker, serve func(context.Context) error) part {
	return part{
		name: "broker",
		run: func(ctx context.Context) error {
			defer b.Close()
			return serve(ctx)
		},
		measure: func(_ context.Context, c metrics.Collection) {
			counts := b.Counts()
			stations, all := b.Connected()
			c.Gauge("broker_connections", "Connections of stations and others that have logged in at the embedded broker.", float64(all))
			c.Gauge("broker_stations", "Connections of stations at the embedded broker.", float64(stations))
			c.Gauge("broker_waiting", "Messages at the embedded broker that wait for the journal.", float64(b.Waiting()))
			c.Counter("broker_logins_refused_total", "Log-ins the embedded broker refused.", float64(counts.Logins))
			c.Counter("broker_denied_total", "Publishes without a log-in, and subscriptions outside a client's topics.", float64(counts.Denied))
			c.Counter("broker_slowed_total", "Messages that waited because their station sends too fast.", float64(counts.Slowed))
		},
		status: func(_ context.Context, s *admin.Status) error {
			counts := b.Counts()
			s.Connected, _ = b.Connected()
			s.Refused, s.Denied = counts.Logins, counts.Denied
			return nil
		},
	}
}

// letStationsIn opens the embedded broker to stations, over TLS as well where that is configured.
func (in ingress) letStationsIn(c Config, log *slog.Logger, sup *supervisor) error {
	if in.broker == nil {
		return nil
	}
	in.broker.Open()
	if c.MQTTTLSListen == "" || c.ID != "" {
		return nil
	}
	return serveTLS(c, log, sup, in.broker)
}

// mqttServer is the embedded broker, or the door to several.
type mqttServer interface {
	Serve(ctx context.Context, l net.Listener, config *tls.Config) error
}

// serveTLS starts the listener over TLS.
func serveTLS(c Config, log *slog.Logger, sup *supervisor, s mqttServer) error {
	config, err := serverTLS(c.MQTTTLSCert, c.MQTTTLSKey, log)
	if err != nil {
		return err
	}
	l, err := listenMQTT("mqtt.tls_listen", c.MQTTTLSListen)
	if err != nil {
		return err
	}
	sup.start(part{name: "broker over TLS", run: func(ctx context.Context) error { return s.Serve(ctx, l, config) }})
	return nil
}
