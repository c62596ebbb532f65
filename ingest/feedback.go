package ingest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"stadtluft/firmware-protocol/wire"
)

const (
	feedbackQueue = 256         // refusals that wait to be told; beyond it they are only kept, and counted
	feedbackEvery = time.Second // a station hears at most one refusal in this time
	feedbackKnown = 10_000      // stations whose last feedback is remembered
)

// Feedback tells stations over MQTT what was refused. It is a courtesy: what it drops can still be read
// on the station's health page.
type Feedback struct {
	// Publish sends an MQTT message.
	Publish func(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error
	Log     *slog.Logger

	queue   chan Refusal
	dropped atomic.Uint64
}

// NewFeedback makes the queue.
func NewFeedback(publish func(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error, log *slog.Logger) *Feedback {
	return &Feedback{Publish: publish, Log: log, queue: make(chan Refusal, feedbackQueue)}
}

// Queue puts a refusal into the queue for its station and never blocks.
func (f *Feedback) Queue(r Refusal) {
	if r.Station == "" || r.Reason == wire.UnknownStation {
		return // nobody is there to listen
	}
	select {
	case f.queue <- r:
	default:
		f.dropped.Add(1)
	}
}

// Dropped is the number of refusals that stations were not told.
func (f *Feedback) Dropped() uint64 { return f.dropped.Load() }

// Run tells stations until ctx ends.
func (f *Feedback) Run(ctx context.Context) error {
	last := map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-f.queue:
			if r.Received.Sub(last[r.Station]) < feedbackEvery {
				f.dropped.Add(1)
				continue
			}
			if len(last) >= feedbackKnown {
				clear(last)
			}
			last[r.Station] = r.Received
			payload := wire.AppendFeedback(nil, r.Received, r.Reason, r.Field, r.Detail)
			if err := f.Publish(ctx, wire.FeedbackTopic(r.Station), 0, false, payload); err != nil {
				f.dropped.Add(1)
				f.Log.Debug("feedback not sent", "station", r.Station, "err", err)
			}
		}
	}
}
