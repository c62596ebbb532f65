package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
	Exposure     *ingest.ExposedSince // a From that is zero is now
}

// ErrUnknown is the error for a station that is not registered.
var ErrUnknown = errors.New("no such station")

// edit is a change of one station under way: what its record becomes, what is recorded of it, and its first error.
type edit struct {
	record  *record
	station *ingest.Station // before the change
	by      By
	now     time.Time
	changes []Change
	err     error
}

// check keeps the first error.
func (e *edit) check(err error) {
	if e.err == nil {
		e.err = err
	}
}

// wrote records what was changed.
func (e *edit) wrote(what, before, after string) {
	e.changes = append(e.changes, Change{At: e.now, Station: e.record.ID, Who: e.by, What: what, Before: before, After: after})
}

// set changes a field and records it.
func set[T comparable](e *edit, what string, field *T, to T) {
	if before := *field; before != to {
		*field = to
		e.wrote(what, fmt.Sprint(before), fmt.Sprint(to))
	}
}

// change runs f on a station and writes what it has made of it, unless it has made nothing or an error. f runs again
// when another process has changed the station meanwhile, on what that has written.
func (r *Registry) change(ctx context.Context, id string, by By, f func(*edit)) error {
	for {
		now, err := r.fetch(ctx, id)
		if err != nil {
			return err
		}
		e := &edit{station: now.station, by: by, now: time.Now().UTC().Truncate(time.Second)}
		if e.record, _, err = r.decode(now.data); err != nil {
			return fmt.Errorf("registry: change %w", err)
		}
		if f(e); e.err != nil {
			return e.err
		}
		written, err := r.write(ctx, now, e.record)
		if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			continue
		}
		if written {
			r.record(ctx, e.changes)
		}
		var field *FieldError
		if err != nil && !errors.As(err, &field) {
			err = fmt.Errorf("registry: change station %s: %w", id, err)
		}
		return err
	}
}

// fetch reads a station from the bucket. It is ErrUnknown when there is none.
func (r *Registry) fetch(ctx context.Context, id string) (entry, error) {
	begin := time.Now()
	got, err := r.bucket.stations.Get(ctx, stationKey+id)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return entry{}, fmt.Errorf("station %q: %w", id, ErrUnknown)
	}
	if err != nil {
		return entry{}, r.bucket.nc.Asked("registry: read station "+id, begin, err)
	}
	r.apply(message{got.Key(), got.Revision(), got.Value()})
	e := entry{data: got.Value(), revision: got.Revision()}
	if e.record, e.station, err = r.decode(got.Value()); err != nil {
		return entry{}, fmt.Errorf("registry: %w", err)
	}
	return e, nil
}

// write replaces a station's entry by another, if it is another, and discards the former. The error is
// ErrKeyRevisionMismatch when another process has replaced the entry.
func (r *Registry) write(ctx context.Context, now entry, next *record) (written bool, err error) {
	data, err := next.encode()
	if err != nil || bytes.Equal(data, now.data) {
		return false, err
	}
	key := stationKey + next.ID
	begin := time.Now()
	revision, err := r.bucket.stations.Update(ctx, key, data, now.revision)
	if err != nil {
		return false, r.bucket.nc.Asked("write "+key, begin, err)
	}
	r.apply(message{key, revision, data})
	r.discard(ctx, next, now.revision)
	return true, nil
}

// Edit changes a station: everything in the change, or nothing with a FieldError.
func (r *Registry) Edit(ctx context.Context, id string, by By, change Edit) error {
	return r.change(ctx, id, by, func(e *edit) {
		e.name(change.Name)
		e.status(change.Status, change.Reason)
		if h := change.Height; h != nil {
			e.check(checkHeight(h))
			e.height(*h)
		}
		if s := change.Side; s != nil {
			e.check(checkSide(*s))
			set(e, "side", &e.record.Side, *s)
		}
		if change.Place != nil {
			e.check(r.CheckPlace(change.Place.Exact))
			e.move(change.Place.Exact, change.Place.From)
		}
		if change.Installation != nil {
			e.install(*change.Installation)
		}
		if change.Exposure != nil {
			e.expose(*change.Exposure)
		}
	})
}

