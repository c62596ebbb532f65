package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

// followEntries bounds the entries that a follower has requested and not processed.
const followEntries = 2000

// Follow calls each for every entry that was appended at since or later, in order and once, then for new entries,
// until ctx ends or each returns an error, which Follow then returns. It calls caughtUp once, after the entries that
// were there at the start. It skips entries that cannot be decoded; the writer reports them.
func (j *Journal) Follow(ctx context.Context, since time.Time, caughtUp func(), each func(seq uint64, b ingest.Batch) error) error {
	info, err := j.info(ctx)
	if err != nil {
		return fmt.Errorf("follow the journal: %w", err)
	}
	f := follower{end: info.State.LastSeq, caughtUp: caughtUp, each: each}
	if info.State.Msgs == 0 || info.State.LastTime.Before(since) {
		f.end = 0
	}
	f.through(0)
	config := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}
	for wait := retryFirst; ctx.Err() == nil; wait = pause(ctx, wait) {
		if f.last > 0 {
			config = jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: f.last + 1}
			wait = retryFirst
		}
		err := j.follow(ctx, config, &f)
		if f.err != nil {
			return f.err
		}
		if ctx.Err() == nil {
			j.log.Warn("journal follow failed, retrying", "err", err)
		}
	}
	return nil
}

// First returns when the oldest entry was appended; zero when there is none.
func (j *Journal) First(ctx context.Context) (time.Time, error) {
	info, err := j.info(ctx)
	if err != nil || info.State.Msgs == 0 {
		return time.Time{}, err
	}
	return info.State.FirstTime, nil
}

// follower is the progress of a Follow.
type follower struct {
	last     uint64 // sequence of the last entry that was passed to each
	end      uint64 // sequence at which it has caught up
	caughtUp func() // nil after it was called
	each     func(seq uint64, b ingest.Batch) error
	err      error // the error of each
}

func (f *follower) through(seq uint64) {
	if seq >= f.end && f.caughtUp != nil {
		f.caughtUp()
		f.caughtUp = nil
	}
}

// follow runs one subscription. It returns when the subscription breaks, ctx ends, or each fails.
func (j *Journal) follow(ctx context.Context, config jetstream.OrderedConsumerConfig, f *follower) error {
	consumer, err := j.stream.OrderedConsumer(ctx, config)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followEntries))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		seq, b, err := decode(m)
		if seq == 0 {
			return err
		}
		if err == nil {
			if f.err = f.each(seq, b); f.err != nil {
				return f.err
			}
		}
		f.last = seq
		f.through(seq)
	}
}
