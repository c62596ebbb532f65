package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/firmware-protocol/quantity"
)

// schema is the version of the tables; quantities are columns and do not change it.
const schema = 5

// secondSchema migrates rows of version 1, in which nothing was corrected.
const secondSchema = `
ALTER TABLE grid ADD COLUMN raw INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grid ADD COLUMN uncorrected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grid ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;
UPDATE grid SET raw = mean;`

// thirdSchema adds how far the journal is stored.
const thirdSchema = `
CREATE TABLE position (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	journal  TEXT NOT NULL,    -- which journal
	seq      INTEGER NOT NULL, -- of the entry up to which everything is stored
	appended INTEGER NOT NULL  -- when that entry was appended, Unix nanoseconds
) STRICT;`

// byStationUntil begins the table of which readings are in by_hour, which replaces an index of version 3. The last hour or two stay out:
// where processes with different roles are upgraded one after the other, one of version 3 still writes then. Its argument is
// when they begin, Unix seconds.
const byStationUntil = `
CREATE TABLE by_station_until (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	time INTEGER NOT NULL -- before which all readings are in by_hour, Unix seconds
) STRICT;
INSERT INTO by_station_until SELECT 1, min(coalesce(max(time) + 1, 0), %d) FROM reading;
DROP INDEX IF EXISTS reading_by_station;`

// fifthSchema finds a station's readings by hour, then station: an hour's readings, which insertReadings adds at once, are then new
// pages at the end. By station first, as in by_station of version 4, they changed pages of every station, several for each. A process of
// version 4 that still runs finds no such table: it would leave late readings out of this one without an error. A trigger keeps
// the table right for what is deleted.
const fifthSchema = `
DROP TRIGGER IF EXISTS reading_deleted;
DROP TABLE IF EXISTS by_station;
CREATE TABLE by_hour (
	hour    INTEGER NOT NULL, -- time / 3600
	station TEXT NOT NULL,
	time    INTEGER NOT NULL, -- of a reading, Unix seconds
	PRIMARY KEY (hour, station, time)
) STRICT, WITHOUT ROWID;
INSERT INTO by_hour SELECT time / 3600, station, time FROM reading WHERE time < (SELECT time FROM by_station_until);
CREATE TRIGGER reading_deleted AFTER DELETE ON reading BEGIN
	DELETE FROM by_hour WHERE hour = OLD.time / 3600 AND station = OLD.station AND time = OLD.time;
END;`

// owner is the table of whose store it is. An earlier version leaves it alone, so it does not change the schema.
const owner = `
CREATE TABLE IF NOT EXISTS deployment (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	id  TEXT NOT NULL -- of the installation
) STRICT;`

// migrate creates the tables, or migrates those of an older version.
func (s *Store) migrate(ctx context.Context) error {
	return s.transact(ctx, func(conn *sqlite.Conn) error {
		version, err := versionOf(conn)
		if err != nil {
			return err
		}
		until := fmt.Sprintf(byStationUntil, s.now().Truncate(time.Hour).Add(-time.Hour).Unix()) + fifthSchema
		steps := map[int]string{0: s.sql.create + thirdSchema + until, 1: secondSchema + thirdSchema + until, 2: thirdSchema + until, 3: until, 4: fifthSchema}
		if err := sqlitex.ExecuteScript(conn, steps[version]+owner, nil); err != nil {
			return err
		}
		if err := addColumns(conn); err != nil {
			return err
		}
		return sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA user_version = %d", schema), nil)
	})
}

// versionOf returns the version of a file's tables, 0 without any. A newer one is an error.
func versionOf(conn *sqlite.Conn) (version int, err error) {
	err = sqlitex.Execute(conn, "PRAGMA user_version", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		version = row.ColumnInt(0)
		return nil
	}})
	if err == nil && version > schema {
		err = fmt.Errorf("written by a newer Stadtluft (schema %d, this one reads up to %d): upgrade", version, schema)
	}
	return version, err
}

// addColumns adds the columns for new quantities to a file of an older version.
func addColumns(conn *sqlite.Conn) error {
	there := map[string]bool{}
	if err := sqlitex.Execute(conn, "SELECT name FROM pragma_table_info('reading')", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		there[row.ColumnText(0)] = true
		return nil
	}}); err != nil {
		return err
	}
	for _, q := range quantity.All() {
		if there[q.String()] {
			continue
		}
		add := fmt.Sprintf("ALTER TABLE reading ADD COLUMN %s REAL; ALTER TABLE reading ADD COLUMN flags_%s INTEGER", q, q)
		if err := sqlitex.ExecuteScript(conn, add, nil); err != nil {
			return err
		}
	}
	return nil
}

// statements are SQL texts that are made once from the list of quantities.
type statements struct {
	create, upsert string
}

func compose(quantities []quantity.Quantity) statements {
	var columns, definitions, updates []string
	for _, q := range quantities {
		columns = append(columns, q.String(), "flags_"+q.String())
		definitions = append(definitions, fmt.Sprintf("\t%s REAL, flags_%s INTEGER", q, q))
		// A value that is written again replaces its flags too; a quantity that is not written stays as it is.
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
		upsert: "INSERT INTO reading (time, station, received, time_source, " + strings.Join(columns, ", ") +
			") VALUES (?, ?, ?, ?" + strings.Repeat(", ?", len(columns)) + ") ON CONFLICT (time, station) DO UPDATE SET " +
			"received = excluded.received, time_source = excluded.time_source, " + strings.Join(updates, ", "),
	}
}
