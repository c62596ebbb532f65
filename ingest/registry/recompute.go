package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"stadtluft/ingest"
)

// Recomputation is a request to compute a station's averages again from a moment on, because it stood elsewhere or
// its readings are to be deleted. It is kept until it is done, also over a restart.
type Recomputation struct {
	Station *ingest.Station // as it was when asked; Erased where the readings are to go
	From    time.Time       // for one that is Erased, the beginning of all time
}

// queueRecomputation keeps the earlier of two wishes.
func (e *edit) queueRecomputation(from time.Time) {
	e.exec("INSERT INTO restatement (station, since) VALUES (?, ?) ON CONFLICT (station) DO UPDATE SET since = min(since, excluded.since)",
		e.station.ID, from.Unix())
}

// Recomputations returns the open requests, with their stations as they are in the file, even if another process has
// just changed it.
func (r *Registry) Recomputations(ctx context.Context) ([]Recomputation, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT station, since FROM restatement")
	if err != nil {
		return nil, fmt.Errorf("registry: recomputations: %w", err)
	}
	defer rows.Close()
	since := map[string]time.Time{}
	for rows.Next() {
		var id string
		var from int64
		if err := rows.Scan(&id, &from); err != nil {
			return nil, fmt.Errorf("registry: recomputations: %w", err)
		}
		since[id] = time.Unix(from, 0).UTC()
	}
	if err := rows.Err(); err != nil || len(since) == 0 {
		return nil, err
	}
	if err := r.reload(ctx); err != nil {
		return nil, err
	}
	var list []Recomputation
	for _, id := range slices.Sorted(maps.Keys(since)) {
		if st, known := r.Station(id); known {
			list = append(list, Recomputation{st, since[id]})
		}
	}
	return list, nil
}

// RecomputedUntil records that averages before a moment are done, so that an interrupted recomputation continues
// there. It does not change requests that were made again meanwhile.
func (r *Registry) RecomputedUntil(ctx context.Context, under []Recomputation, until time.Time) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("registry: recomputed until %s: %w", until.Format(time.RFC3339), err)
	}
	defer tx.Rollback()
	for i := range under {
		if !under[i].From.Before(until) {
			continue
		}
		_, e := tx.ExecContext(ctx, "UPDATE restatement SET since = ? WHERE station = ? AND since = ?", until.Unix(), under[i].Station.ID, under[i].From.Unix())
		err = errors.Join(err, e)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("registry: recomputed until %s: %w", until.Format(time.RFC3339), err)
	}
	for i := range under {
		if under[i].From.Before(until) {
			under[i].From = until
		}
	}
	return nil
}

// Recomputed closes a request. An erased station is deleted with everything but the record of its changes. A request
// that was made again meanwhile stays open.
func (r *Registry) Recomputed(ctx context.Context, done Recomputation) error {
	id := done.Station.ID
	tx, err := r.db.BeginTx(ctx, nil) // from here on no other process changes the file
	if err != nil {
		return fmt.Errorf("registry: recomputed: %w", err)
	}
	defer tx.Rollback()
	if err := r.reload(ctx); err != nil {
		return err
	}
	if now, known := r.Station(id); !known || !slices.Equal(now.Places, done.Station.Places) || now.Status != done.Station.Status {
		return nil
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM restatement WHERE station = ? AND since = ?", id, done.From.Unix())
	if done.Station.Status == ingest.Erased {
		for _, table := range []string{"place", "fitting", "device", "calibration", "refusal"} {
			_, e := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE station = ?", id)
			err = errors.Join(err, e)
		}
		_, e := tx.ExecContext(ctx, "DELETE FROM station WHERE id = ?", id)
		err = errors.Join(err, e)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("registry: recomputed: %w", err)
	}
	return r.reload(ctx)
}
