package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
)

// recomputeEvery is how often recomputations are looked for.
const recomputeEvery = 2 * time.Second

// noticeTime is how long another process may take to notice that a station was erased, and to be done with its last reading.
const noticeTime = 5 * time.Second

// errUnwritten says that readings of an erased station may still come to the store.
var errUnwritten = errors.New("the journal has entries that wait for the store")

// startRecompute recomputes averages that the registry asks for.
func (s *server) startRecompute(context.Context) error {
	s.health.addCheck(func(_ context.Context, add addProblem) {
		if err := s.recomputeProblem.Load(); err != nil {
			add("averages", *err, "averages that have to be made again, or readings that are to go, wait; look at the store")
		}
	})
	s.supervisor.start("recomputations", s.recompute)
	return nil
}

// recompute recomputes averages and takes erased stations' readings away, as the registry asks, until ctx ends. What
// fails is tried again.
func (s *server) recompute(ctx context.Context) error {
	ticker := time.NewTicker(recomputeEvery)
	defer ticker.Stop()
	for {
		var trouble *error
		if err := s.recomputeAll(ctx); err != nil && ctx.Err() == nil {
			trouble = &err
		}
		if last := s.recomputeProblem.Swap(trouble); trouble != nil && last == nil {
			s.log.Warn("averages recompute failed, retrying", "err", *trouble)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// recomputeAll recomputes what all stations that wait have in common, then ends each. It may be interrupted anywhere and goes on there: an erased
// station's readings go last.
func (s *server) recomputeAll(ctx context.Context) error {
	waiting, err := s.registry.Recomputations(ctx)
	if err != nil {
		return err
	}
	waiting = slices.DeleteFunc(waiting, func(r registry.Recomputation) bool {
		if r.Station.Status != ingest.Erased {
			return false
		}
		e := s.noticed(ctx, r.Station.ID)
		if !errors.Is(e, errUnwritten) {
			err = errors.Join(err, e)
		}
		return e != nil
	})
	if len(waiting) == 0 {
		return err
	}
	before, e := s.journal.Stats(ctx)
	if e != nil {
		return e
	}
	begin := time.Now()
	affected := make([]averages.Affected, len(waiting))
	for i, r := range waiting {
		affected[i] = averages.Affected{Station: r.Station.ID, From: r.From}
	}
	if err := s.averages.Recompute(ctx, affected, func(until time.Time) error { return s.registry.RecomputedUntil(ctx, waiting, until) }); err != nil {
		return err
	}
	for i, r := range waiting {
		if e := s.endRecomputation(ctx, r, before); errors.Is(e, errUnwritten) {
			continue // the next round finds them written
		} else if e != nil {
			err = errors.Join(err, fmt.Errorf("station %s: %w", r.Station.ID, e))
			continue
		}
		s.log.Info("averages recomputed", "station", r.Station.ID, "from", affected[i].From, "erased", r.Station.Status == ingest.Erased, "after", time.Since(begin))
	}
	return err
}

func (s *server) endRecomputation(ctx context.Context, r registry.Recomputation, before journal.Stats) error {
	if r.Station.Status == ingest.Erased {
		if err := errors.Join(s.store.DeleteReadings(ctx, r.Station.ID), s.deadLetters().Delete(r.Station.ID)); err != nil {
			return err
		}
		if after, err := s.journal.Stats(ctx); err != nil || after.AckFloor < before.LastSeq {
			return errors.Join(errUnwritten, err)
		}
	}
	return s.registry.Recomputed(ctx, r)
}

// noticed is errUnwritten while a process apart, such as the intake, may not know of a station's last change yet.
func (s *server) noticed(ctx context.Context, station string) error {
	if s.roles.all() {
		return nil
	}
	last, err := s.registry.Changes(ctx, station, 1)
	if err == nil && len(last) > 0 && time.Since(last[0].At) < noticeTime {
		err = errUnwritten
	}
	return err
}
