package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// WriteReadings stores readings in one transaction. SQLite takes whatever a Reading can hold, so nothing
// is ever refused.
func (s *Store) WriteReadings(ctx context.Context, readings []ingest.Reading) ([]ingest.Refusal, error) {
	if len(readings) == 0 {
		return nil, nil
	}
	err := s.transact(ctx, s.sql.upsert, func(insert *sql.Stmt) error {
		args := make([]any, 4+2*len(wire.Quantities()))
		for i := range readings {
			if _, err := insert.ExecContext(ctx, readingArgs(args, &readings[i])...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store %d readings: %w", len(readings), err)
	}
	return nil, nil
}

// DeleteReadings takes a station's readings away. The space is used again for new ones.
func (s *Store) DeleteReadings(ctx context.Context, station string) error {
	if _, err := s.write.ExecContext(ctx, "DELETE FROM reading WHERE station = ?", station); err != nil {
		return fmt.Errorf("delete readings of %s: %w", station, err)
	}
	return nil
}

// transact runs a prepared statement in a transaction of its own.
func (s *Store) transact(ctx context.Context, statement string, run func(*sql.Stmt) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	prepared, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return err
	}
	defer prepared.Close()
	if err := run(prepared); err != nil {
		return err
	}
	return tx.Commit()
}

func readingArgs(args []any, r *ingest.Reading) []any {
	clear(args)
	args[0], args[1], args[2], args[3] = r.Time.Unix(), r.Station, r.Received.UnixMilli(), int64(r.TimeSource)
	for _, v := range r.Values {
		column := 4 + 2*(int(v.Quantity)-1)
		args[column] = v.Value
		if v.Flags != 0 {
			args[column+1] = int64(v.Flags)
		}
	}
	return args
}

// Readings streams in pages, each a short transaction of its own, so that a slow reader holds up neither
// writers nor the tidying of the log. What is written meanwhile may or may not be seen.
func (s *Store) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	after := position{time: q.From.Unix() - 1, station: "\U0010FFFF"}
	if q.From.Nanosecond() > 0 {
		after.time++
	}
	for {
		page, err := s.page(ctx, q, after)
		if err != nil {
			return fmt.Errorf("read readings: %w", err)
		}
		for _, r := range page {
			after = position{time: r.Time.Unix(), station: r.Station}
			if r.Values = selected(r.Values, q.Quantities); len(r.Values) == 0 {
				continue
			}
			if err := yield(r); err != nil {
				return err
			}
		}
		if len(page) < pageReadings {
			return nil
		}
	}
}

// Forget deletes readings in one transaction. The file does not shrink; its free pages are used again.
func (s *Store) Forget(ctx context.Context, from, to time.Time) error {
	if _, err := s.write.ExecContext(ctx, "DELETE FROM reading WHERE time >= ? AND time < ?", ceil(from), ceil(to)); err != nil {
		return fmt.Errorf("forget readings: %w", err)
	}
	return nil
}

// position is the last row of a page.
type position struct {
	time    int64
	station string
}

func (s *Store) page(ctx context.Context, q store.ReadingQuery, after position) ([]ingest.Reading, error) {
	where := "(time, station) > (?, ?) AND time < ?"
	args := []any{after.time, after.station, ceil(q.To)}
	if len(q.Stations) > 0 {
		where += " AND station IN (?" + strings.Repeat(", ?", len(q.Stations)-1) + ")"
		for _, id := range q.Stations {
			args = append(args, id)
		}
	}
	if len(q.Quantities) > 0 {
		var any []string
		for _, quantity := range q.Quantities {
			any = append(any, quantity.String()+" IS NOT NULL")
		}
		where += " AND (" + strings.Join(any, " OR ") + ")"
	}
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf("SELECT time, station, received, time_source, %s FROM reading WHERE %s ORDER BY time, station LIMIT %d",
		s.sql.columns, where, pageReadings), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return scanReadings(rows)
}

// ceil is the first whole second at or after t.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

func scanReadings(rows *sql.Rows) ([]ingest.Reading, error) {
	quantities := wire.Quantities()
	values := make([]sql.NullFloat64, len(quantities))
	flags := make([]sql.NullInt64, len(quantities))
	var unix, received, source int64
	var station string
	targets := []any{&unix, &station, &received, &source}
	for i := range quantities {
		targets = append(targets, &values[i], &flags[i])
	}
	var page []ingest.Reading
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		r := ingest.Reading{
			Station: station, Time: time.Unix(unix, 0).UTC(), Received: time.UnixMilli(received).UTC(), TimeSource: ingest.TimeSource(source),
		}
		for i, v := range values {
			if v.Valid {
				r.Values = append(r.Values, ingest.Value{Quantity: quantities[i], Value: v.Float64, Flags: ingest.Flags(flags[i].Int64)})
			}
		}
		page = append(page, r)
	}
	return page, rows.Err()
}

// selected keeps the values of the quantities asked for; all when none is named.
func selected(values []ingest.Value, quantities []wire.Quantity) []ingest.Value {
	if len(quantities) == 0 {
		return values
	}
	return slices.DeleteFunc(values, func(v ingest.Value) bool { return !slices.Contains(quantities, v.Quantity) })
}
