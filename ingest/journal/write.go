package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

const (
	fetchEntries  = 64   // entries that the writer has at once
	mergeReadings = 5000 // a merged batch ends when it holds this many
	fetchWait     = 100 * time.Millisecond

	// ackWait is the time after which the server sends an entry of a dead writer again, if it cannot reset the
	// consumer.
	ackWait = 30 * time.Second

	retryFirst = 100 * time.Millisecond
	retryMost  = 10 * time.Second
)

// Sink stores the merged entries first to last, by sequence. It must be idempotent: after an error, a crash or a lost
// acknowledgement it gets the same entries again, perhaps merged differently.
type Sink func(ctx context.Context, first, last uint64, b ingest.Batch) error

// Write passes all entries to sink, in order, until ctx ends, and acknowledges them after sink returned nil. While
// sink fails it tries the same batch again with growing pauses. An entry that cannot be decoded is logged, counted
// and moved to the stream NAME_ASIDE; the others do not wait for it. Only one Write may run on a stream, in all
// processes together.
func (j *Journal) Write(ctx context.Context, sink Sink) error {
	if !j.writing.CompareAndSwap(false, true) {
		return errors.New("write from the journal: a writer is already at work")
	}
	defer j.writing.Store(false)
	for fresh, wait := true, retryFirst; ctx.Err() == nil; {
		if fresh {
			j.reset(ctx)
		}
		err := j.round(ctx, sink)
		fresh = err != nil
		if err == nil {
			wait = retryFirst
			continue
		}
		if ctx.Err() == nil {
			j.log.Warn("journal read failed, retrying", "err", err)
		}
		wait = pause(ctx, wait)
	}
	return nil
}

// reset makes the server send again, in order and at once, what was sent but never acknowledged. Servers before 2.14
// do not support it; they send such entries after ackWait.
func (j *Journal) reset(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if _, err := j.stream.ResetConsumer(ctx, writerName); err != nil {
		j.log.Debug("journal consumer reset failed", "err", err)
	}
}

// pause waits for the given time or until ctx ends, and returns how long to wait next.
func pause(ctx context.Context, wait time.Duration) time.Duration {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return min(2*wait, retryMost)
}

// round fetches, writes and acknowledges once.
func (j *Journal) round(ctx context.Context, sink Sink) error {
	fetched, err := j.writer.Fetch(fetchEntries, jetstream.FetchMaxWait(fetchWait))
	if err != nil {
		return fmt.Errorf("fetch from the journal: %w", err)
	}
	var messages []jetstream.Msg
	for m := range fetched.Messages() {
		messages = append(messages, m)
	}
	if err := fetched.Error(); err != nil {
		return fmt.Errorf("fetch from the journal: %w", err)
	}
	for len(messages) > 0 && ctx.Err() == nil {
		n, err := j.write(ctx, sink, messages)
		if err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// write merges entries from the front of messages, passes them to sink and acknowledges them.
func (j *Journal) write(ctx context.Context, sink Sink, messages []jetstream.Msg) (int, error) {
	var b ingest.Batch
	var first, last uint64
	n := 0
	for ; n < len(messages) && size(b) < mergeReadings; n++ {
		seq, entry, err := decode(messages[n])
		if err != nil {
			if err := j.putAside(ctx, seq, messages[n].Data(), err); err != nil {
				return 0, err
			}
			continue
		}
		if first == 0 {
			first = seq
		}
		last = seq
		b.Readings = append(b.Readings, entry.Readings...)
		b.Refusals = append(b.Refusals, entry.Refusals...)
		b.HourFlags = append(b.HourFlags, entry.HourFlags...)
	}
	if first > 0 {
		if err := j.sink(ctx, sink, first, last, b); err != nil {
			return 0, err
		}
	}
	return n, acknowledge(ctx, messages[:n])
}

// sink calls sink until it succeeds or ctx ends.
func (j *Journal) sink(ctx context.Context, sink Sink, first, last uint64, b ingest.Batch) error {
	for wait := retryFirst; ; wait = pause(ctx, wait) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := sink(ctx, first, last, b)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			j.log.Warn("store write failed, readings stay in the journal", "first", first, "last", last, "err", err)
		}
	}
}

// acknowledge waits only for the server's answer to the last acknowledgement: all use one connection in order, so the
// server has the others as well.
func acknowledge(ctx context.Context, messages []jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	last := len(messages) - 1
	for _, m := range messages[:last] {
		if err := m.Ack(); err != nil {
			return fmt.Errorf("acknowledge to the journal: %w", err)
		}
	}
	if err := messages[last].DoubleAck(ctx); err != nil {
		return fmt.Errorf("acknowledge to the journal: %w", err)
	}
	return nil
}

func decode(m jetstream.Msg) (uint64, ingest.Batch, error) {
	meta, err := m.Metadata()
	if err != nil {
		return 0, ingest.Batch{}, err
	}
	b, err := DecodeBatch(m.Data())
	return meta.Sequence.Stream, b, err
}

// putAside moves an undecodable entry to the stream NAME_ASIDE. Its sequence is the message id, so that a retry adds
// no second copy. When there is no space for it, putAside logs the bytes, so that the others need not wait.
func (j *Journal) putAside(ctx context.Context, seq uint64, data []byte, cause error) error {
	number := strconv.FormatUint(seq, 10)
	m := &nats.Msg{Subject: j.asideSubject(), Data: data, Header: nats.Header{
		"Nats-Msg-Id": {number}, "Stadtluft-Sequence": {number}, "Stadtluft-Error": {cause.Error()},
	}}
	switch err := j.publish(ctx, m); {
	case errors.Is(err, ErrFull):
		j.log.Error("journal entry cannot be decoded, no space to move it aside, dropped", "seq", seq, "err", cause, "entry", fmt.Sprintf("%x", data))
	case err != nil:
		return fmt.Errorf("move journal entry %d aside: %w", seq, err)
	default:
		j.log.Error("journal entry cannot be decoded, moved aside", "seq", seq, "err", cause, "stream", j.o.Stream+"_ASIDE")
	}
	j.undecodable.Add(1)
	return nil
}
