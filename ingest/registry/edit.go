package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// longAgo is how far back a move or a new sensor may be told: as far as readings may be late.
const longAgo = 30 * 24 * time.Hour

// Edit is a change of a station; fields that are nil stay.
type Edit struct {
	Name         *string
	Status       *ingest.Status
	Reason       *string  // of a station that is or becomes suspended
	Height       *float64 // metres above ground
	Side         *string
	Place        *ingest.Place // Exact from From on; a From that is zero is now
	Installation *ingest.Installation
}

// ErrUnknown is the error for a station that is not registered.
var ErrUnknown = errors.New("no such station")

// edit is a change of one station under way: a transaction, what it records, and its first error.
type edit struct {
	ctx     context.Context
	tx      *sql.Tx
	station *ingest.Station
	by      By
	now     time.Time
	err     error
}

// exec runs a statement unless an error came before, and counts its rows.
func (e *edit) exec(statement string, args ...any) int64 {
	if e.err != nil {
		return 0
	}
	result, err := e.tx.ExecContext(e.ctx, statement, args...)
	if err != nil {
		e.err = err
		return 0
	}
	n, err := result.RowsAffected()
	e.err = err
	return n
}

// wrote records what was written, unless writing it or anything before ended in an error.
func (e *edit) wrote(err error, what, before, after string) {
	if e.err == nil {
		e.err = err
	}
	if e.err == nil {
		e.err = record(e.ctx, e.tx, Change{At: e.now, Station: e.station.ID, Who: e.by, What: what, Before: before, After: after})
	}
}

// set writes a column and records it.
func (e *edit) set(column string, before, after any) {
	if before == after {
		return
	}
	e.exec("UPDATE station SET "+column+" = ? WHERE id = ?", after, e.station.ID)
	e.wrote(nil, column, fmt.Sprint(before), fmt.Sprint(after))
}

// change runs f on a station in one transaction, and takes a new snapshot. f sees the station as it is in the file, also where another process
// has just changed it.
func (r *Registry) change(ctx context.Context, id string, by By, f func(*edit)) error {
	tx, err := r.db.BeginTx(ctx, nil) // from here on no other process changes the file
	if err != nil {
		return fmt.Errorf("registry: change station %s: %w", id, err)
	}
	defer tx.Rollback()
	file, err := read(ctx, tx)
	if err != nil {
		return err
	}
	entry, known := file.byID[id]
	if !known {
		return fmt.Errorf("station %q: %w", id, ErrUnknown)
	}
	e := &edit{ctx: ctx, tx: tx, station: entry.station, by: by, now: time.Now().UTC().Truncate(time.Second)}
	if f(e); e.err == nil {
		e.err = tx.Commit()
	}
	var field *FieldError
	if errors.As(e.err, &field) || errors.Is(e.err, ErrUnknown) {
		return e.err
	} else if e.err != nil {
		return fmt.Errorf("registry: change station %s: %w", id, e.err)
	}
	return r.reload(ctx)
}

// Edit changes a station: everything in the change, or nothing with a FieldError.
func (r *Registry) Edit(ctx context.Context, id string, by By, change Edit) error {
	return r.change(ctx, id, by, func(e *edit) {
		e.name(change.Name)
		e.status(change.Status, change.Reason)
		if h := change.Height; h != nil {
			e.check(checkHeight(*h))
			e.set("height", e.station.Height, *h)
		}
		if s := change.Side; s != nil {
			e.check(checkSide(*s))
			e.set("side", e.station.Side, *s)
		}
		if change.Place != nil {
			e.check(r.CheckPlace(change.Place.Exact))
			e.move(change.Place.Exact, change.Place.From)
		}
		if change.Installation != nil {
			e.install(*change.Installation)
		}
	})
}

func (e *edit) check(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *edit) name(name *string) {
	if name == nil {
		return
	}
	clean, err := cleanName(*name)
	e.check(err)
	e.set("name", e.station.Name, clean)
}

