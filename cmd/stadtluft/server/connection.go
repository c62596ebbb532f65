package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest/mqtt"
)

// connection is a connection to a broker that reconnects after it is lost.
type connection struct {
	*mqtt.Subscriber
	broker string
}

// connect returns a connection; its part opens it and keeps it open.
func connect(o mqtt.Options, log *slog.Logger) (connection, error) {
	o.Log = log
	subscriber, err := mqtt.New(o)
	return connection{subscriber, o.Broker}, err
}

func (c connection) part() part {
	return part{name: "connection to " + c.broker, run: c.Run, problems: func(_ context.Context, add addProblem) {
		add("mqtt", c.Contested(), "end the other process, or give it a data folder of its own")
		if ok, since, last := c.Connected(); !ok {
			err := fmt.Errorf("not connected since %s", since.UTC().Format(time.RFC3339))
			if last != nil {
				err = fmt.Errorf("%w: %w", err, last)
			}
			add("mqtt", err, "look at the broker and at mqtt.broker, mqtt.username and mqtt.password")
		}
	}}
}

// connections are the connections to all brokers of stations or dashboards.
type connections []connection

// publish sends a message to each broker.
func (cs connections) publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	var errs []error
	for _, c := range cs {
		errs = append(errs, c.Publish(ctx, topic, qos, retained, payload))
	}
	return errors.Join(errs...)
}

// published returns the topics of averages that the brokers retain from an earlier run.
func (cs connections) published(ctx context.Context) ([]string, error) {
	var all []string
	var errs []error
	for _, c := range cs {
		topics, err := c.Retained(ctx, wire.CityFilter, wire.GridFilter)
		all, errs = append(all, topics...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// filters returns the MQTT filters of other firmware's topics.
func filters(topics []kits.Topic) []string {
	list := make([]string, len(topics))
	for i, topic := range topics {
		list[i] = topic.Filter()
	}
	return list
}
