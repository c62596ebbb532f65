package sta

import (
	"net/http"
	"net/url"
	"strings"

	"stadtluft/ingest/httpapi"
)

// address is what a resource path names (OGC 18-088, section 9.2): a set of entities, one entity, a property of
// it, that property's plain value, or references alone.
type address struct {
	kind     *kind
	one      *entity // nil for a set
	of       *entity // whose related entities the set is; nil for all
	property string
	plain    bool // $value
	refs     bool // $ref
}

// resolve follows a path below the service's root.
func (w *world) resolve(escaped string) (address, error) {
	var a address
	segments := strings.Split(strings.Trim(escaped, "/"), "/")
	const most = 12
	if len(segments) > most {
		return a, httpapi.New(http.StatusNotFound, "", "the path has more than %d parts", most)
	}
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return a, httpapi.Wrong("", "the path cannot be read: %v", err)
		}
		if i == 0 {
			err = w.enter(&a, text)
		} else {
			err = w.step(&a, text)
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

// enter begins a path with a set.
func (w *world) enter(a *address, text string) error {
	name, key, keyed := cutKey(text)
	for _, k := range kinds {
		if k.plural == name {
			a.kind = k
			return w.pick(a, key, keyed)
		}
	}
	return w.nowhere(text)
}

func (w *world) nowhere(text string) error {
	p := httpapi.New(http.StatusNotFound, "", "there is no %.60q at %s", text, w.base)
	for _, k := range kinds {
		p.Allowed = append(p.Allowed, k.plural)
	}
	return p
}

// cutKey splits Things('x') into name and key.
func cutKey(text string) (name, key string, keyed bool) {
	name, key, keyed = strings.Cut(text, "(")
	return name, strings.TrimSuffix(key, ")"), keyed && strings.HasSuffix(key, ")")
}

// pick chooses the entity with a key.
func (w *world) pick(a *address, key string, keyed bool) error {
	if !keyed {
		return nil
	}
	id, quoted := strings.CutPrefix(key, "'")
	if quoted {
		id = strings.ReplaceAll(strings.TrimSuffix(id, "'"), "''", "'")
	}
	e, err := w.find(a.kind, id)
	if err != nil {
		return err
	}
	if e == nil || a.of != nil && !w.related(a.of, e) {
		p := httpapi.New(http.StatusNotFound, "", "there is no %s with the id %.60q", a.kind.singular, id)
		if !quoted {
			p.Detail += "; ids are texts in single quotes, as in @iot.selfLink"
		}
		return p
	}
	a.one, a.of = e, nil
	return nil
}

// related reports whether a link leads from one entity to another.
func (w *world) related(from, to *entity) bool {
	if to.kind == observations {
		return from.station == to.station && (from.kind == datastreams && from.quantity == to.quantity || from.kind == features && placeAt(to.station, to.at) == from.place)
	}
	for _, l := range schema[from.kind].links {
		if l.to != to.kind {
			continue
		}
		for _, e := range w.follow(from, l) {
			if e.id == to.id {
				return true
			}
		}
	}
	return false
}

// step resolves the next part of a path after a set or an entity.
func (w *world) step(a *address, text string) error {
	switch {
	case a.plain || a.refs:
		return httpapi.New(http.StatusNotFound, "", "nothing comes behind $value and $ref")
	case text == "$ref" && a.property == "":
		a.refs = true
		return nil
	case text == "$value" && a.property != "":
		a.plain = true
		return nil
	case a.one == nil || a.property != "":
		return httpapi.New(http.StatusNotFound, "", "there is no %.60q behind this", text)
	}
	name, key, keyed := cutKey(text)
	if l, ok := a.one.kind.link(name); ok {
		return w.linked(a, l, key, keyed)
	}
	if _, ok := a.one.kind.property(text); ok || isID(text) {
		a.property = text
		return nil
	}
	p := httpapi.New(http.StatusNotFound, "", "%s have no %.60q", a.one.kind.plural, text)
	p.Allowed = a.one.kind.names()
	return p
}

// linked follows a link from the current entity of a path.
func (w *world) linked(a *address, l link, key string, keyed bool) error {
	from := a.one
	a.kind, a.one, a.of = l.to, nil, from
	if l.many {
		return w.pick(a, key, keyed)
	}
	next := w.follow(from, l)
	if len(next) == 0 {
		return httpapi.New(http.StatusNotFound, "", "this %s has no %s", from.kind.singular, l.name)
	}
	a.one, a.of = next[0], nil
	return nil
}