// moves are how a station goes on in its life: who may do it besides the administrator, from what, to what. A suspended
// station that is to go on is again what it was.
var moves = []struct {
	owner    bool
	from, to ingest.Status
}{
	{true, ingest.Active, ingest.Paused},
	{true, ingest.Paused, ingest.Active},
	{false, ingest.Pending, ingest.Active},
	{false, ingest.Pending, ingest.Suspended},
	{false, ingest.Active, ingest.Suspended},
	{false, ingest.Paused, ingest.Suspended},
	{false, ingest.Suspended, ingest.Active},
}

// status moves a station on in its life, and says why when it is suspended.
func (e *edit) status(to *ingest.Status, reason *string) {
	next, why := e.station.Status, e.station.Reason
	if to != nil && *to != next {
		e.check(e.mayBecome(*to))
		next, why = *to, ""
	}
	if e.station.Status == ingest.Suspended && next != ingest.Suspended {
		next = e.beforeSuspension()
	}
	if reason != nil && (e.by == Owner || next != ingest.Suspended) {
		e.check(&FieldError{Field: "reason", Problem: "is why the administrator suspends a station; it goes with nothing else",
			German: "Einen Grund braucht nur eine Sperre, und nur die Stadt kann sperren."})
	}
	if reason != nil {
		why = *reason
	}
	if next == ingest.Suspended && (to != nil || reason != nil) {
		clean, err := cleanText("reason", why, maxReason)
		e.check(err)
		why = clean
	}
	e.set("status", e.station.Status, next)
	e.set("reason", e.station.Reason, why)
}

// beforeSuspension is what the station was when it was suspended. The record knows it, also of suspensions before this was asked;
// of those before schema 5 it knows none, and they were active.
func (e *edit) beforeSuspension() ingest.Status {
	was := ingest.Active
	err := e.tx.QueryRowContext(e.ctx, `SELECT before FROM change WHERE station = ? AND what = 'status' AND after = ? ORDER BY id DESC LIMIT 1`,
		e.station.ID, ingest.Suspended).Scan(&was)
	if !errors.Is(err, sql.ErrNoRows) {
		e.check(err)
	}
	return was
}

func (e *edit) mayBecome(next ingest.Status) error {
	for _, m := range moves {
		if m.from == e.station.Status && m.to == next && (m.owner || e.by != Owner) {
			return nil
		}
	}
	can := fmt.Sprintf("its owner can pause it (%s) and let it go on (%s)", ingest.Paused, ingest.Active)
	german := "Aus diesem Zustand geht das nicht. Vielleicht hat ihn inzwischen jemand geändert: Lade die Seite neu."
	if e.station.Status == ingest.Suspended {
		can = "the administrator suspended it and alone can let it go on"
		german = "Die Stadt hat die Station gesperrt, und nur sie kann sie wieder freigeben."
	}
	return &FieldError{Field: "status", Problem: fmt.Sprintf("a station that is %s cannot become %q; %s", e.station.Status, next, can), German: german}
}

// since is when a change begins that was told with from: it follows the last one, and lies neither ahead nor long ago.
func (e *edit) since(field string, from, last time.Time) time.Time {
	if from.IsZero() {
		from = e.now
	}
	from = from.UTC().Truncate(time.Second)
	switch {
	case from.After(e.now):
		e.check(&FieldError{Field: field, Problem: from.Format(time.RFC3339) + " lies in the future", German: "Dieser Zeitpunkt liegt in der Zukunft."})
	case e.now.Sub(from) > longAgo:
		e.check(&FieldError{Field: field, Problem: fmt.Sprintf("%s is more than %.0f days ago", from.Format(time.RFC3339), longAgo.Hours()/24),
			German: fmt.Sprintf("Dieser Zeitpunkt liegt mehr als %.0f Tage zurück.", longAgo.Hours()/24)})
	case from.Before(last):
		e.check(&FieldError{Field: field, Problem: fmt.Sprintf("%s is before %s, when the last change began", from.Format(time.RFC3339), last.Format(time.RFC3339)),
			German: "Dieser Zeitpunkt liegt vor der letzten Änderung; die steht unter „Geschichte“."})
	}
	return from
}

