package sta

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// world is everything except the observations, as it is during one request.
type world struct {
	ctx      context.Context
	source   Source
	base     string // address of the service
	now      time.Time
	meta     export.Meta
	budget   budget
	joined   *entity // the observation to which a filter of other entities is being applied; nil for none
	joinPath string  // that filter's path to Observations, with a slash at its end

	stations  []*ingest.Station // that are shown, by id
	byStation map[string][]*entity
	sensorsOf map[string][]string // by kit
	all       map[*kind][]*entity
}

// newWorld reads the stations and their latest values.
func newWorld(ctx context.Context, source Source, base string, now time.Time) *world {
	w := &world{
		ctx: ctx, source: source, base: base, now: now, meta: source.Meta(now), budget: budget{maxLooked, maxReads, maxEntities},
		byStation: map[string][]*entity{}, sensorsOf: map[string][]string{}, all: map[*kind][]*entity{},
	}
	measured := map[quantity.Quantity]bool{}
	for _, st := range source.Stations() {
		if !st.Shown() {
			continue
		}
		w.stations = append(w.stations, st)
		w.add(&entity{kind: things, id: st.ID, station: st})
		for place := range st.Places {
			for _, k := range []*kind{locations, historicalLocations, features} {
				w.add(&entity{kind: k, id: placeID(st, place), station: st, place: place})
			}
		}
		if _, known := w.sensorsOf[st.Kit]; !known {
			w.sensorsOf[st.Kit] = st.Sensors
			w.add(&entity{kind: sensors, id: st.Kit, kit: st.Kit})
		}
		values := source.Latest(st.ID, now).Values
		for _, q := range quantity.All() {
			if latest, heard := values[q]; heard {
				d := datastream(st, q)
				d.at = latest.Time
				w.add(d)
				w.byStation[st.ID] = append(w.byStation[st.ID], d)
				measured[q] = true
			}
		}
	}
	for _, q := range quantity.All() {
		if measured[q] {
			w.add(&entity{kind: observedProperties, id: q.String(), quantity: q})
		}
	}
	for _, list := range w.all {
		slices.SortFunc(list, func(a, b *entity) int { return strings.Compare(a.id, b.id) })
	}
	return w
}

func (w *world) add(e *entity) { w.all[e.kind] = append(w.all[e.kind], e) }

func datastream(st *ingest.Station, q quantity.Quantity) *entity {
	return &entity{kind: datastreams, id: st.ID + "-" + q.String(), station: st, quantity: q, kit: st.Kit}
}

// find returns the entity of a kind with an id; nil when there is none. A datastream without recent values is not listed
// but is found.
func (w *world) find(k *kind, id string) (*entity, error) {
	if k == observations {
		return w.observation(id)
	}
	i, found := slices.BinarySearchFunc(w.all[k], id, func(e *entity, id string) int { return strings.Compare(e.id, id) })
	if found {
		return w.all[k][i], nil
	}
	switch k {
	case datastreams:
		if st, q, ok := w.series(id); ok {
			return datastream(st, q), nil // not heard of lately
		}
	case observedProperties:
		if q, ok := quantity.Parse(id); ok {
			return &entity{kind: k, id: id, quantity: q}, nil
		}
	}
	return nil, nil
}

// series parses a datastream's id.
func (w *world) series(id string) (*ingest.Station, quantity.Quantity, bool) {
	name, quantityName, _ := strings.Cut(id, "-")
	st, known := w.source.Station(name)
	q, ok := quantity.Parse(quantityName)
	return st, q, known && ok && st.Shown()
}

// follow returns the entities at the end of an entity's link; observations are read elsewhere.
func (w *world) follow(e *entity, l link) []*entity {
	switch l.to {
	case things, locations, historicalLocations, features:
		return w.places(e, l)
	case sensors:
		return w.only(sensors, e.kit)
	case observedProperties:
		return w.only(observedProperties, e.quantity.String())
	case datastreams:
		return w.datastreamsOf(e)
	}
	return nil
}

// places returns the places of a station, or those that belong to an entity.
func (w *world) places(e *entity, l link) []*entity {
	last := len(e.station.Places) - 1
	switch {
	case e.kind == locations && l.to == things && e.place != last:
		return nil // it has moved
	case l.to == things:
		return w.only(things, e.station.ID)
	case e.kind == things && l.to == locations:
		return w.only(locations, placeID(e.station, last)) // where it stands now
	case e.kind == things:
		var list []*entity
		for place := range e.station.Places {
			list = append(list, w.only(l.to, placeID(e.station, place))...)
		}
		return list
	case e.kind == observations:
		return w.only(l.to, placeID(e.station, placeAt(e.station, e.at)))
	}
	return w.only(l.to, placeID(e.station, e.place))
}

// placeAt returns the number of the place that was valid at a moment.
func placeAt(st *ingest.Station, at time.Time) int {
	from := st.PlaceAt(at).From
	return slices.IndexFunc(st.Places, func(p ingest.Place) bool { return p.From.Equal(from) })
}

func (w *world) only(k *kind, id string) []*entity {
	e, err := w.find(k, id)
	if e == nil || err != nil {
		return nil
	}
	return []*entity{e}
}

func (w *world) datastreamsOf(e *entity) []*entity {
	switch e.kind {
	case things:
		return w.byStation[e.station.ID]
	case observations:
		return w.only(datastreams, datastream(e.station, e.quantity).id)
	}
	var list []*entity
	for _, d := range w.all[datastreams] {
		if e.kind == sensors && d.kit == e.kit || e.kind == observedProperties && d.quantity == e.quantity {
			list = append(list, d)
		}
	}
	return list
}

// selfLink returns an entity's address.
func (w *world) selfLink(e *entity) string {
	key := url.PathEscape(strings.ReplaceAll(e.id, "'", "''"))
	return fmt.Sprintf("%s/%s('%s')", w.base, e.kind.plural, key)
}
