package main

import (
	"context"
	"time"

	"stadtluft/export/live"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

// fillTime is how long a start reads the store for what the journal lacks.
const fillTime = time.Minute

// startAverages replays the journal, and before it what only the store has, so that averages, live values and the memory of
// what is known are as they were, and goes on following it.
func (s *server) startAverages(ctx context.Context) error {
	s.checker = quality.New(s.config.Quality)
	s.aggregate = &aggregate.Aggregate{Correction: averages.Correction(s.config.correction())}
	s.averages = &averages.Averages{
		Aggregate: s.aggregate, Stations: s.registry, Store: s.store, Size: int32(s.config.GridResolution), DayOffset: s.config.dayOffset(), Log: s.log,
		Judge: openJudge(s.config.Data, s.config.Quality, s.registry, s.log).hour, Append: s.journal.Append,
	}
	s.now = live.NewNow()
	begin, replayed := time.Now(), make(chan struct{})
	since := begin.Add(-aggregate.Keep - time.Hour) // whole hours, also the oldest
	if err := s.fill(ctx, since); err != nil {
		return err
	}
	s.house.start("averages", func(ctx context.Context) error {
		caughtUp := false
		return s.journal.Follow(ctx, since, func() {
			caughtUp = true
			s.now.CaughtUp()
			close(replayed)
			s.log.Debug("journal replayed", "after", time.Since(begin).Round(time.Millisecond))
		}, func(_ uint64, b ingest.Batch) error {
			for _, v := range b.Verdicts {
				s.averages.Apply(v)
				s.now.Apply(v)
			}
			for _, r := range b.Readings {
				if caughtUp {
					s.observe(r)
				} else {
					s.remember(r)
				}
			}
			return nil
		})
	})
	select {
	case <-replayed:
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.house.failed:
		return err
	}
	s.house.start("hours", s.averages.Run)
	s.house.start("archive", s.store.Run)
	s.house.start("restatements", s.restate)
	return nil
}

// remember takes in a reading of before the start.
func (s *server) remember(r ingest.Reading) {
	s.checker.Remember(r)
	s.observe(r)
}

func (s *server) observe(r ingest.Reading) {
	s.averages.Observe(r)
	s.now.Observe(r)
}

// fill observes what the store has since a moment and the journal no longer: after a restore, and when the journal was full.
// The checks that look back find their flags again.
func (s *server) fill(ctx context.Context, since time.Time) error {
	first, err := s.journal.First(ctx)
	if err != nil {
		return err
	}
	if first.IsZero() {
		first = time.Now()
	}
	ahead := time.Duration(s.config.Quality.ClockAhead * float64(time.Minute)) // what was received by then may be this much younger
	ctx, cancel := context.WithTimeout(ctx, fillTime)
	defer cancel()
	err = s.store.Readings(ctx, store.ReadingQuery{From: since, To: first.Add(ahead)}, func(r ingest.Reading) error {
		if !r.Received.Before(first) {
			return nil
		}
		for i := range r.Values {
			r.Values[i].Flags &^= ingest.HourFlags
		}
		s.remember(r)
		return nil
	})
	if err != nil {
		s.log.Warn("averages lack what the journal has no more", "since", since, "until", first, "err", err)
	}
	return nil
}
