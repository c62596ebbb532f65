package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"sync"
	"time"

	"stadtluft/export"
	"stadtluft/export/parquet"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Store is a store joined with its archive: readings that the store has deleted are read from the archive, and every
// write marks its day for the archive. It is a store.Store.
type Store struct {
	store.Store
	Archive *Archive

	writing sync.RWMutex // read-locked to write readings, locked to delete them

	mu     sync.Mutex // guards the fields below
	status Status
	err    error
}

var _ store.Store = (*Store)(nil)

// WriteReadings stores readings and marks their days. It returns an error when they are stored but not marked: the
// caller writes them again.
func (s *Store) WriteReadings(ctx context.Context, readings []ingest.Reading) ([]store.Rejected, error) {
	s.writing.RLock()
	defer s.writing.RUnlock()
	rejected, err := s.Store.WriteReadings(ctx, readings)
	if err != nil {
		return nil, err
	}
	return rejected, s.markReadings(readings)
}

// Advance marks the days of readings before and after it stores them: a crash in between leaves no day unmarked.
func (s *Store) Advance(ctx context.Context, readings []ingest.Reading, from, to ingest.Position, keep func([]store.Rejected) error) error {
	s.writing.RLock()
	defer s.writing.RUnlock()
	if err := s.markReadings(readings); err != nil {
		return err
	}
	if err := s.Store.Advance(ctx, readings, from, to, keep); err != nil {
		return err
	}
	return s.markReadings(readings)
}

func (s *Store) markReadings(readings []ingest.Reading) error {
	return markAll(s.Archive, readings, func(r ingest.Reading) time.Time { return r.Time })
}

// WriteGrid stores averages and marks their days.
func (s *Store) WriteGrid(ctx context.Context, rows []aggregate.Row) error {
	if err := s.Store.WriteGrid(ctx, rows); err != nil {
		return err
	}
	return markAll(s.Archive, rows, func(r aggregate.Row) time.Time { return r.Start })
}

func markAll[T any](a *Archive, rows []T, at func(T) time.Time) error {
	var last Day
	for _, row := range rows {
		d := a.DayOf(at(row))
		if d == last {
			continue
		}
		if err := a.Mark(d); err != nil {
			return err
		}
		last = d
	}
	return nil
}

// Readings reads evicted days from the archive, joined with what was stored since, and all others from the store.
func (s *Store) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	if !q.From.Before(q.To) {
		return nil
	}
	days, err := s.Archive.evicted(s.Archive.DayOf(q.From), s.Archive.DayOf(q.To))
	if err != nil && time.Since(q.From) > LeastRetention { // of younger days nothing is evicted: they are there while the archive is away
		return err
	}
	for _, d := range days {
		from, to := s.Archive.Period(d)
		if before := (store.ReadingQuery{From: q.From, To: from, Stations: q.Stations, Quantities: q.Quantities}); before.From.Before(from) {
			if err := s.Store.Readings(ctx, before, yield); err != nil {
				return err
			}
		}
		part := q
		part.From, part.To = export.Later(q.From, from), export.Earlier(q.To, to)
		if err := s.join(ctx, d, part, yield); err != nil {
			return err
		}
		if q.From = to; !q.From.Before(q.To) {
			return nil
		}
	}
	return s.Store.Readings(ctx, q, yield)
}

// join merges the archive's and the store's readings of a day.
func (s *Store) join(ctx context.Context, d Day, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	next, stop := iter.Pull2(s.Archive.readings(ctx, d, q))
	defer stop()
	old, err, more := next()
	pass := func(until *ingest.Reading) error {
		for ; more && err == nil && (until == nil || compare(old, *until) < 0); old, err, more = next() {
			if err := yield(old); err != nil {
				return err
			}
		}
		return err
	}
	readErr := s.Store.Readings(ctx, q, func(r ingest.Reading) error {
		if err := pass(&r); err != nil {
			return err
		}
		if more && compare(old, r) == 0 {
			r = over(old, r)
			old, err, more = next()
		}
		return yield(r)
	})
	if readErr != nil {
		return readErr
	}
	return pass(nil)
}

func compare(a, b ingest.Reading) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Station, b.Station))
}

// over returns old with the values of r written over it, as a store does it.
func over(old, r ingest.Reading) ingest.Reading {
	for _, v := range old.Values {
		if !slices.ContainsFunc(r.Values, func(w ingest.Value) bool { return w.Quantity == v.Quantity }) {
			r.Values = append(r.Values, v)
		}
	}
	slices.SortFunc(r.Values, func(a, b ingest.Value) int { return cmp.Compare(a.Quantity, b.Quantity) })
	return r
}

// shows reports whether a station's archived readings may be read; false when their owner had them deleted: they remain
// in published files only.
func (a *Archive) shows(station string) bool {
	st, registered := a.Stations.Station(station)
	return registered && st.Status != ingest.Erased
}

// LeastRetention is the least time for which the store keeps readings.
const LeastRetention = 7 * 24 * time.Hour

// readAhead is the number of readings that are read from a file while the ones before are used.
const readAhead = 2000

// readings returns the archived readings of a day, in order.
func (a *Archive) readings(ctx context.Context, d Day, q store.ReadingQuery) iter.Seq2[ingest.Reading, error] {
	return func(yield func(ingest.Reading, error) bool) {
		enough := errors.New("enough")
		err := store.ReadAhead(ctx, func(ctx context.Context, hand func([]ingest.Reading) error) error {
			return a.pages(ctx, d, q, hand)
		}, func(r ingest.Reading) error {
			if !yield(r, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(ingest.Reading{}, fmt.Errorf("read the archive of %s, whose readings the store has let go: %w", d, err))
		}
	}
}

// pages passes on the archived readings of a day; two buffers take turns.
func (a *Archive) pages(ctx context.Context, d Day, q store.ReadingQuery, hand func([]ingest.Reading) error) error {
	var page, last []ingest.Reading
	err := a.read(d, q.From, q.To, func(r ingest.Reading) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(q.Stations) > 0 && !slices.Contains(q.Stations, r.Station) || !a.shows(r.Station) {
			return nil
		}
		if len(q.Quantities) > 0 {
			r.Values = slices.DeleteFunc(r.Values, func(v ingest.Value) bool { return !slices.Contains(q.Quantities, v.Quantity) })
		}
		if len(r.Values) == 0 {
			return nil
		}
		if page = append(page, r); len(page) < readAhead {
			return nil
		}
		full := page
		page, last = last[:0], page
		return hand(full)
	})
	if err != nil || len(page) == 0 {
		return err
	}
	return hand(page)
}

// read reads the newest revision of a day.
func (a *Archive) read(d Day, from, to time.Time, yield func(ingest.Reading) error) error {
	revision, err := a.newest(d)
	if err != nil {
		return err
	}
	file, err := a.open(path.Join(a.revisionFolder(d, revision), readingsParquet))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return parquet.Read(file, info.Size(), from, to, yield)
}

// evicted returns the days from first to last whose readings the store may not have.
func (a *Archive) evicted(first, last Day) ([]Day, error) {
	days, err := a.Days(first, last)
	return slices.DeleteFunc(days, func(d Day) bool {
		_, err := a.files().Stat(a.evictedPath(d))
		return errors.Is(err, fs.ErrNotExist)
	}), err
}

func (a *Archive) evictedPath(d Day) string { return path.Join(a.folder(d), "spared") }
