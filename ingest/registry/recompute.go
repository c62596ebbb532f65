package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

// Recomputation is a request to compute a station's averages again from a moment on, because it stood elsewhere,
// measured with other sensors or indoors, or because its readings are to be deleted. It is kept until it is done, also over a restart.
type Recomputation struct {
	Station *ingest.Station // as it was when asked; Erased where the readings are to go
	From    time.Time       // for one that is Erased, the beginning of all time
}

// queueRecomputation keeps the earlier of two wishes.
func (e *edit) queueRecomputation(from time.Time) {
	if e.record.Recompute.IsZero() || from.Before(e.record.Recompute) {
		e.record.Recompute = from.UTC()
	}
}

// Recomputations returns the open requests, by station.
func (r *Registry) Recomputations() []Recomputation {
	var list []Recomputation
	for _, e := range r.memory.askingEntries() {
		if !e.record.Recompute.IsZero() {
			list = append(list, Recomputation{e.station, e.record.Recompute})
		}
	}
	return list
}

// RecomputedUntil records that averages before a moment are done, so that an interrupted recomputation continues
// there. It does not change requests that were made again meanwhile, for the same moment or a later one.
func (r *Registry) RecomputedUntil(ctx context.Context, under []Recomputation, until time.Time) error {
	for i := range under {
		from := under[i].From
		if !from.Before(until) {
			continue
		}
		err := r.change(ctx, under[i].Station.ID, "", func(e *edit) {
			if measuresAs(e.station, under[i].Station) && e.record.Recompute.Equal(from) {
				e.record.Recompute = until.UTC()
			}
		})
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		under[i].From = until
	}
	return nil
}

// Recomputed closes a request. An erased station is deleted with everything but the record of its changes. A request
// that was made again meanwhile stays open.
func (r *Registry) Recomputed(ctx context.Context, done Recomputation) error {
	id := done.Station.ID
	if done.Station.Status == ingest.Erased {
		return r.remove(ctx, id)
	}
	err := r.change(ctx, id, "", func(e *edit) {
		if measuresAs(e.station, done.Station) && e.record.Recompute.Equal(done.From) {
			e.record.Recompute = time.Time{}
		}
	})
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}

// measuresAs reports whether two versions of a station have the same averages.
func measuresAs(a, b *ingest.Station) bool {
	return a.Status == b.Status && slices.Equal(a.Places, b.Places) && slices.Equal(a.Exposures, b.Exposures) &&
		slices.EqualFunc(a.Installations, b.Installations, func(a, b ingest.Installation) bool {
			return a.From.Equal(b.From) && slices.Equal(a.Sensors, b.Sensors)
		})
}

// remove deletes an erased station.
func (r *Registry) remove(ctx context.Context, id string) error {
	now, err := r.fetch(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err == nil {
		err = r.forget(ctx, id)
	}
	if err != nil {
		return err
	}
	if err := r.purge(ctx, id, now.revision); err != nil {
		return fmt.Errorf("registry: delete station %s: %w", id, err)
	}
	return r.saveSnapshot()
}

// purge replaces a station's entry by a mark that it is gone.
func (r *Registry) purge(ctx context.Context, id string, revision uint64) error {
	key := stationKey + id
	gone := &nats.Msg{Subject: r.bucket.subject(key), Header: nats.Header{"KV-Operation": {"PURGE"}, jetstream.MsgRollup: {jetstream.MsgRollupSubject}}}
	ack, err := r.bucket.js.PublishMsg(ctx, gone, jetstream.WithExpectLastSequencePerSubject(revision))
	if err == nil {
		r.apply(message{key, ack.Sequence, nil})
	}
	return err
}
