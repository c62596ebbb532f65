package sta

import (
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
)

// scope is the range of observations that a query can concern, as the store is asked for it. The rest of the query is
// decided observation by observation.
type scope struct {
	from, to   time.Time           // from is included, to is not
	stations   []string            // empty for all
	quantities []quantity.Quantity // empty for all
}

// since is earlier than any reading.
var since = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// ahead is the largest time from now on that a reading may have, for clocks that are fast.
const ahead = time.Hour

// scopeOf returns the scope of the observations of an entity, or of all for nil, that match a filter.
func (w *world) scopeOf(of *entity, filter expression) scope {
	r := scope{from: since, to: w.now.Add(ahead)}
	if of != nil {
		r.stations = []string{of.station.ID}
	}
	if of != nil && of.kind == datastreams {
		r.quantities = []quantity.Quantity{of.quantity}
	}
	if of != nil && of.kind == features {
		r.period(of)
	}
	for _, part := range conjuncts(filter) {
		w.narrow(&r, part)
	}
	return r
}

// period limits a scope to the time in which a station stood at a place. The first place is valid for the time before it
// too.
func (r *scope) period(place *entity) {
	places := place.station.Places
	if place.place > 0 {
		r.from = places[place.place].From
	}
	if place.place+1 < len(places) {
		r.to = places[place.place+1].From
	}
}

// conjuncts returns the parts of an expression that must all be true.
func conjuncts(e expression) []expression {
	if b, ok := e.(binary); ok && b.operator == "and" {
		return append(conjuncts(b.left), conjuncts(b.right)...)
	}
	if e == nil {
		return nil
	}
	return []expression{e}
}

// mirrored are the operators with their sides exchanged.
var mirrored = map[string]string{"eq": "eq", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}

// narrow limits a scope by one part of a filter, when it compares a path with a constant.
func (w *world) narrow(r *scope, part expression) {
	if c, ok := part.(call); ok && c.function == "during" {
		r.during(c)
		return
	}
	b, ok := part.(binary)
	if !ok || mirrored[b.operator] == "" {
		return
	}
	p, left := b.left.(path)
	operator, other := b.operator, b.right
	if !left {
		if p, ok = b.right.(path); !ok {
			return
		}
		operator, other = mirrored[operator], b.left
	}
	if !fixed(other) {
		return
	}
	value, err := w.value(other, nil)
	if err != nil {
		return // the evaluation of the filter returns the error
	}
	r.limit(p, operator, value)
}

// fixed reports whether an expression is constant.
func fixed(e expression) bool {
	switch e := e.(type) {
	case literal:
		return true
	case unary:
		return fixed(e.of)
	case binary:
		return fixed(e.left) && fixed(e.right)
	case call:
		return !slices.ContainsFunc(e.of, func(of expression) bool { return !fixed(of) })
	}
	return false
}

func (r *scope) limit(p path, operator string, value any) {
	if isTime(p) {
		at, ok := value.(time.Time)
		if text, quoted := value.(string); quoted {
			var err error
			at, err = parseMoment(text)
			ok = err == nil
		}
		if ok {
			r.limitTime(operator, at)
		}
		return
	}
	id, ok := value.(string)
	if !ok || operator != "eq" || !isID(p.names[len(p.names)-1]) {
		return
	}
	switch links := p.names[:len(p.names)-1]; {
	case slices.Equal(links, []string{"Datastream", "Thing"}):
		r.stations = []string{id}
	case slices.Equal(links, []string{"Datastream", "ObservedProperty"}):
		if q, known := quantity.Parse(id); known {
			r.quantities = []quantity.Quantity{q}
		}
	}
}

// isTime reports whether a path is an observation's time.
func isTime(p path) bool {
	return len(p.names) == 1 && (p.names[0] == "phenomenonTime" || p.names[0] == "resultTime")
}

// during limits a scope to an interval.
func (r *scope) during(c call) {
	p, isPath := c.of[0].(path)
	l, isLiteral := c.of[1].(literal)
	if i, ok := l.value.(interval); ok && isPath && isLiteral && isTime(p) {
		r.limitTime("ge", i.from)
		r.limitTime("lt", i.to)
	}
}

// limitTime keeps whole seconds, which all times of observations are.
func (r *scope) limitTime(operator string, at time.Time) {
	after := at.Truncate(time.Second).Add(time.Second)
	if operator == "ge" || operator == "gt" || operator == "eq" {
		r.from = export.Later(r.from, at)
	}
	if operator == "le" || operator == "lt" || operator == "eq" {
		r.to = export.Earlier(r.to, after)
	}
}
