package mqtt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/firmware-protocol/wire"
)

const (
	retainedQuiet = 500 * time.Millisecond // after this time without a retained message there are no more
	retainedMost  = 10 * time.Second
	echoMost      = 3 * time.Second // longest wait for a message of our own
)

// Retained returns the topics below the filters for which the broker retains a message.
func (s *Subscriber) Retained(ctx context.Context, filters ...string) ([]string, error) {
	var list []string
	outside := make([]string, len(filters))
	for i, filter := range filters {
		outside[i] = wire.WithRoot(s.options.Root, filter)
	}
	err := s.visit(ctx, func(topic string, _ []byte) { list = append(list, wire.WithoutRoot(s.options.Root, topic)) }, outside...)
	if err != nil {
		return nil, fmt.Errorf("list retained topics: %w", err)
	}
	return list, nil
}

// Check logs in, subscribes to everything that Run subscribes to, publishes once below the city's averages, and disconnects
// without leaving anything at the broker. It returns the broker's name and version if the broker publishes them.
func (s *Subscriber) Check(ctx context.Context) (version string, err error) {
	filters := slices.Collect(maps.Keys(s.options.filters()))
	if err := s.visit(ctx, func(string, []byte) {}, filters...); err != nil {
		return "", err
	}
	if err := s.echo(ctx, strings.TrimSuffix(wire.WithRoot(s.options.Root, wire.CityFilter), "#")+"_check"); err != nil {
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
	client, err := s.connect(ctx, func(_ paho.Client, m paho.Message) {
		if !m.Retained() {
			return
		}
		select {
		case messages <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		return err
	}
	defer client.Disconnect(quiesce)
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

// echo publishes to a topic and expects the message back: a broker acknowledges also what its access list forbids.
func (s *Subscriber) echo(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, echoMost)
	defer cancel()
	back := make(chan struct{}, 1)
	client, err := s.connect(ctx, func(paho.Client, paho.Message) {
		select {
		case back <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer client.Disconnect(quiesce)
	if err := subscribe(ctx, client, map[string]byte{topic: 1}); err != nil {
		return err
	}
	if err := await(ctx, client.Publish(topic, 1, false, "{}")); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	select {
	case <-back:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("publish %s: the broker takes it and delivers it to nobody: does its access list let %q write and read there?", topic, s.options.Username)
	}
}

// connect opens a connection of its own, without a session that outlives it. The caller disconnects it.
func (s *Subscriber) connect(ctx context.Context, handle paho.MessageHandler) (paho.Client, error) {
	o := paho.NewClientOptions().AddBroker(s.broker).SetClientID(s.options.ClientID + "-visit").
		SetUsername(s.options.Username).SetPassword(s.options.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetDefaultPublishHandler(handle)
	if s.tls != nil {
		o.SetTLSConfig(s.tls)
	}
	client := paho.NewClient(o)
	if err := await(ctx, client.Connect()); err != nil {
		client.Disconnect(quiesce)
		return nil, logInError(err)
	}
	return client, nil
}
