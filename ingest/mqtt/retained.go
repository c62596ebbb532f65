package mqtt

import (
	"context"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	retainedQuiet = 500 * time.Millisecond // no retained message in this time: there are no more
	retainedMost  = 10 * time.Second
)

// Retained lists the topics below the filters that the broker keeps a message for. It asks over a
// connection of its own.
func (s *Subscriber) Retained(ctx context.Context, filters ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, retainedMost)
	defer cancel()
	topics := make(chan string)
	o := paho.NewClientOptions().AddBroker(s.broker).SetClientID(s.options.ClientID + "-retained").
		SetUsername(s.options.Username).SetPassword(s.options.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if !m.Retained() {
				return
			}
			select {
			case topics <- m.Topic():
			case <-ctx.Done():
			}
		})
	if s.tls != nil {
		o.SetTLSConfig(s.tls)
	}
	client := paho.NewClient(o)
	defer client.Disconnect(quiesce)
	if err := await(ctx, client.Connect()); err != nil {
		return nil, fmt.Errorf("list retained topics: %w", logInError(err))
	}
	wanted := map[string]byte{}
	for _, filter := range filters {
		wanted[filter] = 0
	}
	if err := subscribe(ctx, client, wanted); err != nil {
		return nil, fmt.Errorf("list retained topics: %w", err)
	}
	var list []string
	quiet := time.NewTimer(retainedQuiet)
	defer quiet.Stop()
	for {
		select {
		case topic := <-topics:
			list = append(list, topic)
			quiet.Reset(retainedQuiet)
		case <-quiet.C:
			return list, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("list retained topics: %w", ctx.Err())
		}
	}
}
