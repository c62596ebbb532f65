package registry

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// KeptRefusals is the number of refusals that are kept of each station, the newest ones.
	KeptRefusals = 20
	// KeptUnknown is the number that is kept of all unregistered senders together.
	KeptUnknown = 200
)

// KeepRefusals stores refusals for their stations' owners and the operator, in one transaction. Storing the same
// again changes nothing.
func (r *Registry) KeepRefusals(ctx context.Context, refusals []ingest.Refusal) error {
	if len(refusals) == 0 {
		return nil
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("registry: keep refusals: %w", err)
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, `INSERT OR IGNORE INTO refusal (station, named, received, reason, field, detail) VALUES (?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return fmt.Errorf("registry: keep refusals: %w", err)
	}
	touched := map[string]bool{}
	for _, k := range refusals {
		id, err := r.registered(ctx, tx, k.Station)
		if err != nil {
			return fmt.Errorf("registry: keep refusals: %w", err)
		}
		touched[id] = true
		if _, err := insert.ExecContext(ctx, id, k.Station, k.Received.UnixMilli(), string(k.Reason), k.Field, k.Detail); err != nil {
			return fmt.Errorf("registry: keep refusals: %w", err)
		}
	}
	for id := range touched {
		most := KeptRefusals
		if id == "" {
			most = KeptUnknown
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM refusal WHERE station = ? AND id NOT IN
			(SELECT id FROM refusal WHERE station = ? ORDER BY received DESC, id DESC LIMIT ?)`, id, id, most)
		if err != nil {
			return fmt.Errorf("registry: keep refusals: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("registry: keep refusals: %w", err)
	}
	return nil
}

// registered is the id, or "" where no such station is registered, also not just now by another process.
func (r *Registry) registered(ctx context.Context, tx *sql.Tx, id string) (string, error) {
	if _, known := r.Station(id); known {
		return id, nil
	}
	var known string
	err := tx.QueryRowContext(ctx, "SELECT coalesce(max(id), '') FROM station WHERE id = ?", id).Scan(&known)
	return known, err
}

// Refusals returns the last refusals of a station, newest first; those of unregistered senders for "".
func (r *Registry) Refusals(ctx context.Context, id string) ([]ingest.Refusal, error) {
	list, err := r.refusals(ctx, "WHERE station = ? ORDER BY received DESC, id DESC", id)
	if err != nil {
		return nil, fmt.Errorf("registry: refusals of %q: %w", id, err)
	}
	return list, nil
}

// AllRefusals returns the last refusals of every sender, newest first; at most limit of them.
func (r *Registry) AllRefusals(ctx context.Context, limit int) ([]ingest.Refusal, error) {
	list, err := r.refusals(ctx, "ORDER BY received DESC, id DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("registry: refusals: %w", err)
	}
	return list, nil
}

func (r *Registry) refusals(ctx context.Context, which string, args ...any) ([]ingest.Refusal, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT named, received, reason, field, detail FROM refusal "+which, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []ingest.Refusal
	for rows.Next() {
		var f ingest.Refusal
		var received int64
		var reason string
		if err := rows.Scan(&f.Station, &received, &reason, &f.Field, &f.Detail); err != nil {
			return nil, err
		}
		f.Received, f.Reason = time.UnixMilli(received).UTC(), wire.Reason(reason)
		list = append(list, f)
	}
	return list, rows.Err()
}
