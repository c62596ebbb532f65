package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
)

const (
	// fillTime bounds how long a start reads the store.
	fillTime = 30 * time.Minute
	// groupReadings bounds the readings of an hour that are passed on by station: some 20 MB, of which a start has two.
	groupReadings = 1 << 16
)

// follower gets the content of the store and the journal, and after caughtUp the new entries. It gets one thing after the other, while
// others get the same, and must not change or keep the lists.
type follower interface {
	apply(b ingest.Batch)
	stored(flags []averages.Stored)
	caughtUp()
}

// replay fills averages, live values and checks after a start: from the store, which is the truth of what was written,
// then from the journal after the store's position.
type replay struct {
	journal   *journal.Journal
	storage   *storage
	registry  *registry.Registry
	log       *slog.Logger
	since     time.Time                          // whole hours, also the oldest
	ahead     time.Duration                      // a reading may have been received this much before its time
	remember  []func(readings ...ingest.Reading) // get the readings from before the start, of one station
	followers []follower                         // get all readings
	passed    *passed                            // from the store, until past ends
	past      bool                               // the current entries are from before the start
}

func newReplay(b *base, remember []func(...ingest.Reading), followers []follower) *replay {
	return &replay{
		journal: b.journal, storage: b.storage, registry: b.registry, log: b.log, since: time.Now().Add(-aggregate.Retention - aggregate.LookBack - time.Hour),
		ahead: time.Duration(b.config.Quality.ClockAhead * float64(time.Minute)), remember: remember, followers: followers, past: true,
	}
}

// start returns after everything from before the start was passed on. With followers the replay continues as a part.
func (r *replay) start(ctx context.Context, sup *supervisor) error {
	after := r.fill(ctx)
	debug.FreeOSMemory() // what reading took at once is not needed again
	if len(r.followers) == 0 {
		once, done := context.WithCancel(ctx)
		defer done()
		return errors.Join(r.follow(once, after, done), ctx.Err())
	}
	replayed := make(chan struct{})
	sup.start(part{name: "replay", run: func(ctx context.Context) error {
		return r.follow(ctx, after, func() { close(replayed) })
	}})
	return sup.await(ctx, replayed)
}

// fill passes on what the store has of the period, and returns the journal entry up to which that is everything. When
// the store cannot be read it returns the zero position: averages then come from the journal, as far as it goes back.
func (r *replay) fill(ctx context.Context) ingest.Position {
	begin, n := time.Now(), 0
	ctx, cancel := context.WithTimeout(ctx, fillTime)
	defer cancel()
	at, err := r.storage.Position(ctx) // first: what another process stores meanwhile comes from the journal too
	r.passed = newPassed(at)
	if err == nil {
		err = r.readStore(ctx, func() { n++ })
	}
	if err != nil {
		r.log.Warn("store read failed, averages from the journal alone", "since", r.since, "err", err)
		return ingest.Position{}
	}
	r.log.Debug("store read", "readings", n, "after", time.Since(begin).Round(time.Millisecond))
	return at
}

// readStore passes on the readings of the store, by hour and with the flags of their hours after each hour. Of an hour it
// passes up to groupReadings by station: what belongs to a station is then at hand for all of them. It reads the next
// group while it passes on the current one.
func (r *replay) readStore(ctx context.Context, count func()) error {
	var flags averages.StoredFlags
	err := store.ReadAhead(ctx, func(ctx context.Context, hand func([]*stationGroup) error) error {
		return r.groups(ctx, count, func(g *stationGroup) error {
			g.sort()
			g.flags = nil
			for readings := range byStation(g.sorted) {
				if err := r.registry.EnsureLoaded(ctx, readings[0].Station); err != nil {
					return err
				}
				for i := range readings {
					g.flags = append(g.flags, flags.Next(&readings[i])...)
				}
			}
			return hand([]*stationGroup{g})
		})
	}, func(g *stationGroup) error {
		r.pass(g)
		return nil
	})
	r.stored(flags.End())
	return err
}

// pass passes on a group to all at once.
func (r *replay) pass(g *stationGroup) {
	var all sync.WaitGroup
	for _, f := range r.followers {
		all.Go(func() {
			f.stored(g.flags)
			f.apply(ingest.Batch{Readings: g.sorted})
		})
	}
	for readings := range byStation(g.sorted) {
		r.recall(readings...)
	}
	r.passed.note(g.sorted)
	all.Wait()
}

// groups passes the readings of the store to hand in groups of one hour each. Two groups take turns: when one is passed
// on, the one before is empty again.
func (r *replay) groups(ctx context.Context, count func(), hand func(*stationGroup) error) error {
	group, other := &stationGroup{}, &stationGroup{}
	var hour time.Time
	err := r.storage.Readings(ctx, store.ReadingQuery{From: r.since, To: time.Now().Add(r.ahead)}, func(reading ingest.Reading) error {
		count()
		of := reading.Time.Truncate(time.Hour)
		if n := len(group.readings); n == groupReadings || n > 0 && !of.Equal(hour) {
			if err := hand(group); err != nil {
				return err
			}
			group, other = other, group
		}
		hour = of
		group.add(reading)
		return nil
	})
	if err != nil {
		return err
	}
	return hand(group)
}

// follow passes on the journal after a position until ctx ends, and calls replayed when it reaches what was appended
// after the start.
func (r *replay) follow(ctx context.Context, after ingest.Position, replayed func()) error {
	begin := time.Now()
	return r.journal.Follow(ctx, after, r.since, func() {
		r.past, r.passed = false, nil
		for _, f := range r.followers {
			f.caughtUp()
		}
		r.log.Debug("journal replayed", "after", time.Since(begin).Round(time.Millisecond))
		replayed()
	}, func(b ingest.Batch) error {
		if r.past {
			b.Readings = r.passed.rest(b.Readings)
		}
		for i := range b.Readings {
			if err := r.registry.EnsureLoaded(ctx, b.Readings[i].Station); err != nil { // another process may be the intake and have loaded it sooner
				return err
			}
		}
		r.apply(b)
		for i := range b.Readings {
			r.recall(b.Readings[i : i+1]...)
		}
		return nil
	})
}

// apply passes a batch to the followers.
func (r *replay) apply(b ingest.Batch) {
	for _, f := range r.followers {
		f.apply(b)
	}
}

// stored passes flags of hours to the followers.
func (r *replay) stored(flags []averages.Stored) {
	for _, f := range r.followers {
		f.stored(flags)
	}
}

// recall passes readings of one station from before the start to the checks.
func (r *replay) recall(readings ...ingest.Reading) {
	if !r.past {
		return
	}
	for _, remember := range r.remember {
		remember(readings...)
	}
}
