package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store/deadletter"
)

// recomputeEvery is the interval at which recomputations are looked for.
const recomputeEvery = 2 * time.Second

// lateQuiet is how long no more late readings must have come before their days are checked: an import brings many.
const lateQuiet = 15 * time.Second

// lateShare is the part of the time that checks of late readings may take.
const lateShare = 10

// noticeTime is how long another process may need to notice that a station was erased, and to finish its last reading.
const noticeTime = 5 * time.Second

// errUnwritten reports that readings of an erased station may still be written to the store.
var errUnwritten = errors.New("the journal has entries that wait for the store")

// recomputer recomputes flags and averages and deletes erased stations' readings, as requested in the registry.
type recomputer struct {
	registry *registry.Registry
	journal  *journal.Journal
	averages *averages.Averages
	storage  *storage
	letters  deadletter.File
	apart    bool      // other processes may write and take readings
	pause    time.Time // when late readings may be checked again
	log      *slog.Logger
	failed   atomic.Pointer[error] // the error of the last round; nil when it did all
}

func newRecomputer(b *base, m *memory) *recomputer {
	return &recomputer{
		registry: b.registry, journal: b.journal, averages: m.averages, storage: b.storage, letters: DeadLetters(b.config), apart: b.shared(), log: b.log,
	}
}

func (c *recomputer) part() part {
	return part{name: "recomputations", run: c.run, problems: func(_ context.Context, add addProblem) {
		if err := c.failed.Load(); err != nil {
			add("averages", *err, "averages that have to be made again, or readings that are to go, wait; look at the store")
		}
	}}
}

// run carries out recomputations until ctx ends. It retries after errors.
func (c *recomputer) run(ctx context.Context) error {
	ticker := time.NewTicker(recomputeEvery)
	defer ticker.Stop()
	c.averages.ForgetPast(true) // this process may not have been the one that checks
	for {
		var trouble *error
		if err := errors.Join(c.all(ctx), c.late(ctx)); err != nil && ctx.Err() == nil {
			trouble = &err
		}
		if last := c.failed.Swap(trouble); trouble != nil && last == nil {
			c.log.Warn("averages recompute failed, retrying", "err", *trouble)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// all recomputes the affected averages of all waiting stations together, then ends each recomputation. It may be
// interrupted anywhere and continues there: an erased station's readings are deleted last.
func (c *recomputer) all(ctx context.Context) error {
	waiting, err := c.waiting(ctx)
	if len(waiting) == 0 {
		return err
	}
	before, e := c.journal.Stats(ctx)
	if e != nil {
		return e
	}
	begin := time.Now()
	affected := make([]averages.Affected, len(waiting))
	for i, r := range waiting {
		affected[i] = averages.Affected{Station: r.Station.ID, From: r.From}
	}
	if err := c.averages.Recompute(ctx, affected, func(until time.Time) error { return c.registry.RecomputedUntil(ctx, waiting, until) }); err != nil {
		return err
	}
	for i, r := range waiting {
		if e := c.end(ctx, r, before); errors.Is(e, errUnwritten) {
			continue // the next round deletes them after they were written
		} else if e != nil {
			err = errors.Join(err, fmt.Errorf("station %s: %w", r.Station.ID, e))
			continue
		}
		c.log.Info("averages recomputed", "station", r.Station.ID, "from", affected[i].From, "erased", r.Station.Status == ingest.Erased, "after", time.Since(begin))
	}
	return err
}

// late checks the days that got late readings, and the days that look back on them; once more when those are not in memory
// any more.
func (c *recomputer) late(ctx context.Context) error {
	c.averages.ForgetPast(false)
	late, err := c.registry.LateDays(ctx)
	begin := time.Now()
	if err != nil || begin.Before(c.pause) || len(late.Days) > 0 && begin.Sub(late.Noted) < lateQuiet {
		return err
	}
	days, again := late.Days, []time.Time(nil)
	for _, day := range slices.Concat(late.Again, late.Days) {
		if !averages.Settled(day, begin) {
			again = append(again, day)
		} else if slices.ContainsFunc(late.Again, day.Equal) {
			days = append(slices.Clip(days), day)
		}
	}
	if len(days) == 0 {
		return nil
	}
	if err := c.averages.Recheck(ctx, days); err != nil {
		return err
	}
	c.pause = time.Now().Add(lateShare * time.Since(begin))
	c.log.Info("late readings checked", "days", len(days), "after", time.Since(begin).Round(time.Millisecond))
	slices.SortFunc(again, time.Time.Compare)
	return c.registry.LateDaysDone(ctx, late, slices.CompactFunc(again, time.Time.Equal))
}

// waiting returns the requested recomputations, without stations whose erasure other processes may not have noticed yet.
func (c *recomputer) waiting(ctx context.Context) (all []registry.Recomputation, err error) {
	all = c.registry.Recomputations()
	all = slices.DeleteFunc(all, func(r registry.Recomputation) bool {
		if r.Station.Status != ingest.Erased {
			return false
		}
		e := c.noticed(ctx, r.Station.ID)
		if !errors.Is(e, errUnwritten) {
			err = errors.Join(err, e)
		}
		return e != nil
	})
	return all, err
}

// end ends a recomputation after its averages: it deletes an erased station's readings. It returns errUnwritten while
// readings that were in the journal before may still be written.
func (c *recomputer) end(ctx context.Context, r registry.Recomputation, before journal.Stats) error {
	if r.Station.Status == ingest.Erased {
		if err := errors.Join(c.storage.DeleteReadings(ctx, r.Station.ID), c.letters.Delete(r.Station.ID)); err != nil {
			return err
		}
		if after, err := c.journal.Stats(ctx); err != nil || after.Written < before.LastSeq {
			return errors.Join(errUnwritten, err)
		}
	}
	return c.registry.Recomputed(ctx, r)
}

// noticed returns errUnwritten while a separate process, such as the intake, may not know a station's last change yet.
func (c *recomputer) noticed(ctx context.Context, station string) error {
	if !c.apart {
		return nil
	}
	last, err := c.registry.Changes(ctx, station, 1)
	if err == nil && len(last) > 0 && time.Since(last[0].At) < noticeTime {
		err = errUnwritten
	}
	return err
}
