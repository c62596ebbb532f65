package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/streams"
)

// OldMessages is the stream in which versions up to 2026 kept stations' messages until the intake had read them, in
// NATS's own MQTT; oldStreams are all of its streams.
const OldMessages = "$MQTT_msgs"

var oldStreams = []string{OldMessages, "$MQTT_rmsgs", "$MQTT_sess", "$MQTT_qos2in", "$MQTT_out"}

// fromOldSubject translates NATS's subjects of MQTT topics back (NATS, "MQTT topics and NATS subjects").
var fromOldSubject = strings.NewReplacer("//", ".", ".", "/")

// DrainOldBroker passes on the messages that the broker of an earlier version acknowledged and nobody had read, and
// removes its streams when the outcome of each is on disk. They are in the NATS server on the data folder, also where the
// journal is elsewhere.
func DrainOldBroker(ctx context.Context, server streams.InProcess, out chan<- ingest.Message, log *slog.Logger) error {
	nc, err := streams.Connect("earlier broker", "", server, log)
	if err != nil {
		return err
	}
	defer nc.Close()
	stream, err := nc.JetStream.Stream(ctx, OldMessages)
	if err != nil {
		return fmt.Errorf("messages of the earlier version's broker: %w", err)
	}
	passed, err := passOn(ctx, stream, out)
	if err != nil {
		return fmt.Errorf("messages of the earlier version's broker: %w", err)
	}
	for _, name := range oldStreams {
		if err := nc.JetStream.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("remove the earlier version's stream %s: %w", name, err)
		}
	}
	log.Info("took the messages of the earlier version's broker", "messages", passed)
	return nil
}

// passOn returns after the outcome of each message is on disk.
func passOn(ctx context.Context, stream jetstream.Stream, out chan<- ingest.Message) (passed int, err error) {
	info, err := stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	var waiting sync.WaitGroup
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		m, err := stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // read by the intake
		} else if err != nil {
			return passed, err
		}
		topic := fromOldSubject.Replace(strings.TrimPrefix(m.Subject, "$MQTT.msgs."))
		if strings.HasPrefix(topic, wire.Prefix+"city/") || strings.HasPrefix(topic, wire.Prefix+"grid/") || strings.HasSuffix(topic, "/feedback") {
			continue // ours, for a dashboard
		}
		waiting.Add(1)
		select {
		case out <- ingest.Message{Topic: topic, Payload: m.Data, Received: m.Time.UTC(), Redelivered: true, Done: func(ingest.Outcome) { waiting.Done() }}:
			passed++
		case <-ctx.Done():
			return passed, ctx.Err()
		}
	}
	return passed, wait(ctx, &waiting)
}

// wait returns when everything is done, or ctx's error.
func wait(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
