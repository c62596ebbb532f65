package server

import (
	"context"
	"errors"
	"fmt"

	"stadtluft/export/live"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/journal"
)

// outlet is where messages to stations and dashboards leave: the embedded broker of this process, the city's broker, and
// the embedded brokers of all processes. Each may be absent.
type outlet struct {
	broker   *broker.Broker
	external connections
	others   *journal.Journal // for averages, where several processes have brokers
}

// publish sends a message everywhere.
func (o outlet) publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	if o.broker != nil {
		o.broker.Publish(topic, retained, payload)
	}
	var err error
	if o.others != nil {
		err = o.others.PublishAverage(ctx, topic, payload)
	}
	return errors.Join(err, o.external.publish(ctx, topic, qos, retained, payload))
}

// published returns the topics of averages that are retained from an earlier run.
func (o outlet) published(ctx context.Context) ([]string, error) {
	topics, err := o.external.published(ctx)
	if o.others == nil {
		return topics, err
	}
	others, otherErr := o.others.PublishedAverages(ctx)
	return append(topics, others...), errors.Join(err, otherErr)
}

// openDashboards returns where averages leave: nowhere without the role aggregate, the intake's outlet when there is no
// other process, else the journal's NATS, from where every embedded broker gets them, and the city's broker, to which it
// starts a connection unless the intake has one.
func openDashboards(b *base, intake *intake, sup *supervisor) (outlet, error) {
	switch {
	case !b.roles.has(aggregateRole):
		return outlet{}, nil
	case !b.shared():
		return intake.outlet(), nil
	}
	o := outlet{others: b.journal}
	if intake != nil {
		o.external = intake.external
	}
	if b.config.MQTTBroker == "" || intake != nil {
		return o, nil
	}
	id, err := mqttClientID(b.config.Data, "averages")
	if err != nil {
		return o, err
	}
	c, err := connect(b.config.externalBroker(id), b.log)
	if err != nil {
		return o, ConfigError{fmt.Errorf("mqtt: %w", err)}
	}
	sup.start(c.part())
	o.external = connections{c}
	return o, nil
}

// newLive returns the part that sends live averages to clients of the stream and to dashboards.
func newLive(b *base, m *memory, o outlet) part {
	city := apiCity(b)
	publisher := &live.Publisher{
		State: m.live, Aggregate: m.aggregate, Size: city.Resolution,
		City: city.Area(), Publish: o.publish, Published: o.published, Log: b.log,
		Elsewhere: func() bool { return !b.leases.aggregate.Held() },
	}
	return part{name: "live averages", run: publisher.Run}
}