// move gives the station a place from a moment on. Averages that have the old one are made again. The record names
// cells: exact places are nobody's business.
func (e *edit) move(to orb.Point, from time.Time) {
	last := e.station.Places[len(e.station.Places)-1]
	from = e.since("place.from", from, last.From)
	e.exec(`INSERT INTO place (station, since, lon, lat) VALUES (?, ?, ?, ?)
		ON CONFLICT (station, since) DO UPDATE SET lon = excluded.lon, lat = excluded.lat`, e.station.ID, from.Unix(), to.Lon(), to.Lat())
	if from.Before(e.now) {
		e.queueRecomputation(from)
	}
	e.wrote(nil, "place", cellName(last.Exact), cellName(to)+" since "+from.Format(time.RFC3339))
}

func cellName(p orb.Point) string {
	cell, err := geo.CellAt(p, geo.BaseSize)
	if err != nil {
		return "" // the registry lets no such place in
	}
	return cell.String()
}

// install gives the station other sensors from a moment on.
func (e *edit) install(f ingest.Installation) {
	var err error
	f.Kit, f.Sensors, err = cleanInstallation(f.Kit, f.Sensors)
	e.check(err)
	last := e.station.Installations[len(e.station.Installations)-1]
	f.From = e.since("fitting.from", f.From, last.From)
	if e.err == nil {
		e.err = insertInstallation(e.ctx, e.tx, e.station.ID, f)
	}
	e.wrote(nil, "sensors", words(last), words(f)+" since "+f.From.Format(time.RFC3339))
}

func words(f ingest.Installation) string { return f.Kit + " (" + strings.Join(f.Sensors, ", ") + ")" }

func insertInstallation(ctx context.Context, tx *sql.Tx, id string, f ingest.Installation) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO fitting (station, since, kit, sensors) VALUES (?, ?, ?, ?)
		ON CONFLICT (station, since) DO UPDATE SET kit = excluded.kit, sensors = excluded.sensors`, id, f.From.Unix(), f.Kit, strings.Join(f.Sensors, ","))
	return err
}

// Rotate gives a station a new token; the old one is invalid at once.
func (r *Registry) Rotate(ctx context.Context, id string, by By) (token string, err error) {
	token = newToken()
	return token, r.change(ctx, id, by, func(e *edit) {
		e.exec("UPDATE station SET token = ? WHERE id = ?", hashed(token), id)
		e.wrote(nil, "token", "", "")
	})
}

// Renew gives a station a new management token; the old one is invalid at once. With handOver, for a new owner, it
// also deletes the owner's e-mail address and exact places: of those the centres of their cells are left.
func (r *Registry) Renew(ctx context.Context, id string, by By, handOver bool) (manage string, err error) {
	manage = newToken()
	return manage, r.change(ctx, id, by, func(e *edit) {
		e.exec("UPDATE station SET manage = ? WHERE id = ?", hashed(manage), id)
		e.wrote(nil, "management link", "", "")
		if handOver {
			e.exec("UPDATE station SET email = '' WHERE id = ?", id)
			for _, p := range e.station.Places {
				e.exec("UPDATE place SET lon = ?, lat = ? WHERE station = ? AND since = ?", p.Public.Lon(), p.Public.Lat(), id, p.From.Unix())
			}
			e.wrote(nil, "handed over", "", "")
		}
	})
}

// Retire retires a station: it can no longer log in, and its owner's address is deleted. Its readings stay, and those
// before now stay in averages.
func (r *Registry) Retire(ctx context.Context, id string, by By) error {
	return r.end(ctx, id, by, ingest.Retired)
}

// Erase retires a station and requests the deletion of its readings; see Recomputations.
func (r *Registry) Erase(ctx context.Context, id string, by By) error {
	return r.end(ctx, id, by, ingest.Erased)
}

func (r *Registry) end(ctx context.Context, id string, by By, status ingest.Status) error {
	return r.change(ctx, id, by, func(e *edit) {
		e.exec("UPDATE station SET email = '', reason = '', ended = iif(ended = 0, ?, ended) WHERE id = ?", e.now.Unix(), id)
		if e.set("status", e.station.Status, status); status == ingest.Erased {
			e.queueRecomputation(time.Unix(0, 0))
		}
	})
}
