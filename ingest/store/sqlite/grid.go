package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/store"
)

const upsertGrid = `INSERT INTO grid (start, "window", quantity, size, north, east, mean, median, min, max, stations, readings, coverage, revision, raw, uncorrected, spread)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET mean = excluded.mean, median = excluded.median, min = excluded.min, max = excluded.max,
	stations = excluded.stations, readings = excluded.readings, coverage = excluded.coverage, revision = excluded.revision,
	raw = excluded.raw, uncorrected = excluded.uncorrected, spread = excluded.spread`

// WriteGrid stores grid rows in one transaction.
func (s *Store) WriteGrid(ctx context.Context, rows []aggregate.Row) error {
	err := s.transact(ctx, upsertGrid, func(insert *sql.Stmt) error {
		for _, r := range rows {
			_, err := insert.ExecContext(ctx, r.Start.Unix(), r.Window.String(), wire.Quantity(r.Quantity).String(), r.Cell.Size, r.Cell.North, r.Cell.East,
				r.Mean, r.Median, r.Min, r.Max, r.Stations, r.Readings, r.Coverage, r.Revision,
				r.Raw, r.Uncorrected, r.Spread)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %d grid rows: %w", len(rows), err)
	}
	return nil
}

// Grid streams an hour at a time, so that memory is bounded by one window's cells.
func (s *Store) Grid(ctx context.Context, q store.GridQuery, yield func(aggregate.Row) error) error {
	after := ceil(q.From) - 1
	for {
		rows, err := s.nextStart(ctx, q, after)
		if err != nil {
			return fmt.Errorf("read grid: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[0].Start.Unix()
		slices.SortStableFunc(rows, func(a, b aggregate.Row) int { return int(a.Quantity) - int(b.Quantity) })
		for _, r := range rows {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
}

// nextStart are the rows of the first window after a start, by size, north and east.
func (s *Store) nextStart(ctx context.Context, q store.GridQuery, after int64) ([]aggregate.Row, error) {
	where, args := `stations > 0 AND "window" = ? AND start < ?`, []any{q.Window.String(), ceil(q.To)}
	if q.Size != 0 {
		where, args = where+" AND size = ?", append(args, q.Size)
	}
	if len(q.Quantities) > 0 {
		where += " AND quantity IN (?" + strings.Repeat(", ?", len(q.Quantities)-1) + ")"
		for _, quantity := range q.Quantities {
			args = append(args, quantity.String())
		}
	}
	query := `SELECT start, quantity, size, north, east, mean, median, min, max, stations, readings, coverage, revision, raw, uncorrected, spread FROM grid
		WHERE ` + where + ` AND start = (SELECT min(start) FROM grid WHERE ` + where + ` AND start > ?) ORDER BY size, north, east`
	rows, err := s.read.QueryContext(ctx, query, append(append(slices.Clone(args), args...), after)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []aggregate.Row
	for rows.Next() {
		r := aggregate.Row{Window: q.Window}
		var start int64
		var quantity string
		if err := rows.Scan(&start, &quantity, &r.Cell.Size, &r.Cell.North, &r.Cell.East, &r.Mean, &r.Median, &r.Min, &r.Max,
			&r.Stations, &r.Readings, &r.Coverage, &r.Revision, &r.Raw, &r.Uncorrected, &r.Spread); err != nil {
			return nil, err
		}
		r.Start = time.Unix(start, 0).UTC()
		known, ok := wire.ParseQuantity(quantity)
		if !ok {
			return nil, fmt.Errorf("quantity %q is not known to this version", quantity)
		}
		r.Quantity = uint8(known)
		list = append(list, r)
	}
	return list, rows.Err()
}
