package sqlite

import (
	"context"
	"database/sql"
	"fmt"
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
	c := columns{wanted: q.Quantities}
	if len(q.Quantities) == 0 {
		c = columns{wanted: wire.Quantities()}
	}
	for {
		page, others, err := s.page(ctx, q, after, c)
		if err != nil {
			return fmt.Errorf("read readings: %w", err)
		}
		if others {
			c = columns{wanted: wire.Quantities(), seen: c.seen}
			continue
		}
		for i := range page {
			after = position{time: page[i].Time.Unix(), station: page[i].Station}
			if err := yield(page[i]); err != nil {
				return err
			}
		}
		if len(page) < pageReadings {
			return nil
		}
		if len(q.Quantities) == 0 {
			c.learn(page)
		}
	}
}

// columns are the quantities whose columns are read. Most of a row is empty, and reading an empty column costs
// as much as a full one: so after the first page only those that have been seen are read, and whether there are others.
type columns struct {
	wanted []wire.Quantity
	seen   uint64          // a bit for each quantity
	others []wire.Quantity // must be empty; a row where one is not is read again
}

// learn narrows the columns to those that have been seen.
func (c *columns) learn(page []ingest.Reading) {
	for _, r := range page {
		for _, v := range r.Values {
			c.seen |= 1 << v.Quantity
		}
	}
	c.wanted, c.others = nil, nil
	for _, q := range wire.Quantities() {
		if c.seen&(1<<q) != 0 {
			c.wanted = append(c.wanted, q)
		} else {
			c.others = append(c.others, q)
		}
	}
}

// list is what a statement selects of the quantities; the first column is whether there are others.
func (c *columns) list() string {
	list := "0"
	if len(c.others) > 0 {
		list = anyOf(c.others)
	}
	for _, q := range c.wanted {
		list += ", " + q.String() + ", flags_" + q.String()
	}
	return list
}

// anyOf is true where one of the quantities has a value.
func anyOf(quantities []wire.Quantity) string {
	var any []string
	for _, q := range quantities {
		any = append(any, q.String()+" IS NOT NULL")
	}
	return "(" + strings.Join(any, " OR ") + ")"
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

// page are the next readings; others says that one of them has quantities that c does not read.
func (s *Store) page(ctx context.Context, q store.ReadingQuery, after position, c columns) (page []ingest.Reading, others bool, err error) {
	where := "(time, station) > (?, ?) AND time < ?"
	args := []any{after.time, after.station, ceil(q.To)}
	if len(q.Stations) > 0 {
		where += " AND station IN (?" + strings.Repeat(", ?", len(q.Stations)-1) + ")"
		for _, id := range q.Stations {
			args = append(args, id)
		}
	}
	if len(q.Quantities) > 0 {
		where += " AND " + anyOf(q.Quantities)
	}
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf("SELECT time, station, received, time_source, %s FROM reading WHERE %s ORDER BY time, station LIMIT %d",
		c.list(), where, pageReadings), args...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	return scanReadings(rows, c.wanted)
}

// ceil is the first whole second at or after t.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// scanReadings reads rows until one has other quantities.
func scanReadings(rows *sql.Rows, quantities []wire.Quantity) (page []ingest.Reading, others bool, err error) {
	values := make([]sql.NullFloat64, len(quantities))
	flags := make([]sql.NullInt64, len(quantities))
	var unix, received, source int64
	var station string
	targets := []any{&unix, &station, &received, &source, &others}
	for i := range quantities {
		targets = append(targets, &values[i], &flags[i])
	}
	page = make([]ingest.Reading, 0, pageReadings)
	var all []ingest.Value // of the page, so that not each reading has to be allocated
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, false, err
		}
		if others {
			return nil, true, nil
		}
		first := len(all)
		for i, v := range values {
			if v.Valid {
				all = append(all, ingest.Value{Quantity: quantities[i], Value: v.Float64, Flags: ingest.Flags(flags[i].Int64)})
			}
		}
		page = append(page, ingest.Reading{
			Station: station, Time: time.Unix(unix, 0).UTC(), Received: time.UnixMilli(received).UTC(), TimeSource: ingest.TimeSource(source),
			Values: all[first:len(all):len(all)],
		})
	}
	return page, false, rows.Err()
}
