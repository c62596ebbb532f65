package server

import (
	"context"
	"fmt"
	"log/slog"

	"stadtluft/export/api"
	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/push"
)

// intake passes stations' messages from brokers and HTTP through the checks to the journal.
type intake struct {
	config   Config
	ingress  ingress
	others   *others     // intakes; nil when there is no other process
	external connections // to the city's broker, when one is configured
	pipeline *ingest.Pipeline
	feedback *ingest.Feedback
	push     *push.Handler
	log      *slog.Logger
}

func newIntake(b *base, c *checks, o *others) (*intake, error) {
	names, err := kits.ParseNames(b.config.TTNNames)
	if err != nil {
		return nil, ConfigError{err}
	}
	i := &intake{config: b.config, ingress: b.ingress, others: o, push: &push.Handler{Registry: b.registry, Out: b.ingress.inbox, Allow: b.ingress.rates.Try}, log: b.log}
	if b.config.MQTTBroker != "" {
		id, err := mqttClientID(b.config.Data, "intake")
		if err != nil {
			return nil, err
		}
		o := b.config.externalBroker(id)
		o.Out, o.Topics, o.Group = b.ingress.inbox, filters(b.ingress.topics), b.config.MQTTGroup
		connection, err := connect(o, b.log)
		if err != nil {
			return nil, ConfigError{fmt.Errorf("mqtt: %w", err)}
		}
		i.external = connections{connection}
	}
	i.feedback = ingest.NewFeedback(i.outlet().publish, b.log)
	i.pipeline = &ingest.Pipeline{
		Stations: b.registry, Checker: c.Checker, Journal: b.journal, Log: b.log, OnRefusal: i.feedback.Queue,
		Topics: b.ingress.topics, Devices: b.registry, Names: names, Contacts: &c.contacts,
	}
	if o != nil {
		o.checks, i.pipeline.Journal = c, o.journal
	}
	return i, nil
}

// outlet returns where messages to stations and dashboards leave this process.
func (i *intake) outlet() outlet { return outlet{broker: i.ingress.broker, external: i.external} }

// start starts the pipeline and its inputs, and permits stations' logins.
func (i *intake) start(ctx context.Context, b *base, sup *supervisor) error {
	if i.others != nil {
		sup.start(i.others.part())
	}
	var err error
	if i.push.Import, err = newImportToken(ctx, i.config, b.registry); err != nil {
		return err
	}
	sup.start(part{
		name: "pipeline", run: func(ctx context.Context) error { return i.pipeline.Run(ctx, i.ingress.inbox) }, problems: i.problems, measure: i.measure,
	})
	if err := drainOldBroker(ctx, b); err != nil {
		return err
	}
	if err := i.ingress.letStationsIn(i.config, i.log, sup); err != nil {
		return err
	}
	for _, c := range i.external {
		sup.start(c.part())
	}
	if i.ingress.broker != nil && b.shared() {
		sup.start(part{name: "averages for the broker", run: func(ctx context.Context) error {
			return b.journal.FollowAverages(ctx, func(topic string, payload []byte) { i.ingress.broker.Publish(topic, true, payload) })
		}})
	}
	sup.start(part{name: "feedback", run: i.feedback.Run})
	return nil
}

func (i *intake) problems(_ context.Context, add addProblem) {
	add("intake", i.pipeline.Counters.Stalled(), "nothing is acknowledged until the journal takes it; see the journal and the store")
}

func (i *intake) measure(_ context.Context, c metrics.Collection) {
	c.Intake(i.pipeline.Counters.Snapshot())
	var sum mqtt.Counts
	for _, connection := range i.external {
		counts := connection.Counts()
		sum.Held, sum.Capacity = sum.Held+counts.Held, sum.Capacity+counts.Capacity
		sum.Connects, sum.Unexpected, sum.Overflows = sum.Connects+counts.Connects, sum.Unexpected+counts.Unexpected, sum.Overflows+counts.Overflows
	}
	c.Queue("unacknowledged", sum.Held, sum.Capacity)
	c.Queue("pipeline", len(i.ingress.inbox), cap(i.ingress.inbox))
	c.Counter("mqtt_connects_total", "Connections made to MQTT brokers.", float64(sum.Connects))
	c.Counter("mqtt_unexpected_total", "Messages on topics nobody asked for.", float64(sum.Unexpected))
	c.Counter("mqtt_overflows_total", "Times too much was held and a connection was made again.", float64(sum.Overflows))
	c.Counter("feedback_dropped_total", "Refusals that stations were not told of.", float64(i.feedback.Dropped()))
}

// serve adds deliveries over HTTP, MQTT over WebSocket, and the stations' last contacts.
func (i *intake) serve(s *api.Server) {
	s.Deliveries, s.Heard = i.push.Routes(s.Log), i.pipeline.Contacts.Last
	if i.ingress.broker != nil {
		s.MQTT = i.ingress.broker.WebSocket()
	}
}
