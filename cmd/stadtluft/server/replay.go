package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
)

// fillTime bounds how long a start reads from the store what the journal does not have.
const fillTime = time.Minute

// follower gets the content of the journal, and after caughtUp the new entries.
type follower interface {
	apply(b ingest.Batch)
	caughtUp()
}

// replay fills averages, live values and checks after a start: from the store with readings that are not in the journal
// any more, then from the journal.
type replay struct {
	journal   *journal.Journal
	storage   *storage
	registry  *registry.Registry
	log       *slog.Logger
	since     time.Time                // whole hours, also the oldest
	ahead     time.Duration            // a reading may have been received this much before its time
	remember  []func(r ingest.Reading) // get the readings from before the start
	followers []follower               // get all readings
	past      bool                     // the current entries are from before the start
}

func newReplay(b *base, remember []func(ingest.Reading), followers []follower) *replay {
	return &replay{
		journal: b.journal, storage: b.storage, registry: b.registry, log: b.log, since: time.Now().Add(-aggregate.Retention - time.Hour),
		ahead: time.Duration(b.config.Quality.ClockAhead * float64(time.Minute)), remember: remember, followers: followers, past: true,
	}
}

// start returns after everything from before the start was passed on. With followers the replay continues as a part.
func (r *replay) start(ctx context.Context, sup *supervisor) error {
	if err := r.fill(ctx); err != nil {
		return err
	}
	if len(r.followers) == 0 {
		once, done := context.WithCancel(ctx)
		defer done()
		return errors.Join(r.follow(once, done), ctx.Err())
	}
	replayed := make(chan struct{})
	sup.start(part{name: "replay", run: func(ctx context.Context) error {
		return r.follow(ctx, func() { close(replayed) })
	}})
	return sup.await(ctx, replayed)
}

// fill passes on readings that are in the store and not in the journal: after a restore, and after the journal was full.
// The checks that look back find their flags again.
func (r *replay) fill(ctx context.Context) error {
	first, err := r.journal.First(ctx)
	if err != nil {
		return err
	}
	if first.IsZero() {
		first = time.Now()
	}
	ctx, cancel := context.WithTimeout(ctx, fillTime)
	defer cancel()
	err = r.storage.Readings(ctx, store.ReadingQuery{From: r.since, To: first.Add(r.ahead)}, func(reading ingest.Reading) error {
		if !reading.Received.Before(first) {
			return nil
		}
		for i := range reading.Values {
			reading.Values[i].Flags &^= ingest.HourFlagMask
		}
		r.hand(ingest.Batch{Readings: []ingest.Reading{reading}})
		return nil
	})
	if err != nil {
		r.log.Warn("averages incomplete, store read failed", "since", r.since, "until", first, "err", err)
	}
	return nil
}

// follow passes on the journal until ctx ends, and calls replayed when it reaches what was appended after the start.
func (r *replay) follow(ctx context.Context, replayed func()) error {
	begin := time.Now()
	return r.journal.Follow(ctx, r.since, func() {
		r.past = false
		for _, f := range r.followers {
			f.caughtUp()
		}
		r.log.Debug("journal replayed", "after", time.Since(begin).Round(time.Millisecond))
		replayed()
	}, func(_ uint64, b ingest.Batch) error {
		for _, reading := range b.Readings {
			if err := r.registry.EnsureLoaded(ctx, reading.Station); err != nil { // another process may be the intake and have loaded it sooner
				return err
			}
		}
		r.hand(b)
		return nil
	})
}

// hand passes a batch to the followers, and one from before the start to the checks.
func (r *replay) hand(b ingest.Batch) {
	for _, f := range r.followers {
		f.apply(b)
	}
	if !r.past {
		return
	}
	for _, remember := range r.remember {
		for _, reading := range b.Readings {
			remember(reading)
		}
	}
}
