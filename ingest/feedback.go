package ingest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"stadtluft/firmware-protocol/wire"
)

const (
	feedbackQueue = 256         // refusals in the queue; further ones are dropped and counted
	feedbackEvery = time.Second // a station gets at most one refusal in this time
	feedbackKnown = 10_000      // stations whose last feedback is remembered
)

// Feedback sends refusals to their stations over MQTT. What it drops is still on the station's health page.
type Feedback struct {
	// Publish sends an MQTT message.
	Publish func(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error
	Log     *slog.Logger

	queue   chan Refusal
	dropped atomic.Uint64
}

// NewFeedback returns a Feedback with an empty queue.
func NewFeedback(publish func(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error, log *slog.Logger) *Feedback {
	return &Feedback{Publish: publish, Log: log, queue: make(chan Refusal, feedbackQueue)}
}

// Queue adds a refusal to the queue and never blocks; it drops and counts the refusal when the queue is full.
func (f *Feedback) Queue(r Refusal) {
	if r.Station == "" || r.Reason == wire.UnknownStation {
		return // no station to send it to
	}
	select {
	case f.queue <- r:
	default:
		f.dropped.Add(1)
	}
}

// Dropped returns the number of refusals that were not sent.
func (f *Feedback) Dropped() uint64 { return f.dropped.Load() }

// Run sends queued refusals until ctx ends.
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
				f.Log.Debug("feedback publish failed, dropped", "station", r.Station, "err", err)
			}
		}
	}
}
