package registry

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	lateDaysKey = "latedays" // of the bucket

	// notedAgain is how old a note may be before the same days are noted again: its age says how long nothing came.
	notedAgain = 5 * time.Second
	// noteAttempts bounds how often a note is tried that another process changes at the same time.
	noteAttempts = 10
)

// LateDays are days that got readings too late for the hours in memory: their flags and averages have to be made again.
type LateDays struct {
	Days     []time.Time `json:"days"`  // starts, ascending
	Again    []time.Time `json:"again"` // those that were made again and have to be once more, later
	Noted    time.Time   `json:"-"`     // when one was noted last, or done
	revision uint64
}

// LateDays returns the days that are noted. Every process sees the same.
func (r *Registry) LateDays(ctx context.Context) (LateDays, error) {
	var l LateDays
	begin := time.Now()
	entry, err := r.bucket.stations.Get(ctx, lateDaysKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return l, nil
	}
	if err == nil {
		l.Noted, l.revision = entry.Created(), entry.Revision()
		err = json.Unmarshal(entry.Value(), &l)
	}
	if err != nil {
		return LateDays{}, r.bucket.nc.Asked("registry: read late days", begin, err)
	}
	return l, nil
}

// NoteLateDays notes days. They stay noted over a restart, until LateDaysDone.
func (r *Registry) NoteLateDays(ctx context.Context, days []time.Time) error {
	for range noteAttempts {
		l, err := r.LateDays(ctx)
		if err != nil {
			return err
		}
		known := len(l.Days)
		for _, day := range days {
			if i, found := slices.BinarySearchFunc(l.Days, day, time.Time.Compare); !found {
				l.Days = slices.Insert(l.Days, i, day.UTC())
			}
		}
		if len(l.Days) == known && time.Since(l.Noted) < notedAgain {
			return nil
		}
		if done, err := r.putLateDays(ctx, l); done || err != nil {
			return err
		}
	}
	return errors.New("registry: late days: other processes change them all the time")
}

// LateDaysDone leaves of the days only those that have to be made again once more, unless some were noted since they were read.
func (r *Registry) LateDaysDone(ctx context.Context, l LateDays, again []time.Time) error {
	l.Days, l.Again = nil, again
	_, err := r.putLateDays(ctx, l)
	return err
}

// putLateDays replaces the revision that was read; false when there is a later one.
func (r *Registry) putLateDays(ctx context.Context, l LateDays) (bool, error) {
	begin := time.Now()
	text, err := json.Marshal(l)
	if err == nil {
		_, err = r.bucket.stations.Update(ctx, lateDaysKey, text, l.revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, r.bucket.nc.Asked("registry: note late days", begin, err)
	}
	return true, nil
}
