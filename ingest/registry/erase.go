package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stadtluft/ingest"
)

// Retire retires a station: it can no longer log in, and its owner's address and its exact places are deleted from
// memory and disk. Its readings stay, and those before now stay in averages.
func (r *Registry) Retire(ctx context.Context, id string, by By) error {
	return r.end(ctx, id, by, ingest.Retired)
}

// Erase retires a station and requests the deletion of its readings; see Recomputations. What is told of its owner is
// deleted at once from memory and disk: also its name, its devices, and what its refusals and the record of its changes
// say of them.
func (r *Registry) Erase(ctx context.Context, id string, by By) error {
	return r.end(ctx, id, by, ingest.Erased)
}

func (r *Registry) end(ctx context.Context, id string, by By, status ingest.Status) error {
	changed := r.change(ctx, id, by, func(e *edit) {
		if e.record.Status == ingest.Erased {
			status = ingest.Erased
		}
		if e.record.Ended.IsZero() {
			e.record.Ended = e.now
		}
		set(e, "status", &e.record.Status, status)
		e.check(e.record.scrub())
		if status == ingest.Erased {
			e.queueRecomputation(time.Unix(0, 0))
		}
	})
	if st, known := r.Station(id); !known || st.Status != status {
		return changed
	}
	var forgotten error
	if status == ingest.Erased {
		forgotten = r.forget(ctx, id)
	}
	return errors.Join(changed, forgotten, r.saveSnapshot())
}

// scrub takes from a station that has ended what was told of its owner. Averages need only the cells of its places.
func (rec *record) scrub() error {
	rec.Email, rec.Notices, rec.Reason, rec.Before = "", nil, "", ""
	if rec.Status == ingest.Erased {
		rec.Name, rec.Token, rec.Manage, rec.Devices = "", "", "", nil
	}
	if rec.Source != "" {
		return nil
	}
	return rec.coarsen()
}

// named are the changes whose record has text of a station's owner, or about it.
var named = []string{"registered", "name", "reason"}

// forget overwrites on disk what the streams and the keys of devices have of a station: its refusals, and the changes
// that name it. It may be called again.
func (r *Registry) forget(ctx context.Context, id string) error {
	b := r.bucket
	err := b.read(ctx, b.changes, 1, func(m message) error {
		if c, err := decodeChange(m.value); err != nil || slices.Contains(named, c.What) {
			return erase(ctx, b.changes, m.revision)
		}
		return nil
	}, b.changeSubject(id))
	err = errors.Join(err, b.read(ctx, b.refusals, 1, func(m message) error { return erase(ctx, b.refusals, m.revision) }, b.refusalSubject(id)))
	err = errors.Join(err, b.read(ctx, b.entries, 1, func(m message) error {
		if decodeHolder(m.value).station == id {
			return erase(ctx, b.entries, m.revision)
		}
		return nil
	}, b.subject(deviceKey+">")))
	if err != nil {
		return fmt.Errorf("registry: forget station %s: %w", id, err)
	}
	return nil
}
