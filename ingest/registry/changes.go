package registry

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// By says who changed something.
type By string

const (
	Owner By = "owner" // whoever has the management link
	Admin By = "admin"
	Shell By = "shell"
)

// Change is one entry of the record of changes. It holds no token, no address and no exact place.
type Change struct {
	At      time.Time // UTC, whole seconds
	Station string
	Who     By
	What    string // such as "name", "status", "place", "token"
	Before  string
	After   string
}

func record(ctx context.Context, tx *sql.Tx, c Change) error {
	if c.At.IsZero() {
		c.At = time.Now()
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO change (at, station, who, what, before, after) VALUES (?, ?, ?, ?, ?, ?)",
		c.At.Unix(), c.Station, c.Who, c.What, c.Before, c.After)
	return err
}

// Changes returns the last changes of a station, newest first; those of every station for "". It returns at most
// limit.
func (r *Registry) Changes(ctx context.Context, station string, limit int) ([]Change, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT at, station, who, what, before, after FROM change WHERE ? IN ('', station)
		ORDER BY id DESC LIMIT ?`, station, limit)
	if err != nil {
		return nil, fmt.Errorf("registry: changes: %w", err)
	}
	defer rows.Close()
	list := []Change{}
	for rows.Next() {
		var c Change
		var at int64
		if err := rows.Scan(&at, &c.Station, &c.Who, &c.What, &c.Before, &c.After); err != nil {
			return nil, fmt.Errorf("registry: changes: %w", err)
		}
		c.At = time.Unix(at, 0).UTC()
		list = append(list, c)
	}
	return list, rows.Err()
}
