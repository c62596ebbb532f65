package mqtt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	retainedQuiet = 500 * time.Millisecond // after this time without a retained message there are no more
	retainedMost  = 10 * time.Second
)

// Retained returns the topics below the filters for which the broker retains a message.
func (s *Subscriber) Retained(ctx context.Context, filters ...string) ([]string, error) {
	var list []string
	err := s.visit(ctx, func(topic string, _ []byte) { list = append(list, topic) }, filters...)
	if err != nil {
		return nil, fmt.Errorf("list retained topics: %w", err)
	}
	return list, nil
}

// Check logs in, subscribes to everything that Run subscribes to, and disconnects without leaving a session at the
// broker. It returns the broker's name and version if the broker publishes them.
func (s *Subscriber) Check(ctx context.Context) (version string, err error) {
	filters := slices.Collect(maps.Keys(s.options.filters()))
	if err := s.visit(ctx, func(string, []byte) {}, filters...); err != nil {
		return "", err
	}
	const topic = "$SYS/broker/version"                                                   // Mosquitto's
	_ = s.visit(ctx, func(_ string, payload []byte) { version = string(payload) }, topic) // not every broker publishes it
	return version, nil
}

// visit calls each for each retained message below the filters, over a connection of its own.
func (s *Subscriber) visit(ctx context.Context, each func(topic string, payload []byte), filters ...string) error {
	ctx, cancel := context.WithTimeout(ctx, retainedMost)
	defer cancel()
	messages := make(chan paho.Message)
	o := paho.NewClientOptions().AddBroker(s.broker).SetClientID(s.options.ClientID + "-visit").
		SetUsername(s.options.Username).SetPassword(s.options.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if !m.Retained() {
				return
			}
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		})
	if s.tls != nil {
		o.SetTLSConfig(s.tls)
	}
	client := paho.NewClient(o)
	defer client.Disconnect(quiesce)
	if err := await(ctx, client.Connect()); err != nil {
		return logInError(err)
	}
	wanted := map[string]byte{}
	for _, filter := range filters {
		wanted[filter] = 0
	}
	if err := subscribe(ctx, client, wanted); err != nil {
		return err
	}
	quiet := time.NewTimer(retainedQuiet)
	defer quiet.Stop()
	for {
		select {
		case m := <-messages:
			each(m.Topic(), m.Payload())
			quiet.Reset(retainedQuiet)
		case <-quiet.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
