package sta

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/store"
)

// Limits of one request.
const (
	maxLooked   = 300_000 // readings read, a year of one station
	maxReads    = 300     // queries of the store
	maxEntities = 20_000  // entities in one answer
	maxWindow   = 20_000  // readings held at once while reading backwards
)

// budget is the rest of these limits.
type budget struct{ looked, reads, entities int }

var errEnough = errors.New("enough has been read")

// observationID names an observation by its datastream and second.
func observationID(r *ingest.Reading, q quantity.Quantity) string {
	return r.Station + "-" + q.String() + "-" + strconv.FormatInt(r.Time.Unix(), 10)
}

// parseObservationID is the inverse of observationID.
func parseObservationID(id string) (station string, q quantity.Quantity, at time.Time, ok bool) {
	station, rest, _ := strings.Cut(id, "-")
	name, seconds, _ := strings.Cut(rest, "-")
	q, known := quantity.Parse(name)
	unix, err := strconv.ParseInt(seconds, 10, 64)
	const year9999 = 253402300799
	return station, q, time.Unix(unix, 0).UTC(), known && err == nil && unix >= 0 && unix <= year9999
}

// observation returns the observation with an id; nil when there is none.
func (w *world) observation(id string) (*entity, error) {
	station, q, at, ok := parseObservationID(id)
	if !ok {
		return nil, nil
	}
	var found *entity
	r := scope{from: at, to: at.Add(time.Second), stations: []string{station}, quantities: []quantity.Quantity{q}}
	err := w.read(r, func(e *entity) error {
		if e.id == id {
			found = e
		}
		return nil
	})
	return found, err
}

// read yields the observations within a scope, ascending by time, station and quantity.
func (w *world) read(r scope, yield func(*entity) error) error {
	if err := w.ask(); err != nil {
		return err
	}
	return w.readings(r, func(reading ingest.Reading) error { return w.each(&reading, yield, false) })
}

// ask counts a query of the store.
func (w *world) ask() error {
	if w.budget.reads--; w.budget.reads < 0 {
		return tooOften()
	}
	return nil
}

func tooOften() error {
	return httpapi.Wrong("$expand", "this question asks for Observations of more than %d entities: use a smaller $top, or ask for the Observations of each", maxReads)
}

// readings queries the store.
func (w *world) readings(r scope, yield func(ingest.Reading) error) error {
	if !r.from.Before(r.to) {
		return nil
	}
	q := store.ReadingQuery{From: r.from, To: r.to, Stations: r.stations, Quantities: r.quantities}
	return w.source.Readings(w.ctx, q, func(reading ingest.Reading) error {
		if w.budget.looked--; w.budget.looked < 0 {
			return w.tooMuch()
		}
		return yield(reading)
	})
}

// tooMuch returns an error that says how to ask for less.
func (w *world) tooMuch() error {
	hour := w.now.Truncate(time.Hour)
	if w.joinPath != "" {
		return httpapi.Wrong("$filter", "this filter looks at more than %d readings: let it say from when to when, such as … and %sphenomenonTime ge %s and %[2]sphenomenonTime lt %s", maxLooked,
			w.joinPath, hour.Add(-time.Hour).Format(time.RFC3339), hour.Format(time.RFC3339))
	}
	return httpapi.Wrong("$filter", "this question looks at more than %d readings: narrow it, such as with $filter=phenomenonTime ge %s and phenomenonTime lt %s, ask for one Datastream's Observations, or leave out $count and $orderby; "+
		"whole periods are at /api/v1/readings and in the archive", maxLooked, hour.Add(-time.Hour).Format(time.RFC3339), hour.Format(time.RFC3339))
}

