package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

// followEntries is how many entries a follower has under way at once.
const followEntries = 2000

// Follow hands every entry that was appended at since or later to each, in order and once, then those
// that come, until ctx ends or each returns an error, which is then Follow's. It calls caughtUp once,
// when the entries that were there at the start are through. Entries that cannot be decoded are
// left out; the writer reports them.
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

// First is when the oldest entry was appended; zero when there is none.
func (j *Journal) First(ctx context.Context) (time.Time, error) {
	info, err := j.info(ctx)
	if err != nil || info.State.Msgs == 0 {
		return time.Time{}, err
	}
	return info.State.FirstTime, nil
}

// follower is how far a Follow has come.
type follower struct {
	last     uint64 // sequence of the last entry that was handed on
	end      uint64 // sequence at which it has caught up
	caughtUp func() // nil when it was called
	each     func(seq uint64, b ingest.Batch) error
	err      error // of each
}

func (f *follower) through(seq uint64) {
	if seq >= f.end && f.caughtUp != nil {
		f.caughtUp()
		f.caughtUp = nil
	}
}

// follow returns when the subscription breaks, ctx ends, or each fails.
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
