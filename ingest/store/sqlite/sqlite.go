// Package sqlite keeps readings and grid rows in one SQLite file, readings.db: the store that needs no
// server. Its tables are wide, one row a reading and a column a quantity, as an operator would expect
// them in a spreadsheet.
//
// A committed batch survives a power cut (synchronous FULL). Writers wait for each other; readers are
// not in anybody's way (write-ahead log).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest/store"
)

const (
	readers       = 8    // connections that read at once
	pageReadings  = 2000 // readings fetched in one transaction: a slow client holds up no checkpoint
	busyTimeoutMS = 10_000
)

// Store is an open file. It implements store.Store.
type Store struct {
	path  string
	write *sql.DB // one connection
	read  *sql.DB
	sql   statements
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path and makes it when it is missing.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{path: path, sql: compose(wire.Quantities())}
	if err := s.open(ctx, path); err != nil {
		s.Close()
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) (err error) {
	pragmas := []string{"journal_mode(WAL)", "synchronous(FULL)", fmt.Sprintf("busy_timeout(%d)", busyTimeoutMS), "cache_size(-16000)"}
	if s.write, err = sql.Open("sqlite", dsn(path, pragmas, "immediate")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(path, append(pragmas, "query_only(1)"), "deferred")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	return s.read.PingContext(ctx)
}

func dsn(path string, pragmas []string, lock string) string {
	return "file:" + url.PathEscape(path) + "?" + url.Values{"_pragma": pragmas, "_txlock": {lock}}.Encode()
}

// Ping reports whether the file can be read.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// Backup writes a consistent copy of the file to a path that is free. Writers go on meanwhile.
func (s *Store) Backup(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(s.path, []string{fmt.Sprintf("busy_timeout(%d)", busyTimeoutMS)}, "deferred")) // query_only forbids it
	if err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("copy the store to %s: %w", path, err)
	}
	return nil
}

// Close closes the file.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// schema is the version of the tables; quantities are columns and do not count.
const schema = 2

func (s *Store) migrate(ctx context.Context) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schema {
		return fmt.Errorf("written by a newer Stadtluft (schema %d, this one reads up to %d): upgrade", version, schema)
	}
	if version == 0 {
		if _, err := tx.ExecContext(ctx, s.sql.create); err != nil {
			return err
		}
	}
	if version == 1 {
		if _, err := tx.ExecContext(ctx, secondSchema); err != nil {
			return err
		}
	}
	if err := s.addColumns(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", schema)); err != nil {
		return err
	}
	return tx.Commit()
}

// secondSchema brings rows of the first up: nothing was corrected then.
const secondSchema = `
ALTER TABLE grid ADD COLUMN raw INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grid ADD COLUMN uncorrected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grid ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;
UPDATE grid SET raw = mean;`

// addColumns gives a file of an older version the quantities that are new.
func (s *Store) addColumns(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT name FROM pragma_table_info('reading')")
	if err != nil {
		return err
	}
	defer rows.Close()
	there := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		there[name] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, q := range wire.Quantities() {
		if there[q.String()] {
			continue
		}
		add := fmt.Sprintf("ALTER TABLE reading ADD COLUMN %s REAL; ALTER TABLE reading ADD COLUMN flags_%s INTEGER", q, q)
		if _, err := tx.ExecContext(ctx, add); err != nil {
			return err
		}
	}
	return nil
}

// statements are composed once from the list of quantities.
type statements struct {
	create, upsert, columns string
}

func compose(quantities []wire.Quantity) statements {
	var columns, definitions, updates []string
	for _, q := range quantities {
		columns = append(columns, q.String(), "flags_"+q.String())
		definitions = append(definitions, fmt.Sprintf("\t%s REAL, flags_%s INTEGER", q, q))
		// A value that is written again brings its flags with it; a quantity that is not stays as it is.
		updates = append(updates,
			fmt.Sprintf("flags_%s = CASE WHEN excluded.%s IS NULL THEN flags_%s ELSE excluded.flags_%s END", q, q, q, q),
			fmt.Sprintf("%s = coalesce(excluded.%s, %s)", q, q, q))
	}
	return statements{
		create: `
CREATE TABLE reading (
	time        INTEGER NOT NULL,        -- of observation, Unix seconds
	station     TEXT NOT NULL,
	received    INTEGER NOT NULL,        -- Unix milliseconds
	time_source INTEGER NOT NULL,        -- 0 the station's clock, 1 its "age", 2 the time of receipt, 3 a network's
` + strings.Join(definitions, ",\n") + `,
	PRIMARY KEY (time, station)
) STRICT, WITHOUT ROWID;
CREATE INDEX reading_by_station ON reading (station, time);
CREATE TABLE grid (
	start       INTEGER NOT NULL,        -- of the window, Unix seconds
	"window"    TEXT NOT NULL,
	quantity    TEXT NOT NULL,
	size        INTEGER NOT NULL,        -- of the cell, metres
	north       INTEGER NOT NULL,        -- EPSG:3035, metres
	east        INTEGER NOT NULL,
	mean        INTEGER NOT NULL,        -- thousandths of the unit, as the next three
	median      INTEGER NOT NULL,
	min         INTEGER NOT NULL,
	max         INTEGER NOT NULL,
	stations    INTEGER NOT NULL,
	readings    INTEGER NOT NULL,
	coverage    INTEGER NOT NULL,        -- thousandths
	revision    INTEGER NOT NULL,
	raw         INTEGER NOT NULL,        -- thousandths: the mean before correction for humidity
	uncorrected INTEGER NOT NULL,        -- stations
	spread      INTEGER NOT NULL,        -- thousandths
	PRIMARY KEY (start, "window", quantity, size, north, east)
) STRICT, WITHOUT ROWID;`,
		columns: strings.Join(columns, ", "),
		upsert: "INSERT INTO reading (time, station, received, time_source, " + strings.Join(columns, ", ") +
			") VALUES (?, ?, ?, ?" + strings.Repeat(", ?", len(columns)) + ") ON CONFLICT (time, station) DO UPDATE SET " +
			"received = excluded.received, time_source = excluded.time_source, " + strings.Join(updates, ", "),
	}
}
