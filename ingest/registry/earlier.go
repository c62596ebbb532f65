package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paulmach/orb"
	_ "modernc.org/sqlite"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/wholefile"
)

// earlierSchema is the one of the last version that kept the registry in SQLite.
const earlierSchema = 5

// takeIn writes the registry of an earlier version into the bucket, saves the snapshot and removes the file: what owners
// have deleted later must not stay in it.
func (r *Registry) takeIn(ctx context.Context, path string) error {
	all, err := readEarlier(ctx, path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, s := range []jetstream.Stream{r.bucket.changes, r.bucket.refusals} { // what an interrupted start has written
		if err := s.Purge(ctx); err != nil {
			return fmt.Errorf("take in %s: %w", path, err)
		}
	}
	err = r.fill(ctx, slices.Collect(maps.Values(all.byID)), all.admin)
	if err == nil {
		err = r.recordAll(ctx, all.changes)
	}
	if err == nil {
		err = r.load(ctx) // refusals are kept by station
	}
	if err == nil {
		err = r.KeepRefusals(ctx, all.refusals)
	}
	if err == nil {
		err = r.complete(ctx, newDeployment())
	}
	if err != nil {
		return fmt.Errorf("take in %s: %w", path, err)
	}
	if err := wholefile.Write(r.snapshotPath(), 0o600, func(w io.Writer) error {
		head, entries := r.copy()
		return writeLines(w, head, entries)
	}); err != nil {
		return fmt.Errorf("take in %s: %w", path, err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	r.log.Info("registry of an earlier version is taken in, its file is removed", "path", path, "stations", len(all.byID))
	return nil
}

// earlier is the content of an earlier version's file.
type earlier struct {
	byID     map[string]*record
	admin    string
	changes  []Change
	refusals []ingest.Refusal
}

func readEarlier(ctx context.Context, path string) (*earlier, error) {
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return nil, err
	}
	if version != earlierSchema {
		return nil, fmt.Errorf("schema %d is not %d: start the last version before this one on it once", version, earlierSchema)
	}
	all := &earlier{byID: map[string]*record{}}
	for _, read := range []func(context.Context, *sql.Tx) error{
		all.readStations, all.readPlaces, all.readInstallations, all.readDevices, all.readCalibrations, all.readRecomputations,
		all.readChanges, all.readRefusals, all.readAdmin,
	} {
		if err := read(ctx, tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// each calls scan for each row of a query.
func each(ctx context.Context, tx *sql.Tx, query string, scan func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (all *earlier) readStations(ctx context.Context, tx *sql.Tx) error {
	const query = `SELECT id, name, exposure, height, side, status, reason, zone, licence, email, demo, source, created, ended, token, manage FROM station`
	return each(ctx, tx, query, func(rows *sql.Rows) error {
		rec := &record{}
		var created, ended int64
		if err := rows.Scan(&rec.ID, &rec.Name, &rec.Exposure, &rec.Height, &rec.Side, &rec.Status, &rec.Reason, &rec.Zone, &rec.Licence,
			&rec.Email, &rec.Demo, &rec.Source, &created, &ended, &rec.Token, &rec.Manage); err != nil {
			return err
		}
		rec.Created, rec.Ended = seconds(created), time.Time{}
		if ended != 0 {
			rec.Ended = seconds(ended)
		}
		all.byID[rec.ID] = rec
		return nil
	})
}

func seconds(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

func (all *earlier) readPlaces(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT station, since, lon, lat FROM place`, func(rows *sql.Rows) error {
		var id string
		var since int64
		var p orb.Point
		err := rows.Scan(&id, &since, &p[0], &p[1])
		if rec := all.byID[id]; err == nil && rec != nil {
			rec.place(seconds(since), p)
		}
		return err
	})
}

func (all *earlier) readInstallations(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT station, since, kit, sensors FROM fitting`, func(rows *sql.Rows) error {
		var id, kit, sensors string
		var since int64
		err := rows.Scan(&id, &since, &kit, &sensors)
		if rec := all.byID[id]; err == nil && rec != nil {
			rec.install(ingest.Installation{From: seconds(since), Kit: kit, Sensors: splitSensors(sensors)})
		}
		return err
	})
}

func splitSensors(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}

func (all *earlier) readDevices(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT family, key, station FROM device`, func(rows *sql.Rows) error {
		var d ingest.Device
		var id string
		err := rows.Scan(&d.Family, &d.Key, &id)
		if rec := all.byID[id]; err == nil && rec != nil {
			rec.addDevice(d, deviceTaken)
		}
		return err
	})
}

func (all *earlier) readCalibrations(ctx context.Context, tx *sql.Tx) error {
	const query = `SELECT station, quantity, since, until, intercept, slope, humidity, temperature, reference, r2, rmse, n FROM calibration`
	return each(ctx, tx, query, func(rows *sql.Rows) error {
		var id string
		var from, to int64
		var c calibrationRecord
		err := rows.Scan(&id, &c.Quantity, &from, &to, &c.Intercept, &c.Slope, &c.Humidity, &c.Temperature, &c.Reference, &c.R2, &c.RMSE, &c.N)
		if c.From = seconds(from); to != 0 {
			c.To = seconds(to)
		}
		if rec := all.byID[id]; err == nil && rec != nil {
			rec.calibrate(c)
		}
		return err
	})
}

func (all *earlier) readRecomputations(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT station, since FROM restatement`, func(rows *sql.Rows) error {
		var id string
		var since int64
		err := rows.Scan(&id, &since)
		if rec := all.byID[id]; err == nil && rec != nil {
			rec.Recompute = seconds(since)
		}
		return err
	})
}

// readChanges reads the record of changes, which also knows what a suspended station was before. What it names of an erased
// station stays behind.
func (all *earlier) readChanges(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT at, station, who, what, before, after FROM change ORDER BY id`, func(rows *sql.Rows) error {
		var c Change
		var at int64
		if err := rows.Scan(&at, &c.Station, &c.Who, &c.What, &c.Before, &c.After); err != nil {
			return err
		}
		c.At = seconds(at)
		rec := all.byID[c.Station]
		if rec != nil && rec.Status == ingest.Suspended && c.What == "status" && c.After == string(ingest.Suspended) {
			rec.Before = ingest.Status(c.Before)
		}
		if rec == nil || rec.Status == ingest.Erased {
			if slices.Contains(named, c.What) {
				return nil
			}
		}
		all.changes = append(all.changes, c)
		return nil
	})
}

func (all *earlier) readRefusals(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT named, received, reason, field, detail FROM refusal ORDER BY received, id`, func(rows *sql.Rows) error {
		var k ingest.Refusal
		var received int64
		var reason string
		err := rows.Scan(&k.Station, &received, &reason, &k.Field, &k.Detail)
		k.Received, k.Reason = time.UnixMilli(received).UTC(), wire.Reason(reason)
		all.refusals = append(all.refusals, k)
		return err
	})
}

// readAdmin reads the hash of the administrator's token, and takes from stations that have ended what Retire and Erase take.
func (all *earlier) readAdmin(ctx context.Context, tx *sql.Tx) error {
	for _, rec := range all.byID {
		if rec.Status == ingest.Erased || rec.Status == ingest.Retired {
			if err := rec.scrub(); err != nil {
				return fmt.Errorf("station %s: %w", rec.ID, err)
			}
		}
	}
	err := tx.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'admin'").Scan(&all.admin)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
