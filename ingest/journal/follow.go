package journal

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
	"stadtluft/ingest/streams"
)

const (
	// followEntries bounds the entries that a follower has requested and not processed.
	followEntries = 2000
	// lookEvery is the interval at which a follower looks whether the end of the journal is still there.
	lookEvery = 5 * time.Second
)

// Follow calls each for every entry after a position, in order and once, then for new entries, until ctx ends or each
// returns an error, which Follow then returns. Without a position in this journal it begins with the first entry that
// was appended at since or later. It calls caughtUp once, after the entries that were there at the start. It skips
// entries that cannot be decoded; the writer reports them. When the journal loses its end, Follow continues with what
// was appended after the last entry that it passed on.
func (j *Journal) Follow(ctx context.Context, after ingest.Position, since time.Time, caughtUp func(), each func(ingest.Batch) error) error {
	return j.run(ctx, &follower{at: after, since: since, buffer: followEntries, caughtUp: caughtUp, each: func(e entry) error {
		if e.err != nil {
			return nil
		}
		return each(e.batch)
	}})
}

// entry is an entry of the journal.
type entry struct {
	at    ingest.Position
	data  []byte
	batch ingest.Batch
	err   error // why data cannot be decoded
}

// follower is the progress of a Follow.
type follower struct {
	at       ingest.Position       // of the last entry that was passed to each
	since    time.Time             // where it begins without a position
	buffer   int                   // entries that are requested and not processed
	end      uint64                // sequence at which it has caught up
	begun    bool                  // end is known
	caughtUp func()                // nil after it was called
	skip     func(seq uint64) bool // entries that need not be decoded; nil skips none
	each     func(entry) error
	failed   bool  // the last subscription broke with an error
	err      error // the error of each
}

// through calls caughtUp when the entries up to seq are all that were there at the start.
func (f *follower) through(seq uint64) {
	if seq >= f.end && f.caughtUp != nil {
		f.caughtUp()
		f.caughtUp = nil
	}
}

// run follows until ctx ends or each fails, and begins a subscription again when it breaks.
func (j *Journal) run(ctx context.Context, f *follower) error {
	for wait := retryFirst; ctx.Err() == nil; {
		before := f.at
		err := j.follow(ctx, f)
		if f.err != nil {
			return f.err
		}
		if err != nil && ctx.Err() == nil {
			f.failed = true
			j.log.Warn("journal cannot be followed, retrying; new entries wait in it", "after", f.at.Seq, "err", err)
		}
		if err == nil || !f.at.Equal(before) {
			wait = retryFirst
		}
		wait = pause(ctx, wait)
	}
	return nil
}

// follow runs one subscription. It returns when the subscription breaks, ctx ends, or each fails; nil when the journal
// lost its end.
func (j *Journal) follow(ctx context.Context, f *follower) error {
	var looking sync.WaitGroup
	defer looking.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rewound := j.rewinds()
	start, err := j.resume(ctx, f.at, f.since)
	if err != nil {
		return err
	}
	if !f.begun {
		f.begun, f.end = true, start.end
		f.through(start.next - 1)
	}
	begin := time.Now()
	consumer, err := j.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: start.next})
	if err != nil {
		return j.nc.Asked("follow stream "+j.o.Stream, begin, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(f.buffer), jetstream.PullHeartbeat(streams.Heartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	if f.failed {
		f.failed = false
		j.log.Info("journal is followed again", "after", f.at.Seq)
	}
	looking.Go(func() { j.look(ctx, rewound, cancel) })
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if isClosed(rewound) {
			return nil
		}
		if err != nil {
			return err
		}
		e, err := decode(m, start.journal, f.skip)
		if err != nil {
			return err
		}
		j.sight(e.at.Seq)
		if f.at.Seq > 0 && f.at.Journal == e.at.Journal && e.at.Seq > f.at.Seq+1 {
			j.report(Damage{First: f.at.Seq + 1, Last: e.at.Seq - 1, From: f.at.Time, To: e.at.Time})
		}
		if f.err = f.each(e); f.err != nil {
			return f.err
		}
		f.at = e.at
		f.through(e.at.Seq)
	}
}

// look calls stop when the journal lost its end, which it looks for every few seconds, until ctx ends. When NATS answers it, a
// problem of an earlier append ends: who appended may have lost its lease, and does not append again.
func (j *Journal) look(ctx context.Context, rewound <-chan struct{}, stop func()) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rewound:
			stop()
			return
		case <-tick.C:
			before := j.problem.Load()
			if _, err := j.info(ctx); err == nil {
				j.answered(before)
			} else if ctx.Err() == nil {
				j.log.Debug("journal look failed, retrying", "err", err)
			}
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// decode decodes an entry of a journal, unless skip says that nobody needs it. The error is one of the message, not of its
// data.
func decode(m jetstream.Msg, journal string, skip func(seq uint64) bool) (entry, error) {
	meta, err := m.Metadata()
	if err != nil {
		return entry{}, err
	}
	e := entry{at: ingest.Position{Journal: journal, Seq: meta.Sequence.Stream, Time: meta.Timestamp.UTC()}, data: m.Data()}
	if skip == nil || !skip(e.at.Seq) {
		e.batch, e.err = DecodeBatch(e.data)
	}
	return e, nil
}
