package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// WriteReadings stores readings in one transaction. SQLite accepts every Reading, so it never rejects a value.
func (s *Store) WriteReadings(ctx context.Context, readings []ingest.Reading) ([]store.Rejected, error) {
	if len(readings) == 0 {
		return nil, nil
	}
	err := s.transact(ctx, func(conn *sqlite.Conn) error { return s.insertReadings(conn, readings) })
	if err != nil {
		return nil, fmt.Errorf("store %d readings: %w", len(readings), err)
	}
	return nil, nil
}

// insertReadings writes readings, and adds those of hours that are over to by_hour: late ones one by one, those of hours that
// have ended since the last write sorted.
func (s *Store) insertReadings(conn *sqlite.Conn, readings []ingest.Reading) error {
	from, err := sortedUntil(conn)
	if err != nil {
		return err
	}
	if err := insert(conn, s.sql.upsert, len(readings), func(row *sqlite.Stmt, i int) { bindReading(row, &readings[i]) }); err != nil {
		return err
	}
	var late []ingest.Reading
	for _, r := range readings {
		if r.Time.Unix() < from {
			late = append(late, r)
		}
	}
	err = insert(conn, "INSERT OR IGNORE INTO by_hour (hour, station, time) VALUES (?2 / 3600, ?1, ?2)", len(late), func(row *sqlite.Stmt, i int) {
		row.BindText(1, late[i].Station)
		row.BindInt64(2, late[i].Time.Unix())
	})
	to := s.now().Truncate(time.Hour).Unix()
	if err != nil || to <= from {
		return err
	}
	if err := sqlitex.Execute(conn, "INSERT INTO by_hour SELECT time / 3600 AS hour, station, time FROM reading WHERE time >= ? AND time < ? ORDER BY hour, station, time", &sqlitex.ExecOptions{Args: []any{from, to}}); err != nil {
		return err
	}
	return sqlitex.Execute(conn, "UPDATE by_station_until SET time = ?", &sqlitex.ExecOptions{Args: []any{to}})
}

// sortedUntil returns the time before which all readings are in by_hour.
func sortedUntil(conn *sqlite.Conn) (unix int64, err error) {
	err = sqlitex.Execute(conn, "SELECT time FROM by_station_until", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		unix = row.ColumnInt64(0)
		return nil
	}})
	return unix, err
}

// insert writes n rows with one statement in one transaction.
func (s *Store) insert(ctx context.Context, statement string, n int, bind func(row *sqlite.Stmt, i int)) error {
	return s.transact(ctx, func(conn *sqlite.Conn) error { return insert(conn, statement, n, bind) })
}

// insert writes n rows with one statement.
func insert(conn *sqlite.Conn, statement string, n int, bind func(row *sqlite.Stmt, i int)) error {
	row, err := conn.Prepare(statement)
	if err != nil {
		return err
	}
	for i := range n {
		bind(row, i)
		if _, err := row.Step(); err != nil {
			return err
		}
		if err := row.Reset(); err != nil {
			return err
		}
	}
	return nil
}

// bindReading binds a row's parameters, which are numbered from 1.
func bindReading(row *sqlite.Stmt, r *ingest.Reading) {
	_ = row.ClearBindings() // fails only when ctx has ended, which the next step returns
	row.BindInt64(1, r.Time.Unix())
	row.BindText(2, r.Station)
	row.BindInt64(3, r.Received.UnixMilli())
	row.BindInt64(4, int64(r.TimeSource))
	for _, v := range r.Values {
		column := 5 + 2*(int(v.Quantity)-1)
		row.BindFloat(column, v.Value)
		if v.Flags != 0 {
			row.BindInt64(column+1, int64(v.Flags))
		}
	}
}

// eachHour are the hours that by_hour has, to look for a station in each.
const eachHour = `WITH RECURSIVE hours (hour) AS (
	SELECT min(hour) FROM by_hour UNION ALL SELECT (SELECT min(hour) FROM by_hour WHERE hour > hours.hour) FROM hours WHERE hours.hour IS NOT NULL
) `

// DeleteReadings deletes a station's readings. SQLite reuses the space.
func (s *Store) DeleteReadings(ctx context.Context, station string) error {
	err := s.transact(ctx, func(conn *sqlite.Conn) error {
		for _, statement := range []string{
			"DELETE FROM reading WHERE (time, station) IN (" + eachHour + "SELECT time, station FROM hours CROSS JOIN by_hour USING (hour) WHERE station = ?)",
			"DELETE FROM reading WHERE time >= (SELECT time FROM by_station_until) AND station = ?",
		} {
			if err := sqlitex.Execute(conn, statement, &sqlitex.ExecOptions{Args: []any{station}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete readings of %s: %w", station, err)
	}
	return nil
}

// Forget deletes readings in one transaction. The file does not shrink; SQLite reuses its free pages.
func (s *Store) Forget(ctx context.Context, from, to time.Time) error {
	if err := s.execute(ctx, "DELETE FROM reading WHERE time >= ? AND time < ?", ceil(from), ceil(to)); err != nil {
		return fmt.Errorf("forget readings: %w", err)
	}
	return nil
}

// ceil returns the first whole second at or after t.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}
