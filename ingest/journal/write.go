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
	// mostWait is how long Write waits for more before it writes to a store that works.
	mostWait = 10 * time.Second

	// A merged batch ends when it is of mergeEntries, holds mergeReadings or mergeFlags, when the last one was written mostWait ago, when nothing
	// has come for quietTime, or when somebody waits for it (Flush): one write costs the store as much as many, and what waits is in the
	// journal. Flags of an hour change nearly all of its pages each time: those of 20,000 stations with five quantities are one write.
	mergeEntries  = 256
	mergeReadings = 5000
	mergeFlags    = 100_000
	quietTime     = time.Second

	bufferEntries = 64 // read ahead

	positionEvery = 30 * time.Second // between looks at the store's position, for a store that changes while nothing is written

	lastTime = 5 * time.Second // limit for the write of what has gathered when the program stops

	retryFirst = 100 * time.Millisecond
	retryMost  = 10 * time.Second
)

// Sink stores the merged entries between two positions and moves the store from one to the other. It must be
// idempotent: after an error or a crash it gets the same entries again, perhaps merged differently. The batch's lists are
// used again afterwards, what the readings in it refer to is not. The error is ingest.ErrPosition when the store is not at from.
type Sink func(ctx context.Context, from, to ingest.Position, b ingest.Batch) error

// Filling is what the store gets from the journal after it was found behind.
type Filling struct {
	Entries uint64    // how many it lacked
	Since   time.Time // when the first of them was appended
	until   uint64
}

// Filling returns what the store is being filled with; nil when it is not behind.
func (j *Journal) Filling() *Filling { return j.filling.Load() }

// Write passes all entries after the store's position to sink, in order, until ctx ends. It asks for the position at the
// start, from time to time, and when sink returns ingest.ErrPosition: a store that knows no position in this journal gets everything. While
// sink fails otherwise it tries the same batch again with growing pauses. An entry that cannot be decoded is logged,
// counted and moved to the stream NAME_ASIDE; the others do not wait for it. Only one Write should run on a
// stream, in all processes together; of two, the store's position stops one each time.
func (j *Journal) Write(ctx context.Context, sink Sink) error {
	if !j.writing.CompareAndSwap(false, true) {
		return errors.New("write from the journal: a writer is already at work")
	}
	defer j.writing.Store(false)
	// Earlier versions kept in a consumer how far the store is.
	if err := j.stream.DeleteConsumer(ctx, "writer"); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		j.log.Debug("consumer of an earlier version stays", "err", err)
	}
	for wait := retryFirst; ctx.Err() == nil; {
		err := j.writeOn(ctx, sink)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ingest.ErrPosition):
			wait = retryFirst
			j.log.Warn("store was replaced, restored or emptied, looking where it is", "err", err)
		default:
			j.log.Warn("writing from the journal failed, retrying", "err", err)
		}
		wait = pause(ctx, wait)
	}
	return nil
}

// pause waits for the given time or until ctx ends, and returns how long to wait next.
func pause(ctx context.Context, wait time.Duration) time.Duration {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return min(2*wait, retryMost)
}

