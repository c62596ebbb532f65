package sta

import (
	"errors"
	"slices"

	"stadtluft/firmware-protocol/wire"
)

// A filter of entities can speak of their observations, as the standard's own example does (OGC 18-088, section 9.3.3.5):
//
//	Things?$filter=Datastreams/Observations/FeatureOfInterest/id eq 'F' and Datastreams/Observations/resultTime ge T
//
// It lets an entity through when one of its observations makes all of it true; of an entity without observations they are
// as values that are missing. The observations are read once for all entities together, the newest first.

// joined is a path from the observation that the filter is just about.
type joined struct{ path }

// joinedFilter is a filter that speaks of observations.
type joinedFilter struct {
	expression
	via []string // the links from the entity to them
}

// join makes the paths to observations in a filter of entities of a kind joined ones. All must take one way.
func join(e expression, k *kind) (expression, error) {
	var via []string
	e, err := mapPaths(e, func(p path) (expression, error) {
		i := observationsAt(p.names, k)
		if i < 0 || i == len(p.names)-1 {
			return p, nil
		}
		if via != nil && !slices.Equal(via, p.names[:i+1]) {
			return nil, unsupported("at character %d: a filter that speaks of Observations by two ways is not supported", p.at+1)
		}
		via = p.names[:i+1]
		return joined{path{p.names[i+1:], p.at}}, nil
	})
	if err != nil || via == nil {
		return e, err
	}
	return joinedFilter{e, via}, nil
}

// observationsAt is where a path comes to observations; -1 where it does not, or begins with one.
func observationsAt(names []string, k *kind) int {
	for i, name := range names {
		l, ok := k.link(name)
		if !ok || k == observations {
			return -1
		}
		if l.to == observations {
			return i
		}
		k = l.to
	}
	return -1
}

// mapPaths is an expression with other expressions in the place of its paths.
func mapPaths(e expression, to func(path) (expression, error)) (expression, error) {
	var err error
	switch e := e.(type) {
	case path:
		return to(e)
	case unary:
		e.of, err = mapPaths(e.of, to)
		return e, err
	case binary:
		var wrong error
		e.left, err = mapPaths(e.left, to)
		e.right, wrong = mapPaths(e.right, to)
		return e, errors.Join(err, wrong)
	case call:
		e.of = slices.Clone(e.of)
		for i := range e.of {
			if e.of[i], err = mapPaths(e.of[i], to); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
	return e, nil
}

// reach is which observations can make the filter true: what it says of them beside all else that must hold.
func (f joinedFilter) reach(w *world) (r reach, narrowed bool) {
	r = w.reachOf(nil, nil)
	whole := r
	for _, part := range conjuncts(f.expression) {
		mixed := false
		part, _ = mapPaths(part, func(p path) (expression, error) { mixed = true; return p, nil })
		if !mixed {
			w.narrow(&r, plain(part))
		}
	}
	return r, r.from != whole.from || r.to != whole.to || r.stations != nil || r.quantities != nil
}

// plain is an expression of joined paths as one about an observation.
func plain(e expression) expression {
	switch e := e.(type) {
	case joined:
		return e.path
	case unary:
		e.of = plain(e.of)
		return e
	case binary:
		e.left, e.right = plain(e.left), plain(e.right)
		return e
	case call:
		e.of = slices.Clone(e.of)
		for i := range e.of {
			e.of[i] = plain(e.of[i])
		}
		return e
	}
	return e
}

// candidate is an entity that a joined filter may let through.
type candidate struct {
	*entity
	seen, through bool
}

// admitJoined are those of entities that a joined filter lets through.
func (w *world) admitJoined(all []*entity, f joinedFilter) ([]*entity, error) {
	candidates := make([]*candidate, len(all))
	byID := map[string][]*candidate{} // of datastreams, or of features of interest
	r, narrowed := f.reach(w)
	limits := limits{}
	for i, e := range all {
		candidates[i] = &candidate{entity: e}
		for _, source := range w.sources(e, f.via) {
			byID[source.id] = append(byID[source.id], candidates[i])
			limits.add(source)
		}
	}
	limits.apply(&r)
	open := len(all)
	err := w.readBack(r, func(o *entity) error {
		for _, id := range []string{datastream(o.station, o.quantity).id, placeID(o.station, placeAt(o.station, o.at))} {
			for _, c := range byID[id] {
				c.seen = true
				if c.through {
					continue
				}
				var err error
				if c.through, err = w.admitsWith(c.entity, o, f); err != nil {
					return err
				}
				if c.through {
					open--
				}
			}
		}
		if open == 0 {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	var list []*entity
	for _, c := range candidates {
		if !c.seen && !narrowed {
			if c.through, err = w.admitsWith(c.entity, nil, f); err != nil {
				return nil, err
			}
		}
		if c.through {
			list = append(list, c.entity)
		}
	}
	return list, nil
}

// admitsWith reports whether a filter lets an entity through with one of its observations, or with none.
func (w *world) admitsWith(e, o *entity, f joinedFilter) (bool, error) {
	w.joined = o
	defer func() { w.joined = nil }()
	return w.admits(e, f.expression)
}

// sources are the datastreams or features of interest that links lead to, the last of which goes on to observations.
func (w *world) sources(e *entity, via []string) []*entity {
	at := []*entity{e}
	for _, name := range via[:len(via)-1] {
		var next []*entity
		for _, e := range at {
			l, _ := e.kind.link(name) // checked
			next = append(next, w.follow(e, l)...)
		}
		at = next
	}
	return at
}

// limits are the stations and quantities whose observations are wanted.
type limits struct {
	stations   []string
	quantities []wire.Quantity
	every      bool // of the stations every quantity
}

func (l *limits) add(source *entity) {
	if !slices.Contains(l.stations, source.station.ID) {
		l.stations = append(l.stations, source.station.ID)
	}
	if l.every = l.every || source.kind == features; !l.every && !slices.Contains(l.quantities, source.quantity) {
		l.quantities = append(l.quantities, source.quantity)
	}
}

// maxNamed is how many stations a store is asked for by name; more are all.
const maxNamed = 50

func (l *limits) apply(r *reach) {
	if r.stations == nil && len(l.stations) <= maxNamed {
		r.stations = l.stations
	}
	if r.quantities == nil && !l.every {
		r.quantities = l.quantities
	}
	if len(l.stations) == 0 {
		r.to = r.from // nobody has any
	}
}
