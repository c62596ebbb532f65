package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// averagesEvery is how long a broker waits before it asks again for averages after NATS was away.
const averagesEvery = time.Second

// PublishAverage passes the live average of an MQTT topic to the embedded brokers of all processes; an empty payload ends its
// retention. NATS keeps the newest of each topic in memory.
func (j *Journal) PublishAverage(ctx context.Context, topic string, payload []byte) error {
	m := &nats.Msg{Subject: j.averageSubject(topic), Data: payload}
	_, err := j.publish(ctx, m)
	if errors.Is(err, jetstream.ErrNoStreamResponse) { // there is none yet
		if _, err = j.averages(ctx); err == nil {
			_, err = j.publish(ctx, m)
		}
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

// PublishedAverages returns the topics that have an average.
func (j *Journal) PublishedAverages(ctx context.Context) ([]string, error) {
	stream, err := j.averages(ctx)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(j.averageSubject("")+">"))
	if err != nil {
		return nil, err
	}
	topics := make([]string, 0, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		topics = append(topics, j.averageTopic(subject))
	}
	return topics, nil
}

// FollowAverages calls each for the newest average of every topic, and then for each that is published, until ctx ends.
func (j *Journal) FollowAverages(ctx context.Context, each func(topic string, payload []byte)) error {
	for ctx.Err() == nil {
		if err := j.followAverages(ctx, each); err != nil && ctx.Err() == nil {
			j.log.Warn("follow of live averages failed, retrying", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(averagesEvery):
		}
	}
	return nil
}

func (j *Journal) followAverages(ctx context.Context, each func(topic string, payload []byte)) error {
	stream, err := j.averages(ctx)
	if err != nil {
		return err
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		each(j.averageTopic(m.Subject()), m.Data())
	}
}

// averages returns the stream of live averages; it makes it, because NATS forgets it with its last server.
func (j *Journal) averages(ctx context.Context) (jetstream.Stream, error) {
	stream, err := j.nc.Ensure(ctx, jetstream.StreamConfig{
		Name: j.o.Stream + "_AVERAGES", Subjects: []string{j.averageSubject("") + ">"}, Storage: jetstream.MemoryStorage, MaxMsgsPerSubject: 1,
	}, j.o.Replicas, j.o.Deployment)
	return stream, err
}

// averageSubject returns the NATS subject of an MQTT topic of an average, which has no dots and wildcards.
func (j *Journal) averageSubject(topic string) string {
	return j.o.Stream + ".average." + strings.ReplaceAll(topic, "/", ".")
}

func (j *Journal) averageTopic(subject string) string {
	return strings.ReplaceAll(strings.TrimPrefix(subject, j.averageSubject("")), ".", "/")
}
