package server

import (
	"context"
	"log/slog"
	"path/filepath"

	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/registry"
)

const (
	// journalBytes is the largest size of the journal, in bytes. 1,000 stations that send five values every 145 s fill
	// it in weeks.
	journalBytes = 2 << 30
	// brokerBytes is the largest size of what the embedded broker keeps for its subscribers, in bytes.
	brokerBytes = 4 << 30
)

// embedsBroker reports whether the process with the role ingest runs the embedded server: always for the journal unless
// a cluster is configured, and as the stations' broker when it has an address.
func (c *Config) embedsBroker() bool { return c.NATSURL == "" || c.MQTTListen != "" }

// ingress is the entry point of stations' messages.
type ingress struct {
	inbox  inbox
	topics []kits.Topic   // of other firmware
	broker *broker.Broker // the embedded one; nil unless embedsBroker
}

// openIngress starts the embedded broker, if the configuration has it. Stations can log in after the intake permits it.
func openIngress(c Config, r *registry.Registry, log *slog.Logger, sup *supervisor) (in ingress, err error) {
	in.inbox = make(inbox, messageBuffer)
	if in.topics, err = c.topics(); err != nil {
		return in, ConfigError{err}
	}
	r.OnWrongToken(in.inbox.wrongToken)
	if !c.embedsBroker() {
		return in, nil
	}
	in.broker, err = broker.Start(broker.Options{
		Dir: filepath.Join(c.Data, "nats"), Listen: c.MQTTListen, Sync: c.NATSSync, MaxStore: journalBytes + brokerBytes,
		Auth: stationLogin{r, in.topics}, Topics: filters(in.topics), Log: log, OnDenied: in.inbox.denied,
	})
	if err != nil {
		return in, err
	}
	r.OnChange(in.broker.Disconnect)
	sup.start(brokerParts(in.broker)...)
	return in, nil
}

// brokerParts returns the embedded server, and a watch that stops the program when the broker's log needs a restart;
// systemd then starts the program again.
func brokerParts(b *broker.Broker) []part {
	server := closing("broker", func() error { b.Close(); return nil })
	server.problems = func(_ context.Context, add addProblem) {
		add("broker", b.Problem(), "free disk space where the data folder lies")
	}
	server.measure = func(_ context.Context, c metrics.Collection) {
		counts := b.Counts()
		c.Counter("broker_logins_refused_total", "Log-ins the embedded broker refused.", float64(counts.Refused))
		c.Counter("broker_denied_total", "Publishes and subscriptions outside a station's topics.", float64(counts.Publish+counts.Subscribe))
		c.Counter("broker_too_large_total", "Messages too large for the embedded broker.", float64(counts.TooLarge))
	}
	server.status = func(_ context.Context, s *admin.Status) error {
		counts := b.Counts()
		s.Connected, s.Refused, s.Denied = b.Connected(), counts.Refused, counts.Publish+counts.Subscribe
		return nil
	}
	watch := part{name: "broker watch", run: func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-b.Failed():
			return err
		}
	}}
	return []part{server, watch}
}

// stationLogin permits the login of registered stations, also with their own firmware's topics.
type stationLogin struct {
	registry *registry.Registry
	topics   []kits.Topic
}

func (l stationLogin) Authenticate(user, password string) broker.Access {
	if !l.registry.Authenticate(user, password) {
		return broker.Access{Denied: true}
	}
	access := broker.Access{Station: user}
	if station, ok := l.registry.Station(user); ok {
		for _, device := range station.Devices {
			for _, topic := range l.topics {
				if topic.Family == device.Family {
					access.Topics = append(access.Topics, topic.DeviceFilter(device.Key))
				}
			}
		}
	}
	return access
}
