package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
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
	if err := s.insert(ctx, upsertGrid, len(rows), func(row *sqlite.Stmt, i int) { bindRow(row, &rows[i]) }); err != nil {
		return fmt.Errorf("store %d grid rows: %w", len(rows), err)
	}
	return nil
}

// bindRow binds a row's parameters, which are numbered from 1.
func bindRow(row *sqlite.Stmt, r *aggregate.Row) {
	row.BindInt64(1, r.Start.Unix())
	row.BindText(2, r.Window.String())
	row.BindText(3, r.Quantity.String())
	for i, n := range [...]int64{
		int64(r.Cell.Size), int64(r.Cell.North), int64(r.Cell.East), r.Mean, r.Median, r.Min, r.Max,
		int64(r.Stations), int64(r.Readings), r.Coverage, int64(r.Revision), r.Raw, int64(r.Uncorrected), r.Spread,
	} {
		row.BindInt64(4+i, n)
	}
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

// nextStart returns the rows of the first window after a start, by size, north and east.
func (s *Store) nextStart(ctx context.Context, q store.GridQuery, after int64) ([]aggregate.Row, error) {
	where, args := `stations > 0 AND "window" = ? AND start < ?`, []any{q.Window.String(), ceil(q.To)}
	if q.Size != 0 {
		where, args = where+" AND size = ?", append(args, q.Size)
	}
	if len(q.Quantities) > 0 {
		where += " AND quantity IN (?" + strings.Repeat(", ?", len(q.Quantities)-1) + ")"
		for _, wanted := range q.Quantities {
			args = append(args, wanted.String())
		}
	}
	query := `SELECT start, quantity, size, north, east, mean, median, min, max, stations, readings, coverage, revision, raw, uncorrected, spread FROM grid
		WHERE ` + where + ` AND start = (SELECT min(start) FROM grid WHERE ` + where + ` AND start > ?) ORDER BY size, north, east`
	var list []aggregate.Row
	err := with(ctx, s.read, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: append(append(slices.Clone(args), args...), after), ResultFunc: func(row *sqlite.Stmt) error {
			r, err := gridRow(row, q.Window)
			list = append(list, r)
			return err
		}})
	})
	return list, err
}

// gridRow decodes a row of nextStart.
func gridRow(row *sqlite.Stmt, window aggregate.Window) (aggregate.Row, error) {
	q, known := quantity.Parse(row.ColumnText(1))
	if !known {
		return aggregate.Row{}, fmt.Errorf("quantity %q is not known to this version", row.ColumnText(1))
	}
	return aggregate.Row{
		Window: window, Start: time.Unix(row.ColumnInt64(0), 0).UTC(), Quantity: q,
		Cell: geo.Cell{Size: row.ColumnInt32(2), North: row.ColumnInt32(3), East: row.ColumnInt32(4)},
		Mean: row.ColumnInt64(5), Median: row.ColumnInt64(6), Min: row.ColumnInt64(7), Max: row.ColumnInt64(8),
		Stations: row.ColumnInt(9), Readings: row.ColumnInt(10), Coverage: row.ColumnInt64(11), Revision: row.ColumnInt(12),
		Raw: row.ColumnInt64(13), Uncorrected: row.ColumnInt(14), Spread: row.ColumnInt64(15),
	}, nil
}
