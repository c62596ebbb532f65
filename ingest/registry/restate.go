package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stadtluft/ingest"
)

// Restatement asks that a station's averages are made again from a moment on: it stood elsewhere than was
// thought, or its readings are to go. It is kept until it is done, also over a restart.
type Restatement struct {
	Station *ingest.Station // as it was when asked; Erased where the readings are to go
	From    time.Time       // for one that is Erased, the beginning of all time
}

// restate keeps the earlier of two wishes.
func (e *edit) restate(from time.Time) {
	e.exec("INSERT INTO restatement (station, since) VALUES (?, ?) ON CONFLICT (station) DO UPDATE SET since = min(since, excluded.since)",
		e.station.ID, from.Unix())
}

// Restatements are those that wait.
func (r *Registry) Restatements(ctx context.Context) ([]Restatement, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT station, since FROM restatement ORDER BY station")
	if err != nil {
		return nil, fmt.Errorf("registry: restatements: %w", err)
	}
	defer rows.Close()
	var list []Restatement
	for rows.Next() {
		var id string
		var since int64
		if err := rows.Scan(&id, &since); err != nil {
			return nil, fmt.Errorf("registry: restatements: %w", err)
		}
		if st, known := r.Station(id); known {
			list = append(list, Restatement{st, time.Unix(since, 0).UTC()})
		}
	}
	return list, rows.Err()
}

// Restated ends a restatement. A station that was erased goes with everything but the record of its changes. What was
// asked anew meanwhile stays to be done.
func (r *Registry) Restated(ctx context.Context, done Restatement) error {
	id := done.Station.ID
	if now, known := r.Station(id); !known || !slices.Equal(now.Places, done.Station.Places) || now.Status != done.Station.Status {
		return nil
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("registry: restated: %w", err)
	}
	defer tx.Rollback()
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
		return fmt.Errorf("registry: restated: %w", err)
	}
	return r.reload(ctx)
}
