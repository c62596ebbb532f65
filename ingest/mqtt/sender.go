package mqtt

import (
	"context"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/firmware-protocol/wire"
)

// Sender publishes as a station does: with the station's own log-in, QoS 1, the last will "offline", and again until
// the broker has acknowledged.
type Sender struct {
	client  paho.Client
	station string
	status  string // topics
	reading string
}

// NewSender returns a station's sender; Send opens the connection. root is the first level of topics; empty is wire.Root.
func NewSender(broker, root, station, token string) *Sender {
	s := &Sender{station: station, status: wire.WithRoot(root, wire.StatusTopic(station)), reading: wire.WithRoot(root, wire.ReadingTopic(station))}
	options := paho.NewClientOptions().AddBroker(broker).
		SetClientID("station-"+station).SetUsername(station).SetPassword(token).
		SetProtocolVersion(4).SetCleanSession(true).SetOrderMatters(false).
		SetConnectRetry(true).SetConnectRetryInterval(time.Second).
		SetAutoReconnect(true).SetMaxReconnectInterval(10*time.Second).
		SetWill(s.status, wire.Offline, 1, true)
	options.SetOnConnectHandler(func(c paho.Client) {
		c.Publish(s.status, 1, true, wire.Online)
	})
	s.client = paho.NewClient(options)
	return s
}

// Send publishes a reading's payload and returns when the broker has acknowledged it. While there is no connection it
// waits for one.
func (s *Sender) Send(ctx context.Context, payload []byte) error {
	if !s.client.IsConnected() {
		if err := await(ctx, s.client.Connect()); err != nil {
			return fmt.Errorf("connect station %s: %w", s.station, err)
		}
	}
	if err := await(ctx, s.client.Publish(s.reading, 1, false, payload)); err != nil {
		return fmt.Errorf("publish as station %s: %w", s.station, err)
	}
	return nil
}

// Close publishes "offline" and closes the connection.
func (s *Sender) Close() {
	if s.client.IsConnectionOpen() {
		s.client.Publish(s.status, 1, true, wire.Offline).WaitTimeout(time.Second)
	}
	s.client.Disconnect(100)
}

func await(ctx context.Context, token paho.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}