func (e *edit) height(metres float64) {
	before := ""
	if h := e.record.Height; h != nil && *h == metres {
		return
	} else if h != nil {
		before = fmt.Sprint(*h)
	}
	e.record.Height = &metres
	e.wrote("height", before, fmt.Sprint(metres))
}

func (e *edit) name(name *string) {
	if name == nil {
		return
	}
	clean, err := cleanName(*name)
	e.check(err)
	set(e, "name", &e.record.Name, clean)
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
	next, why, was := e.station.Status, e.station.Reason, e.record.Before
	if to != nil && *to != next {
		e.check(e.mayBecome(*to))
		next, why = *to, ""
	}
	if e.station.Status == ingest.Suspended && next != ingest.Suspended {
		next = cmp.Or(e.record.Before, ingest.Active)
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
	if e.record.Before = ""; next == ingest.Suspended {
		e.record.Before = cmp.Or(was, e.station.Status)
	}
	set(e, "status", &e.record.Status, next)
	set(e, "reason", &e.record.Reason, why)
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
	e.record.place(from, to)
	if from.Before(e.now) {
		e.queueRecomputation(from)
	}
	e.wrote("place", cellName(last.Exact), cellName(to)+" since "+from.Format(time.RFC3339))
}

func cellName(p orb.Point) string {
	cell, err := geo.CellAt(p, geo.BaseSize)
	if err != nil {
		return "" // the registry lets no such place in
	}
	return cell.String()
}

// install gives the station other sensors from a moment on. Its values from then on are checked again, as these sensors'.
func (e *edit) install(f ingest.Installation) {
	var err error
	f.Kit, f.Sensors, err = cleanInstallation(f.Kit, f.Sensors)
	e.check(err)
	last := e.station.Installations[len(e.station.Installations)-1]
	f.From = e.since("fitting.from", f.From, last.From)
	e.record.install(f)
	if f.From.Before(e.now) && !slices.Equal(f.Sensors, last.Sensors) {
		e.queueRecomputation(f.From)
	}
	e.wrote("sensors", words(last), words(f)+" since "+f.From.Format(time.RFC3339))
}

// expose says where the station measures from a moment on. What it measured before stays what it was; averages from then on
// are made again.
func (e *edit) expose(x ingest.ExposedSince) {
	e.check(checkExposure(x.Exposure))
	last := e.station.Places[0].From
	if n := len(e.station.Exposures); n > 0 {
		last = e.station.Exposures[n-1].From
	}
	x.From = e.since("exposure.from", x.From, last)
	if before := e.station.Exposure; before != x.Exposure {
		e.record.expose(x.From, x.Exposure)
		if x.From.Before(e.now) {
			e.queueRecomputation(x.From)
		}
		e.wrote("exposure", string(before), string(x.Exposure)+" since "+x.From.Format(time.RFC3339))
	}
}

func words(f ingest.Installation) string { return f.Kit + " (" + strings.Join(f.Sensors, ", ") + ")" }

// Rotate gives a station a new token; the old one is invalid at once.
func (r *Registry) Rotate(ctx context.Context, id string, by By) (token string, err error) {
	token = newToken()
	return token, r.change(ctx, id, by, func(e *edit) {
		e.record.Token = hashed(token)
		e.wrote("token", "", "")
	})
}

// Renew gives a station a new management token; the old one is invalid at once. With handOver, for a new owner, it
// also deletes the owner's e-mail address, webhook and exact places: of those the centres of their cells are left.
func (r *Registry) Renew(ctx context.Context, id string, by By, handOver bool) (manage string, err error) {
	manage = newToken()
	err = r.change(ctx, id, by, func(e *edit) {
		e.record.Manage = hashed(manage)
		e.wrote("management link", "", "")
		if handOver {
			e.record.Email, e.record.Notices = "", nil
			e.check(e.record.coarsen())
			e.wrote("handed over", "", "")
		}
	})
	if err == nil && handOver {
		err = r.saveSnapshot()
	}
	return manage, err
}
