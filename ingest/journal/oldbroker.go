package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// oldMessages is the stream in which versions up to 2026 kept stations' messages until the intake had read them, in
// NATS's own MQTT; oldStreams are all of its streams.
const oldMessages = "$MQTT_msgs"

var oldStreams = []string{oldMessages, "$MQTT_rmsgs", "$MQTT_sess", "$MQTT_qos2in", "$MQTT_out"}

// fromOldSubject translates NATS's subjects of MQTT topics back (NATS, "MQTT topics and NATS subjects").
var fromOldSubject = strings.NewReplacer("//", ".", ".", "/")

// DrainOldBroker passes on the messages that the broker of an earlier version acknowledged and nobody had read, and
// removes its streams when the outcome of each is on disk. It does nothing on a data folder without them.
func (j *Journal) DrainOldBroker(ctx context.Context, out chan<- ingest.Message) error {
	stream, err := j.js.Stream(ctx, oldMessages)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("messages of the earlier version's broker: %w", err)
	}
	passed, err := j.passOn(ctx, stream, out)
	if err != nil {
		return fmt.Errorf("messages of the earlier version's broker: %w", err)
	}
	for _, name := range oldStreams {
		if err := j.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("remove the earlier version's stream %s: %w", name, err)
		}
	}
	j.log.Info("took the messages of the earlier version's broker", "messages", passed)
	return nil
}

// passOn returns after the outcome of each message is on disk.
func (j *Journal) passOn(ctx context.Context, stream jetstream.Stream, out chan<- ingest.Message) (passed int, err error) {
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