// writeOn writes from the store's position until something fails or ctx ends.
func (j *Journal) writeOn(ctx context.Context, sink Sink) error {
	ctx, cancel := context.WithCancel(ctx)
	at, err := j.o.Position(ctx)
	if err == nil {
		at, err = j.begin(ctx, sink, at)
	}
	if err != nil {
		cancel()
		return err
	}
	asks := make(chan *nats.Msg, askedMost)
	asked, err := j.nc.ChanSubscribe(j.writeSubject(), asks)
	if err != nil {
		cancel()
		return err
	}
	defer asked.Unsubscribe()
	entries, ended := make(chan entry, bufferEntries), make(chan error, 1)
	go func() {
		ended <- j.run(ctx, &follower{at: at, buffer: bufferEntries, each: func(e entry) error {
			select {
			case entries <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
	}()
	defer func() { cancel(); <-ended }()
	look := time.NewTicker(positionEvery)
	defer look.Stop()
	g := gathering{entries: entries, asks: asks, due: time.NewTimer(0), quiet: time.NewTimer(quietTime)}
	defer g.due.Stop()
	defer g.quiet.Stop()
	for {
		select {
		case <-look.C:
			if now, err := j.o.Position(ctx); err == nil && !now.Equal(at) { // a store that does not answer is noticed by a write
				return ingest.ErrPosition
			}
		case e := <-entries:
			if at, err = j.write(ctx, sink, at, e, &g); err != nil {
				return err
			}
		case m := <-asks:
			g.ask(m)
			g.wanted(at.Seq)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin compares the store's position with the journal, and says so when the store is behind.
func (j *Journal) begin(ctx context.Context, sink Sink, at ingest.Position) (ingest.Position, error) {
	s, err := j.resume(ctx, at, time.Time{})
	if err == nil && s.rewound {
		at, err = j.moveBack(ctx, sink, at, s)
	}
	if err != nil {
		return at, err
	}
	j.setWritten(at)
	return at, j.announce(ctx, at, s)
}

// moveBack moves the store's position to the last entry that the journal has of those that the store has: the numbers of
// lost entries are given again.
func (j *Journal) moveBack(ctx context.Context, sink Sink, at ingest.Position, s start) (ingest.Position, error) {
	back := ingest.Position{Journal: s.journal, Time: at.Time}
	last, err := j.before(ctx, s.next, 0)
	if err != nil {
		return at, err
	}
	if last != nil {
		back.Seq, back.Time = last.Sequence, last.Time.UTC()
	}
	return back, j.sink(ctx, sink, at, back, &gathering{})
}

// announce says how much the store lacks.
func (j *Journal) announce(ctx context.Context, at ingest.Position, s start) error {
	j.filling.Store(nil)
	if s.end < s.next {
		return nil
	}
	first, err := j.next(ctx, s.next)
	if err != nil || first == nil {
		return err
	}
	f := &Filling{Entries: s.end - s.next + 1, Since: first.Time, until: s.end}
	j.filling.Store(f)
	if s.known {
		j.log.Info("store is behind, filling it from the journal", "entries", f.Entries, "since", f.Since.UTC())
	} else {
		j.log.Warn("store knows nothing of this journal, filling it with everything in the journal", "entries", f.Entries, "since", f.Since.UTC(), "store", at.Journal, "journal", s.journal)
	}
	return nil
}

// gathering is what becomes one write.
type gathering struct {
	entries <-chan entry
	asks    <-chan *nats.Msg // of Flush
	due     *time.Timer      // fires when a write need not wait for more
	quiet   *time.Timer      // fires when nothing more has come for quietTime
	batch   ingest.Batch     // empty between writes; its lists are used again
	ended   time.Time        // of the last write
	waiting []ask
}

// write merges an entry and those that come until it is due, passes them to sink, and returns the store's new position.
func (j *Journal) write(ctx context.Context, sink Sink, from ingest.Position, e entry, g *gathering) (ingest.Position, error) {
	defer g.end()
	b := &g.batch
	var to ingest.Position
	for n := 1; ; n++ {
		if e.err != nil {
			if err := j.putAside(ctx, e.at.Seq, e.data, e.err); err != nil {
				return from, err
			}
		}
		to = e.at
		b.Readings = append(b.Readings, e.batch.Readings...)
		b.Refusals = append(b.Refusals, e.batch.Refusals...)
		b.HourFlags = append(b.HourFlags, e.batch.HourFlags...)
		if len(e.batch.HourFlags) > 0 {
			g.due.Reset(quietTime) // those of one hour are several entries, among others
		}
		if n == mergeEntries || len(b.Readings)+len(b.Refusals) >= mergeReadings || len(b.HourFlags) >= mergeFlags {
			break
		}
		var ok bool
		if e, ok = g.next(ctx, to.Seq); !ok {
			break
		}
	}
	if err := j.sink(ctx, sink, from, to, g); err != nil {
		return from, err
	}
	g.answer(to.Seq)
	j.setWritten(to)
	if f := j.filling.Load(); f != nil && to.Seq >= f.until {
		j.filling.Store(nil)
		j.log.Info("store has everything that the journal had", "entries", f.Entries)
	}
	return to, nil
}

// next returns the next entry after one; false when none is there and a write is due.
func (g *gathering) next(ctx context.Context, at uint64) (entry, bool) {
	select {
	case e := <-g.entries:
		return e, true
	default:
	}
	g.quiet.Reset(quietTime)
	for !g.wanted(at) {
		select {
		case e := <-g.entries:
			return e, true
		case m := <-g.asks:
			g.ask(m)
			continue
		case <-g.due.C:
		case <-g.quiet.C:
		case <-ctx.Done():
		}
		break
	}
	return entry{}, false
}

// end empties the batch, and has the next write wait for mostWait.
func (g *gathering) end() {
	b := &g.batch
	clear(b.Readings)
	clear(b.Refusals)
	clear(b.HourFlags)
	b.Readings, b.Refusals, b.HourFlags = b.Readings[:0], b.Refusals[:0], b.HourFlags[:0]
	g.ended = time.Now()
	g.due.Reset(mostWait)
}

// sink calls sink with the batch until it succeeds, the store turns out to be at another position, or ctx ends. When ctx has ended while entries
// were gathered, as it does when the program stops, it calls sink once, so that they are in the store.
func (j *Journal) sink(ctx context.Context, sink Sink, from, to ingest.Position, g *gathering) error {
	if ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
		defer cancel()
		return sink(ctx, from, to, g.batch)
	}
	failing := false
	for wait := retryFirst; ; wait = g.pause(ctx, wait) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := sink(ctx, from, to, g.batch)
		if err == nil && failing {
			j.log.Info("journal entries are written again", "last", to.Seq)
		}
		if err == nil || errors.Is(err, ingest.ErrPosition) {
			return err
		}
		if ctx.Err() == nil {
			failing = true
			j.log.Warn("journal entries not written, they stay in the journal, retrying", "last", to.Seq, "err", err)
		}
	}
}

// setWritten notes the store's position.
func (j *Journal) setWritten(at ingest.Position) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written = &at
}

// position returns the store's position, of the writer in this process or as the store says; the last known when the
// store does not answer, and nil when none is.
func (j *Journal) position(ctx context.Context) *ingest.Position {
	if !j.writing.Load() {
		ctx, cancel := context.WithTimeout(ctx, positionTime)
		defer cancel()
		if at, err := j.o.Position(ctx); err == nil {
			j.setWritten(at)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.written
}

// putAside moves an undecodable entry to the stream NAME_ASIDE. Its sequence is the message id, so that a retry adds
// no second copy. When there is no space for it, putAside logs the bytes, so that the others need not wait.
func (j *Journal) putAside(ctx context.Context, seq uint64, data []byte, cause error) error {
	number := strconv.FormatUint(seq, 10)
	m := &nats.Msg{Subject: j.asideSubject(), Data: data, Header: nats.Header{
		"Nats-Msg-Id": {number}, "Stadtluft-Sequence": {number}, "Stadtluft-Error": {cause.Error()},
	}}
	switch _, err := j.publish(ctx, m); {
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
