package sta

import (
	"errors"
	"slices"
	"strings"

	"stadtluft/firmware-protocol/quantity"
)

// A filter of entities can refer to their observations, as in the standard's own example (OGC 18-088, section 9.3.3.5):
//
//	Things?$filter=Datastreams/Observations/FeatureOfInterest/id eq 'F' and Datastreams/Observations/resultTime ge T
//
// An entity matches when the whole filter is true for one of its observations; an entity without observations has
// missing values there. The observations are read once for all entities together, the newest first.

// joined is a path that starts at the current observation.
type joined struct{ path }

// joinedFilter is a filter that refers to observations.
type joinedFilter struct {
	expression
	via []string // the links from the entity to them
}

// join replaces the paths to observations in a filter of a kind's entities with joined ones. All must lead the same way.
func join(e expression, k *kind) (expression, error) {
	var via []string
	e, err := replaced(e, func(e expression) (expression, error) {
		p, _ := e.(path)
		i := observationsAt(p.names, k)
		if i < 0 || i == len(p.names)-1 {
			return e, nil
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

// observationsAt returns the index in a path at which it reaches observations; -1 when it does not, or starts at one.
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

// replaced returns an expression with its literals and paths replaced.
func replaced(e expression, by func(expression) (expression, error)) (_ expression, err error) {
	switch e := e.(type) {
	case unary:
		e.of, err = replaced(e.of, by)
		return e, err
	case binary:
		if e.left, err = replaced(e.left, by); err != nil {
			return nil, err
		}
		e.right, err = replaced(e.right, by)
		return e, err
	case call:
		e.of = slices.Clone(e.of)
		for i := 0; err == nil && i < len(e.of); i++ {
			e.of[i], err = replaced(e.of[i], by)
		}
		return e, err
	}
	return by(e)
}

// scope returns the observations that can make the filter true, by its conditions on them alone, and whether it has such
// conditions.
func (f joinedFilter) scope(w *world) (r scope, narrowed bool) {
	r = w.scopeOf(nil, nil)
	whole := r
	for _, part := range conjuncts(f.expression) {
		if plain, alone := aboutObservation(part); alone {
			w.narrow(&r, plain)
		}
	}
	return r, !r.from.Equal(whole.from) || !r.to.Equal(whole.to) || r.stations != nil || r.quantities != nil
}

// aboutObservation returns an expression with paths that start at the observation; false when it refers to the entity
// too.
func aboutObservation(e expression) (plain expression, alone bool) {
	alone = true
	plain, _ = replaced(e, func(e expression) (expression, error) {
		switch e := e.(type) {
		case joined:
			return e.path, nil
		case path:
			alone = false
		}
		return e, nil
	})
	return plain, alone
}

// candidate is an entity that may match a joined filter.
type candidate struct {
	*entity
	seen, through bool
}

// admitJoined returns the entities that match a joined filter.
func (w *world) admitJoined(all []*entity, f joinedFilter) ([]*entity, error) {
	candidates := make([]*candidate, len(all))
	byID := map[string][]*candidate{} // of datastreams, or of features of interest
	r, narrowed := f.scope(w)
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
	w.joinPath = strings.Join(f.via, "/") + "/"
	defer func() { w.joinPath = "" }()
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

// admitsWith reports whether an entity matches a filter with a given observation, or with none.
func (w *world) admitsWith(e, o *entity, f joinedFilter) (bool, error) {
	w.joined = o
	defer func() { w.joined = nil }()
	return w.admits(e, f.expression)
}

// sources returns the datastreams or features of interest at the end of the links, without the last link, which leads to
// observations.
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

// limits are the stations and quantities whose observations are needed.
type limits struct {
	stations   []string
	quantities []quantity.Quantity
	every      bool // all quantities of the stations
}

func (l *limits) add(source *entity) {
	if !slices.Contains(l.stations, source.station.ID) {
		l.stations = append(l.stations, source.station.ID)
	}
	if l.every = l.every || source.kind == features; !l.every && !slices.Contains(l.quantities, source.quantity) {
		l.quantities = append(l.quantities, source.quantity)
	}
}

// maxNamed is the largest number of stations that a query of the store names; for more it reads all.
const maxNamed = 50

func (l *limits) apply(r *scope) {
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
