package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/paulmach/orb"
	"modernc.org/sqlite"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// migrations bring the file from each schema version to the next; PRAGMA user_version counts them.
var migrations = []string{`
CREATE TABLE station (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	kit        TEXT NOT NULL,
	sensors    TEXT NOT NULL,                -- joined by commas
	exposure   TEXT NOT NULL,
	height     REAL NOT NULL,                -- metres above ground
	status     TEXT NOT NULL,
	zone       TEXT NOT NULL,
	licence    TEXT NOT NULL,                -- what the owner agreed to, when the station was created
	email      TEXT NOT NULL,                -- never published
	demo       INTEGER NOT NULL,
	created    INTEGER NOT NULL,             -- Unix seconds
	token      TEXT NOT NULL,                -- SHA-256, hex
	manage     TEXT NOT NULL                 -- SHA-256, hex
) STRICT;
CREATE TABLE place (
	station    TEXT NOT NULL REFERENCES station (id),
	since      INTEGER NOT NULL,             -- Unix seconds
	lon        REAL NOT NULL,                -- exact, never published
	lat        REAL NOT NULL,
	PRIMARY KEY (station, since)
) STRICT, WITHOUT ROWID;
CREATE TABLE registration (                      -- how many stations an address registered on a day
	day        TEXT NOT NULL,
	address    TEXT NOT NULL,                -- hash with a random salt that is forgotten after the day
	count      INTEGER NOT NULL,
	PRIMARY KEY (day, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE refusal (
	id         INTEGER PRIMARY KEY,
	station    TEXT NOT NULL,                -- '' when it is not registered
	named      TEXT NOT NULL,                -- the station as the message named it
	received   INTEGER NOT NULL,             -- Unix milliseconds
	reason     TEXT NOT NULL,
	field      TEXT NOT NULL,
	detail     TEXT NOT NULL,
	UNIQUE (named, received, reason, field, detail) -- keeping the same twice is harmless
) STRICT;
CREATE INDEX refusal_by_station ON refusal (station, received DESC);
CREATE TABLE setting (
	name       TEXT PRIMARY KEY,
	value      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE station ADD COLUMN source TEXT NOT NULL DEFAULT ''; -- whose it is, empty for our own
CREATE TABLE device (                            -- a station's name in its own firmware's world, never published
	family     TEXT NOT NULL,
	key        TEXT NOT NULL,                -- lower case
	station    TEXT NOT NULL REFERENCES station (id),
	PRIMARY KEY (family, key)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE station ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- Unix seconds, when it was retired; 0 while it is not
CREATE TABLE calibration (
	station     TEXT NOT NULL REFERENCES station (id),
	quantity    TEXT NOT NULL,
	since       INTEGER NOT NULL,            -- Unix seconds, a whole hour
	until       INTEGER NOT NULL,            -- the same, not included; 0 = no end
	intercept   REAL NOT NULL,
	slope       REAL NOT NULL,
	humidity    REAL NOT NULL,               -- per %
	temperature REAL NOT NULL,               -- per °C
	reference   TEXT NOT NULL,               -- which instrument
	r2          REAL NOT NULL,
	rmse        REAL NOT NULL,
	n           INTEGER NOT NULL,            -- hours it was made of
	PRIMARY KEY (station, quantity, since)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE station ADD COLUMN side TEXT NOT NULL DEFAULT ''; -- of the house, by the wind it faces
CREATE TABLE fitting (                           -- what a station measures with from when on
	station    TEXT NOT NULL REFERENCES station (id),
	since      INTEGER NOT NULL,             -- Unix seconds
	kit        TEXT NOT NULL,
	sensors    TEXT NOT NULL,                -- joined by commas
	PRIMARY KEY (station, since)
) STRICT, WITHOUT ROWID;
INSERT INTO fitting (station, since, kit, sensors) SELECT id, created, kit, sensors FROM station;
ALTER TABLE station DROP COLUMN kit;
ALTER TABLE station DROP COLUMN sensors;
CREATE TABLE change (                            -- who changed what; neither tokens, addresses nor exact places
	id         INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL,             -- Unix seconds
	station    TEXT NOT NULL,
	who        TEXT NOT NULL,
	what       TEXT NOT NULL,
	before     TEXT NOT NULL,
	after      TEXT NOT NULL
) STRICT;
CREATE INDEX change_by_station ON change (station, id DESC);
CREATE TABLE restatement (                       -- averages that are to be made again, until they are
	station    TEXT PRIMARY KEY REFERENCES station (id),
	since      INTEGER NOT NULL              -- Unix seconds
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE station ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- why it is suspended
UPDATE station SET status = 'suspended'          -- which was the same as pending until now
	WHERE status = 'pending' AND id IN (SELECT station FROM change WHERE what = 'status' AND after = 'pending');
CREATE TABLE spelled (                           -- device, with keys as their topics spell them
	family     TEXT NOT NULL,
	key        TEXT NOT NULL COLLATE NOCASE,
	station    TEXT NOT NULL REFERENCES station (id),
	PRIMARY KEY (family, key)
) STRICT, WITHOUT ROWID;
INSERT INTO spelled SELECT family, key, station FROM device;
DROP TABLE device;
ALTER TABLE spelled RENAME TO device;
`}

// Open opens the registry's file, which it creates if it is missing.
func Open(ctx context.Context, path string, options Options) (*Registry, error) {
	query := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", fmt.Sprintf("busy_timeout(%d)", busyTime.Milliseconds()), "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("registry %s: %w", path, err)
	}
	if err := private(path); err != nil {
		db.Close()
		return nil, fmt.Errorf("registry: %w", err)
	}
	r := &Registry{db: db, options: options}
	err = r.prepare(ctx)
	for end := time.Now().Add(busyTime); busy(err) && ctx.Err() == nil && time.Now().Before(end); err = r.prepare(ctx) {
		time.Sleep(busyEvery)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("registry %s: %w", path, err)
	}
	return r, nil
}

