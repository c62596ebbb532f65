package sta

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/ingest/httpapi"
)

// appendList appends a page of entities as a JSON object with the entities in value.
func (w *world) appendList(b []byte, page list, address string, o options) ([]byte, error) {
	b = append(b, '{')
	if page.count >= 0 {
		b = append(strconv.AppendInt(append(b, `"@iot.count":`...), int64(page.count), 10), ',')
	}
	if next := o.next(page); next != "" {
		var err error
		if b, err = export.AppendJSON(append(b, `"@iot.nextLink":`...), address+"?"+next); err != nil {
			return b, err
		}
		b = append(b, ',')
	}
	values := w.appendEntities
	if o.dataArray {
		values = w.appendDataArray
	}
	b, err := values(append(b, `"value":`...), page.entities, o)
	return append(b, '}'), err
}

// next returns the query of the next page; empty when there is none.
func (o *options) next(page list) string {
	if !page.more || o.top == 0 {
		return ""
	}
	query := maps.Clone(o.written)
	delete(query, "$skip")
	if page.token != "" {
		query["$skiptoken"] = page.token
		delete(query, "$count") // it has been told
	} else {
		query["$skip"] = strconv.Itoa(o.skip + o.top)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		parts = append(parts, name+"="+url.QueryEscape(query[name]))
	}
	return strings.Join(parts, "&")
}

func (w *world) appendEntities(b []byte, entities []*entity, o options) ([]byte, error) {
	b = append(b, '[')
	for i, e := range entities {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = w.appendEntity(append(b, '\n'), e, o); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// appendEntity appends an entity with the members that the options select and expand.
func (w *world) appendEntity(b []byte, e *entity, o options) ([]byte, error) {
	if w.budget.entities--; w.budget.entities < 0 {
		return b, tooMany()
	}
	object := objectWriter{b: append(b, '{')}
	if o.wants("@iot.id") || o.wants("id") {
		object.add("@iot.id", e.id)
	}
	if o.wants("@iot.selfLink") {
		object.add("@iot.selfLink", w.selfLink(e))
	}
	for _, p := range schema[e.kind].properties {
		if v := p.of(w, e); o.wants(p.name) && (v != nil || !p.may) {
			object.add(p.name, v)
		}
	}
	for _, l := range schema[e.kind].links {
		if err := w.appendLink(&object, e, l, o); err != nil {
			return b, err
		}
	}
	return append(object.b, '}'), object.err
}

func tooMany() error {
	return httpapi.Wrong("$expand", "this answer could hold more than %d entities: use a smaller $top, also in the options of $expand", maxEntities)
}

// wants reports whether a member is selected.
func (o *options) wants(name string) bool { return o.chosen == nil || slices.Contains(o.chosen, name) }

// appendLink appends a link's address, or the expanded entities.
func (w *world) appendLink(object *objectWriter, e *entity, l link, o options) error {
	address := w.selfLink(e) + "/" + l.name
	i := slices.IndexFunc(o.expand, func(x expansion) bool { return x.link.name == l.name })
	if i < 0 {
		if o.wants(l.name) {
			object.add(l.name+"@iot.navigationLink", address)
		}
		return nil
	}
	within := o.expand[i].options
	page, err := w.entities(l.to, e, l, within)
	if err != nil {
		return err
	}
	if !l.many {
		return w.appendSingle(object, l, page, within)
	}
	if page.count >= 0 {
		object.add(l.name+"@iot.count", float64(page.count))
	}
	if next := within.next(page); next != "" {
		object.add(l.name+"@iot.nextLink", address+"?"+next)
	}
	object.name(l.name)
	object.b, err = w.appendEntities(object.b, page.entities, within)
	return err
}

func (w *world) appendSingle(object *objectWriter, l link, page list, o options) (err error) {
	object.name(l.name)
	if len(page.entities) == 0 {
		object.b = append(object.b, "null"...)
		return nil
	}
	object.b, err = w.appendEntity(object.b, page.entities[0], o)
	return err
}

// objectWriter appends members of a JSON object and remembers the first error.
type objectWriter struct {
	b    []byte
	more bool
	err  error
}

func (o *objectWriter) name(name string) {
	if o.more {
		o.b = append(o.b, ',')
	}
	o.more = true
	o.b = append(append(append(o.b, '"'), name...), `":`...) // names are ours
}

func (o *objectWriter) add(name string, value any) {
	o.name(name)
	var err error
	if o.b, err = appendValue(o.b, value); err != nil && o.err == nil {
		o.err = err
	}
}

func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case time.Time:
		return v.AppendFormat(b, `"`+time.RFC3339+`"`), nil
	case span:
		return append(append(append(b, '"'), v.String()...), '"'), nil
	case orb.Geometry:
		return export.AppendGeometry(b, v), nil
	}
	return export.AppendJSON(b, value)
}