// each yields the observations of a reading whose station is shown.
func (w *world) each(r *ingest.Reading, yield func(*entity) error, backwards bool) error {
	st, known := w.source.Station(r.Station)
	if !known || !st.Shown() {
		return nil
	}
	values := r.Values
	if backwards {
		values = slices.Clone(values)
		slices.Reverse(values)
	}
	for _, v := range values {
		e := &entity{kind: observations, id: observationID(r, v.Quantity), station: st, quantity: v.Quantity, kit: st.Kit, at: r.Time, value: v}
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

// readBack yields the observations within a scope from the last to the first. Stores read forwards only, so it reads one
// interval after the other: longer ones when there are few readings, shorter ones when there are more than maxWindow.
func (w *world) readBack(r scope, yield func(*entity) error) error {
	if err := w.ask(); err != nil {
		return err
	}
	length := 5 * time.Minute
	for end := r.to; r.from.Before(end); {
		part := r
		part.to, part.from = end, export.Later(r.from, end.Add(-length))
		held, err := w.window(part)
		if err != nil {
			return err
		}
		if len(held) == maxWindow && length > time.Second {
			length = max(time.Second, length/4)
			continue
		}
		for _, reading := range slices.Backward(held) {
			if err := w.each(&reading, yield, true); err != nil {
				return err
			}
		}
		end = part.from
		if len(held) < maxWindow/4 {
			length = min(length*4, 100*365*24*time.Hour)
		}
	}
	return nil
}

// window returns the readings of an interval, at most maxWindow of them.
func (w *world) window(r scope) ([]ingest.Reading, error) {
	var held []ingest.Reading
	err := w.readings(r, func(reading ingest.Reading) error {
		reading.Values = slices.Clone(reading.Values)
		if held = append(held, reading); len(held) == maxWindow {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return held, err
}

// observationsOf returns the observations of an entity, or all for nil.
func (w *world) observationsOf(of *entity, o options) (list, error) {
	r := w.scopeOf(of, o.filter)
	byTime, down := o.byTime(of)
	switch {
	case o.isLatest(byTime && down) && of != nil && of.kind == datastreams:
		if e := w.latest(of); e != nil {
			return list{entities: []*entity{e}, count: -1, more: true, token: e.id}, nil
		}
	case o.token != "" && (!byTime || o.count):
		return list{}, httpapi.Wrong("$skiptoken", "$skiptoken goes with an order by phenomenonTime and without $count: follow @iot.nextLink as it is")
	}
	pick := &picker{world: w, options: o, list: list{count: -1}, early: byTime && !o.count}
	if o.count {
		pick.list.count = 0
	}
	if !byTime {
		return pick.sorted(r)
	}
	if err := pick.behindToken(&r, down); err != nil {
		return list{}, err
	}
	read := w.read
	if down {
		read = w.readBack
	}
	if err := read(r, pick.add); err != nil && !errors.Is(err, errEnough) {
		return list{}, err
	}
	if n := len(pick.list.entities); n > 0 {
		pick.list.token = pick.list.entities[n-1].id
	}
	return pick.list, nil
}

// byTime reports whether observations are sorted by their time; without $orderby they are, the newest first. For a
// single datastream the time is a total order.
func (o *options) byTime(of *entity) (yes, down bool) {
	if len(o.order) == 0 {
		return true, true
	}
	p, ok := o.order[0].by.(path)
	one := of != nil && of.kind == datastreams || len(o.order) == 1
	return ok && isTime(p) && one, o.order[0].down
}

// isLatest reports whether only the newest observation is asked for, without a filter.
func (o *options) isLatest(newestFirst bool) bool {
	return newestFirst && o.top == 1 && o.skip == 0 && o.filter == nil && !o.count && o.token == ""
}

// latest returns a datastream's newest observation without a query of the store.
func (w *world) latest(d *entity) *entity {
	v, heard := w.source.Latest(d.station.ID, w.now).Values[d.quantity]
	if !heard {
		return nil
	}
	r := ingest.Reading{Station: d.station.ID, Time: v.Time}
	return &entity{
		kind: observations, id: observationID(&r, d.quantity), station: d.station, quantity: d.quantity, kit: d.kit, at: v.Time,
		value: ingest.Value{Quantity: d.quantity, Value: v.Value, Flags: v.Flags},
	}
}

// picker collects the page that the options ask for from observations that come in the order of the options.
type picker struct {
	*world
	options options
	list    list
	early   bool // nothing after the page need be read
	skipped int
	behind  func(*entity) bool // nil for the first page
}

func (p *picker) add(e *entity) error {
	if p.behind != nil && !p.behind(e) {
		return nil
	}
	if ok, err := p.admits(e, p.options.filter); err != nil || !ok {
		return err
	}
	if p.options.count {
		p.list.count++
	}
	switch {
	case p.skipped < p.options.skip:
		p.skipped++
	case len(p.list.entities) < p.options.top:
		p.list.entities = append(p.list.entities, e)
	default:
		p.list.more = true
		if p.early {
			return errEnough
		}
	}
	return nil
}

// behindToken begins after the last observation of the page before.
func (p *picker) behindToken(r *scope, down bool) error {
	token := p.options.token
	if token == "" {
		return nil
	}
	station, q, at, ok := parseObservationID(token)
	if !ok {
		return httpapi.Wrong("$skiptoken", "$skiptoken %.60q is no observation: follow @iot.nextLink as it is", token)
	}
	p.behind = func(e *entity) bool {
		order := compareObservations(e, station, q, at)
		return order > 0 && !down || order < 0 && down
	}
	if down {
		r.to = export.Earlier(r.to, at.Add(time.Second))
	} else {
		r.from = export.Later(r.from, at)
	}
	return nil
}

func compareObservations(e *entity, station string, q quantity.Quantity, at time.Time) int {
	if order := e.at.Compare(at); order != 0 {
		return order
	}
	if order := strings.Compare(e.station.ID, station); order != 0 {
		return order
	}
	return int(e.quantity) - int(q)
}

// sorted reads everything within a scope and keeps the page and what is skipped before it.
func (p *picker) sorted(r scope) (list, error) {
	kept := &best{world: p.world, order: p.options.order, most: p.options.skip + p.options.top + 1}
	matched := 0
	err := p.read(r, func(e *entity) error {
		ok, err := p.admits(e, p.options.filter)
		if err != nil || !ok {
			return err
		}
		matched++
		return kept.add(e)
	})
	if err != nil {
		return list{}, err
	}
	if p.options.count {
		p.list.count = matched
	}
	p.list.entities, p.list.more = slice(kept.sorted(), p.options.skip, p.options.top)
	return p.list, nil
}