const (
	busyTime  = 5 * time.Second       // how long another program's lock is waited for
	busyEvery = 10 * time.Millisecond // between attempts, where SQLite does not wait by itself
)

// busy is true when another program had a lock. Programs that make the file at the same time can each have one that another
// wants, which SQLite tells at once.
func busy(err error) bool {
	const sqliteBusy = 5 // https://www.sqlite.org/rescode.html#busy
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqliteBusy
}

// private makes the file, when it is missing, so that only its owner can read it: it holds exact places
// and addresses. SQLite gives the files beside it the same mode.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func (r *Registry) prepare(ctx context.Context) error {
	if err := r.migrate(ctx); err != nil {
		return err
	}
	return r.reload(ctx)
}

func (r *Registry) migrate(ctx context.Context) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("written by a newer Stadtluft (schema %d, this one reads up to %d): upgrade", version, len(migrations))
	}
	for i := version; i < len(migrations); i++ {
		if _, err := tx.ExecContext(ctx, migrations[i]); err != nil {
			return fmt.Errorf("bring it to schema %d: %w", i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(migrations))); err != nil {
		return err
	}
	return tx.Commit()
}

// Backup writes a consistent copy of the file to a path that must not exist.
func (r *Registry) Backup(ctx context.Context, path string) error {
	if _, err := r.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("registry: copy to %s: %w", path, err)
	}
	return nil
}

// load reads the whole registry in one transaction.
func (r *Registry) load(ctx context.Context) (*snapshot, error) {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("registry: load stations: %w", err)
	}
	defer tx.Rollback()
	return read(ctx, tx)
}

// read reads the whole registry as a transaction sees it.
func read(ctx context.Context, tx *sql.Tx) (*snapshot, error) {
	next := &snapshot{byID: map[string]*entry{}, byDevice: map[ingest.Device]*ingest.Station{}}
	if err := next.loadStations(ctx, tx); err != nil {
		return nil, fmt.Errorf("registry: load stations: %w", err)
	}
	if err := next.loadPlaces(ctx, tx); err != nil {
		return nil, fmt.Errorf("registry: load places: %w", err)
	}
	if err := next.loadInstallations(ctx, tx); err != nil {
		return nil, fmt.Errorf("registry: load sensors: %w", err)
	}
	if err := next.loadDevices(ctx, tx); err != nil {
		return nil, fmt.Errorf("registry: load devices: %w", err)
	}
	if err := next.loadCalibrations(ctx, tx); err != nil {
		return nil, fmt.Errorf("registry: load calibrations: %w", err)
	}
	err := tx.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'admin'").Scan(&next.admin)
	if err != nil && err != sql.ErrNoRows {
		return nil, fmt.Errorf("registry: load settings: %w", err)
	}
	return next, nil
}

func (s *snapshot) loadStations(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, name, exposure, height, side, status, reason, zone, licence, email, demo, source, created, ended, token, manage FROM station ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	locations := map[string]*time.Location{}
	for rows.Next() {
		st, e := &ingest.Station{}, &entry{}
		var created, ended int64
		if err := rows.Scan(&st.ID, &st.Name, &st.Exposure, &st.Height, &st.Side, &st.Status, &st.Reason, &st.Zone, &st.Licence,
			&st.Email, &st.Demo, &st.Source, &created, &ended, &e.token, &e.manage); err != nil {
			return err
		}
		st.Created = time.Unix(created, 0).UTC()
		if ended != 0 {
			st.Ended = time.Unix(ended, 0).UTC()
		}
		if _, known := locations[st.Zone]; !known {
			locations[st.Zone], _ = time.LoadLocation(st.Zone) // one that is gone is UTC
		}
		st.Location = locations[st.Zone]
		e.station = st
		s.stations = append(s.stations, st)
		s.byID[st.ID] = e
	}
	return rows.Err()
}

func (s *snapshot) loadPlaces(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT station, since, lon, lat FROM place ORDER BY station, since`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var since int64
		var exact orb.Point
		if err := rows.Scan(&id, &since, &exact[0], &exact[1]); err != nil {
			return err
		}
		cell, err := geo.CellAt(exact, geo.BaseSize)
		if err != nil {
			return fmt.Errorf("station %s: %w", id, err)
		}
		if e := s.byID[id]; e != nil {
			e.station.Places = append(e.station.Places, ingest.Place{From: time.Unix(since, 0).UTC(), Exact: exact, Public: cell.Center()})
		}
	}
	return rows.Err()
}

func (s *snapshot) loadInstallations(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT station, since, kit, sensors FROM fitting ORDER BY station, since`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var f ingest.Installation
		var id, sensors string
		var since int64
		if err := rows.Scan(&id, &since, &f.Kit, &sensors); err != nil {
			return err
		}
		f.From, f.Sensors = time.Unix(since, 0).UTC(), splitSensors(sensors)
		if e := s.byID[id]; e != nil {
			e.station.Installations = append(e.station.Installations, f)
			e.station.Kit, e.station.Sensors = f.Kit, f.Sensors
		}
	}
	return rows.Err()
}

func (s *snapshot) loadDevices(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT family, key, station FROM device ORDER BY family, key`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d ingest.Device
		var id string
		if err := rows.Scan(&d.Family, &d.Key, &id); err != nil {
			return err
		}
		if e := s.byID[id]; e != nil {
			e.station.Devices = append(e.station.Devices, d)
			s.byDevice[d.Folded()] = e.station
		}
	}
	return rows.Err()
}
