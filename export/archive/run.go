package archive

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

const (
	// buildEvery is the interval at which closed days are looked for. A failed build is retried after retryFirst, then
	// after twice as long each time, up to buildEvery.
	buildEvery, retryFirst = time.Minute, time.Second
	// buildDelay is how long a closed day waits for late readings, such as an import, before it becomes a revision.
	buildDelay = time.Hour
)

// Status counts the work of Run.
type Status struct {
	Built  uint64 // revisions
	Failed uint64 // attempts
}

// Run archives days when they are closed, and again when they were corrected, until ctx ends. It retries after errors;
// see Problem.
func (s *Store) Run(ctx context.Context) error {
	for retry := retryFirst; ; {
		err := s.Work(ctx, time.Now())
		s.done(ctx, err)
		pause := buildEvery
		if err != nil {
			pause, retry = retry, min(2*retry, buildEvery)
		} else {
			retry = retryFirst
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// Work does the work that is due at now, once.
func (s *Store) Work(ctx context.Context, now time.Time) error {
	if err := errors.Join(s.Archive.Recover(ctx), s.seed(ctx, now), s.addMeans(ctx), s.Archive.SendMarks(ctx)); err != nil {
		return err
	}
	pending, err := s.Archive.Pending(ctx)
	if err != nil {
		return err
	}
	for _, p := range pending {
		if err := s.due(ctx, p, now); err != nil {
			return err
		}
	}
	if s.Archive.Retention == 0 {
		return nil
	}
	first, _ := Ends()
	days, err := s.Archive.Days(first, s.Archive.DayOf(now.Add(-s.Archive.Retention-24*time.Hour)))
	for i := 0; err == nil && i < len(days); i++ {
		err = s.evict(ctx, days[i], now)
	}
	return err
}

// due builds a marked day when it is due.
func (s *Store) due(ctx context.Context, p Pending, now time.Time) error {
	revision, err := s.Archive.newest(p.Day)
	late := revision > 0 || s.Archive.IsClosed(p.Day, p.Since)
	if err != nil || !s.Archive.IsClosed(p.Day, now) || late && now.Sub(p.Since) < buildDelay {
		return err
	}
	begin := time.Now()
	m, made, err := s.Archive.Build(ctx, s, p.Day)
	if err != nil || !made {
		return err
	}
	s.mu.Lock()
	s.status.Built++
	s.mu.Unlock()
	s.Archive.Log.Info("day archived", "day", m.Day, "revision", m.Revision, "readings", m.Readings, "after", time.Since(begin).Round(time.Millisecond))
	return nil
}

// seed marks every day since the store's first reading, once, when there is no archive yet.
func (s *Store) seed(ctx context.Context, now time.Time) error {
	const noted = pendingFolder + "/seeded"
	if _, err := s.Archive.files().Stat(noted); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	first, err := s.First(ctx, now)
	if err != nil {
		return err
	}
	for d := s.Archive.DayOf(first); s.Archive.IsClosed(d, now); d = d.Next() {
		if err := s.Archive.Mark(d); err != nil {
			return err
		}
	}
	return s.Archive.files().Write(ctx, noted, nil)
}

// addMeans marks the days that were archived before days had means of stations, once: they get a revision with them.
func (s *Store) addMeans(ctx context.Context) error {
	const noted = pendingFolder + "/means"
	if _, err := s.Archive.files().Stat(noted); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	first, last := Ends()
	days, err := s.Archive.Days(first, last)
	for i := 0; err == nil && i < len(days); i++ {
		var files []served
		files, err = s.Archive.filesOf(days[i], 0)
		if err == nil && !slices.ContainsFunc(files, func(f served) bool { return f.Name == hoursParquet }) {
			err = s.Archive.Mark(days[i])
		}
	}
	if err != nil {
		return err
	}
	return s.Archive.files().Write(ctx, noted, nil)
}

// First returns the time of the first reading; now when there is none.
func (s *Store) First(ctx context.Context, now time.Time) (time.Time, error) {
	first, enough := now, errors.New("enough")
	begin, _ := Ends()
	err := s.Readings(ctx, store.ReadingQuery{From: begin.date, To: now}, func(r ingest.Reading) error {
		first = r.Time
		return enough
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return first, err
}

// done records the result of Work.
func (s *Store) done(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	failed := s.err != nil
	s.err = err
	if err != nil {
		s.status.Failed++
	}
	s.mu.Unlock()
	if err != nil {
		s.Archive.Log.Warn("archive build failed, retrying", "err", err)
	} else if failed {
		s.Archive.Log.Info("days are archived again")
	}
}

// Problem returns the error that keeps days from being archived; nil when there is none.
func (s *Store) Problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Status returns the counts so far.
func (s *Store) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}
