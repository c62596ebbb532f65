package sta

import (
	"slices"
	"strings"

	"stadtluft/ingest/httpapi"
)

// list is a page of entities.
type list struct {
	entities []*entity
	count    int  // of all pages; -1 where it was not asked for
	more     bool // there is another page
	token    string
}

// entities returns a page of a set: all entities of a kind, or those that belong to one entity.
func (w *world) entities(k *kind, of *entity, l link, o options) (list, error) {
	if k == observations {
		return w.observationsOf(of, o)
	}
	if o.token != "" {
		return list{}, httpapi.Wrong("$skiptoken", "$skiptoken is for Observations: follow @iot.nextLink as it is")
	}
	all := w.all[k]
	if of != nil {
		all = w.follow(of, l)
	}
	all, err := w.admitted(all, o.filter)
	kept := &best{world: w, order: o.order}
	for i := 0; err == nil && i < len(all); i++ {
		err = kept.add(all[i])
	}
	if err != nil {
		return list{}, err
	}
	sorted := kept.sorted()
	page := list{count: -1}
	if o.count {
		page.count = len(sorted)
	}
	page.entities, page.more = slice(sorted, o.skip, o.top)
	return page, nil
}

// slice returns a page of a list and whether another page follows.
func slice(all []*entity, skip, top int) (page []*entity, more bool) {
	skip = min(skip, len(all))
	end := min(skip+top, len(all))
	return all[skip:end], end < len(all)
}

// admitted returns the entities that match a filter.
func (w *world) admitted(all []*entity, filter expression) (list []*entity, err error) {
	if f, speaksOfObservations := filter.(joinedFilter); speaksOfObservations {
		return w.admitJoined(all, f)
	}
	for _, e := range all {
		ok, err := w.admits(e, filter)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, e)
		}
	}
	return list, nil
}

// admits reports whether an entity matches a filter.
func (w *world) admits(e *entity, filter expression) (bool, error) {
	if filter == nil {
		return true, nil
	}
	v, err := w.value(filter, e)
	if err != nil {
		return false, located("$filter", err)
	}
	ok, fine := truth(v)
	if !fine {
		return false, located("$filter", mistake(filter.position(), "the filter is %s, not true or false", typeName(v)))
	}
	return ok, nil
}

// best sorts entities and keeps the first of them; 0 keeps all. Equal entities stay in the order of their ids.
type best struct {
	*world
	order []ordering
	most  int
	held  []ranked
}

type ranked struct {
	*entity
	keys []any
}

func (b *best) add(e *entity) error {
	r := ranked{e, make([]any, len(b.order))}
	for i, o := range b.order {
		v, err := b.value(o.by, e)
		if err != nil {
			return located("$orderby", err)
		}
		r.keys[i] = v
	}
	b.held = append(b.held, r)
	if b.most > 0 && len(b.held) >= 2*b.most {
		b.sort()
		b.held = b.held[:b.most]
	}
	return nil
}

func (b *best) sort() {
	slices.SortFunc(b.held, func(x, y ranked) int {
		for i, o := range b.order {
			if order := compareForOrder(x.keys[i], y.keys[i]); order != 0 {
				if o.down {
					return -order
				}
				return order
			}
		}
		return strings.Compare(x.id, y.id)
	})
}

func (b *best) sorted() []*entity {
	b.sort()
	list := make([]*entity, len(b.held))
	for i, r := range b.held {
		list[i] = r.entity
	}
	return list
}
