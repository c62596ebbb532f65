package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Days     []time.Time // starts, ascending
	Noted    time.Time   // when the last one was noted
	revision uint64
}

// LateDays returns the days that are noted. Every process sees the same.
func (r *Registry) LateDays(ctx context.Context) (LateDays, error) {
	var l LateDays
	entry, err := r.bucket.stations.Get(ctx, lateDaysKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return l, nil
	}
	if err == nil {
		l.Noted, l.revision = entry.Created(), entry.Revision()
		err = json.Unmarshal(entry.Value(), &l.Days)
	}
	if err != nil {
		return LateDays{}, fmt.Errorf("registry: late days: %w", err)
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
		all := slices.Clone(l.Days)
		for _, day := range days {
			if i, found := slices.BinarySearchFunc(all, day, time.Time.Compare); !found {
				all = slices.Insert(all, i, day.UTC())
			}
		}
		if len(all) == len(l.Days) && time.Since(l.Noted) < notedAgain {
			return nil
		}
		if done, err := r.putLateDays(ctx, all, l.revision); done || err != nil {
			return err
		}
	}
	return errors.New("registry: late days: other processes change them all the time")
}

// LateDaysDone removes the days but for those that have to be looked at again, unless some were noted since they were read.
func (r *Registry) LateDaysDone(ctx context.Context, l LateDays, again []time.Time) error {
	_, err := r.putLateDays(ctx, again, l.revision)
	return err
}

// putLateDays replaces a revision; false when there is a later one.
func (r *Registry) putLateDays(ctx context.Context, days []time.Time, revision uint64) (bool, error) {
	text, err := json.Marshal(days)
	if err == nil {
		_, err = r.bucket.stations.Update(ctx, lateDaysKey, text, revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("registry: late days: %w", err)
	}
	return true, nil
}
