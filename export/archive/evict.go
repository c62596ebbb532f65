package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// evictDelay is the time between the moment from which a day is read from the archive and that at which the store
// deletes its readings, so that no query still reads them there.
const evictDelay = 24 * time.Hour

// marksWait bounds how long writers wait while marks are looked for on another machine.
const marksWait = 2 * time.Second

// evict deletes the readings of a day from the store, in two steps that are evictDelay apart. It takes each step only
// when the newest revision is intact and holds all that the store has.
func (s *Store) evict(ctx context.Context, d Day, now time.Time) error {
	a := s.Archive
	revision, err := a.newest(d)
	if err != nil || a.forgotten(d) >= revision {
		return err
	}
	if pending, err := a.isPending(ctx, d); err != nil || pending {
		return err
	}
	info, err := a.files().Stat(a.evictedPath(d))
	if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && now.Sub(info.ModTime()) < evictDelay {
		return err
	}
	if wrong := a.verify(d, revision); len(wrong) > 0 {
		return fmt.Errorf("the store keeps the readings of %s: the archive is damaged: %s", d, strings.Join(wrong, "; "))
	}
	if err := s.covered(ctx, d); err != nil {
		return fmt.Errorf("the store keeps the readings of %s: %w", d, err)
	}
	if info == nil {
		return a.files().Write(ctx, a.evictedPath(d), nil)
	}
	if done, err := s.forgetDay(ctx, d); err != nil || !done {
		return err
	}
	return a.files().Write(ctx, a.forgottenPath(d), []byte(strconv.Itoa(revision)))
}

// covered returns an error when the store has something of a day that the archive does not have: joining both would
// change the day.
func (s *Store) covered(ctx context.Context, d Day) error {
	from, to := s.Archive.Period(d)
	q := store.ReadingQuery{From: from, To: to}
	next, stop := iter.Pull2(s.Archive.readings(ctx, d, q))
	defer stop()
	return s.join(ctx, d, q, func(r ingest.Reading) error {
		kept, err, _ := next()
		if err == nil && !reflect.DeepEqual(kept, r) {
			err = fmt.Errorf("that of %s at %s is not in the archive as it is in the store", r.Station, r.Time.Format(time.RFC3339))
		}
		return err
	})
}

// forgetDay deletes a day from the store hour by hour; it stops when something of the day is written meanwhile.
func (s *Store) forgetDay(ctx context.Context, d Day) (done bool, err error) {
	from, to := s.Archive.Period(d)
	for hour := from; hour.Before(to); hour = hour.Add(time.Hour) {
		if done, err := s.forgetHour(ctx, d, hour); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

func (s *Store) forgetHour(ctx context.Context, d Day, hour time.Time) (done bool, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	short, cancel := context.WithTimeout(ctx, marksWait)
	defer cancel()
	if pending, err := s.Archive.isPending(short, d); err != nil || pending {
		return false, err
	}
	return true, s.Store.Forget(ctx, hour, hour.Add(time.Hour))
}

func (a *Archive) forgottenPath(d Day) string { return path.Join(a.folder(d), "forgotten") }

// forgotten returns the revision after which the store deleted the day's readings; 0 when it did not.
func (a *Archive) forgotten(d Day) int {
	text, _ := fs.ReadFile(a.files(), a.forgottenPath(d)) // without the file nothing was deleted
	revision, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return revision
}
