package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"stadtluft/export/api"
	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/push"
)

// intake passes stations' messages from brokers and HTTP through the checks to the journal.
type intake struct {
	config   Config
	ingress  ingress
	embedded connections // to the embedded broker, when it has an address for stations
	external connections // to the city's broker, when one is configured
	pipeline *ingest.Pipeline
	feedback *ingest.Feedback
	push     *push.Handler
	log      *slog.Logger
}

func newIntake(b *base, c *checks) (*intake, error) {
	names, err := kits.ParseNames(b.config.TTNNames)
	if err != nil {
		return nil, ConfigError{err}
	}
	i := &intake{config: b.config, ingress: b.ingress, push: &push.Handler{Registry: b.registry, Out: b.ingress.inbox, Import: rand.Text()}, log: b.log}
	if err := i.connect(b); err != nil {
		return nil, err
	}
	i.feedback = ingest.NewFeedback(i.connections().publish, b.log)
	i.pipeline = &ingest.Pipeline{
		Stations: b.registry, Checker: c.Checker, Journal: b.journal, Log: b.log, OnRefusal: i.feedback.Queue,
		Topics: b.ingress.topics, Devices: b.registry, Names: names,
	}
	return i, nil
}

// connect makes a connection to each broker to which stations send.
func (i *intake) connect(b *base) error {
	if i.config.MQTTListen != "" {
		login := i.ingress.broker.IntakeCredentials()
		if !b.roles.has(aggregateRole) {
			if err := writeSecret(i.config.Data, brokerTokenFile, login.Password); err != nil {
				return err
			}
		}
		c, err := connect(mqtt.Options{
			Broker: "tcp://" + i.config.MQTTListen, Username: login.User, Password: login.Password, ClientID: broker.IntakeClientID,
			Out: i.ingress.inbox, Topics: filters(b.ingress.topics),
		}, b.log)
		if err != nil {
			return err
		}
		i.embedded = connections{c}
	}
	if i.config.MQTTBroker != "" {
		o := i.config.externalBroker()
		o.Out, o.Topics = i.ingress.inbox, filters(b.ingress.topics)
		c, err := connect(o, b.log)
		if err != nil {
			return ConfigError{fmt.Errorf("mqtt: %w", err)}
		}
		i.external = connections{c}
	}
	return nil
}

func (i *intake) connections() connections { return slices.Concat(i.embedded, i.external) }

// start starts the pipeline and its inputs, and permits stations' logins once their messages will be kept.
func (i *intake) start(ctx context.Context, sup *supervisor) error {
	sup.start(part{
		name: "pipeline", run: func(ctx context.Context) error { return i.pipeline.Run(ctx, i.ingress.inbox) }, problems: i.problems, measure: i.measure,
	})
	for _, c := range i.embedded {
		sup.start(c.part())
		if err := sup.await(ctx, c.Ready()); err != nil {
			return err
		}
		if err := i.letStationsIn(sup); err != nil {
			return err
		}
	}
	for _, c := range i.external {
		sup.start(c.part())
	}
	sup.start(part{name: "feedback", run: i.feedback.Run})
	return writeSecret(i.config.Data, importTokenFile, i.push.Import)
}

// letStationsIn opens the embedded broker to stations.
func (i *intake) letStationsIn(sup *supervisor) error {
	i.ingress.broker.SetOpen(true)
	if i.config.MQTTTLSListen == "" {
		return nil
	}
	config, err := serverTLS(i.config.MQTTTLSCert, i.config.MQTTTLSKey, i.log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", i.config.MQTTTLSListen)
	if err != nil {
		return fmt.Errorf("mqtt.tls_listen: %w", err)
	}
	sup.start(part{name: "broker over TLS", run: func(ctx context.Context) error { return i.ingress.broker.ServeTLS(ctx, listener, config) }})
	return nil
}

func (i *intake) problems(_ context.Context, add addProblem) {
	add("intake", i.pipeline.Counters.Stalled(), "nothing is acknowledged until the journal takes it; see the journal and the store")
}

func (i *intake) measure(_ context.Context, c metrics.Collection) {
	c.Intake(i.pipeline.Counters.Snapshot())
	var sum mqtt.Counts
	for _, connection := range i.connections() {
		counts := connection.Counts()
		sum.Held, sum.Capacity = sum.Held+counts.Held, sum.Capacity+counts.Capacity
		sum.Connects, sum.Unexpected, sum.Overflows = sum.Connects+counts.Connects, sum.Unexpected+counts.Unexpected, sum.Overflows+counts.Overflows
	}
	c.Queue("unacknowledged", sum.Held, sum.Capacity)
	c.Queue("pipeline", len(i.ingress.inbox), cap(i.ingress.inbox))
	c.Counter("mqtt_connects_total", "Connections made to MQTT brokers.", float64(sum.Connects))
	c.Counter("mqtt_unexpected_total", "Messages on topics nobody asked for.", float64(sum.Unexpected))
	c.Counter("mqtt_overflows_total", "Times too much was held and a connection was made anew.", float64(sum.Overflows))
	c.Counter("feedback_dropped_total", "Refusals that stations were not told of.", float64(i.feedback.Dropped()))
}

// serve adds deliveries over HTTP.
func (i *intake) serve(s *api.Server) { s.Deliveries = i.push.Routes(s.Log) }
