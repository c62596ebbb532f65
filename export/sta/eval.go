package sta

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/ingest/httpapi"
)

// several are the values of a path that leads through many entities. A condition on them is true when it is true for
// one.
type several []any

// check returns the errors of an expression about entities of a kind before it is evaluated.
func check(e expression, k *kind) error {
	switch e := e.(type) {
	case path:
		return checkPath(e, k)
	case joined:
		return checkPath(e.path, observations)
	case joinedFilter:
		return check(e.expression, k)
	case unary:
		return check(e.of, k)
	case binary:
		if err := check(e.left, k); err != nil {
			return err
		}
		return check(e.right, k)
	case call:
		f, known := functions[e.function]
		if !known {
			return unknownFunction(e)
		}
		if len(e.of) < f.least || len(e.of) > f.most {
			return mistake(e.at, "%s takes %s, not %d arguments", e.function, f.arguments(), len(e.of))
		}
		for _, of := range e.of {
			if err := check(of, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsupported returns an error for a part of the standard that this service does not support.
func unsupported(format string, args ...any) error {
	return httpapi.New(http.StatusNotImplemented, "", format, args...)
}

func checkPath(e path, k *kind) error {
	for i, name := range e.names {
		last := i == len(e.names)-1
		if isID(name) && last {
			return nil
		}
		if l, ok := k.link(name); ok {
			if l.to == observations {
				return unsupported("at character %d: a way from %s to Observations is not supported here; ask for the Observations, or order them in $expand", e.at+1, k.plural)
			}
			if last {
				return mistake(e.at, "%s are entities, not a value: name one of their properties behind a slash", name)
			}
			k = l.to
			continue
		}
		p, ok := k.property(name)
		if k.leavesOut(name) {
			return unsupported("at character %d: %s of %s is not told here; the standard lets it be absent", e.at+1, name, k.plural)
		}
		if !ok {
			return mistake(e.at, "%s have no %.60q; there are id, %s", k.plural, name, strings.Join(k.names(), ", "))
		}
		if !last && !p.open {
			return mistake(e.at, "%s of %s has no parts", name, k.plural)
		}
		return nil // parts of an open object may be missing
	}
	return nil
}

// names returns the names of a kind's properties and links.
func (k *kind) names() []string {
	var list []string
	for _, p := range schema[k].properties {
		list = append(list, p.name)
	}
	for _, l := range schema[k].links {
		list = append(list, l.name)
	}
	return list
}

// value evaluates an expression, which has been checked, for an entity.
func (w *world) value(e expression, of *entity) (any, error) {
	switch e := e.(type) {
	case literal:
		return e.value, nil
	case path:
		return w.along(e.names, of), nil
	case joined:
		if w.joined == nil {
			return nil, nil
		}
		return w.along(e.names, w.joined), nil
	case unary:
		return w.unary(e, of)
	case binary:
		return w.binary(e, of)
	case call:
		return w.call(e, of)
	}
	return nil, mistake(e.position(), "this cannot be worked out")
}

// along follows a path from an entity to values.
func (w *world) along(names []string, e *entity) any {
	name := names[0]
	if isID(name) {
		return e.id
	}
	if l, ok := e.kind.link(name); ok {
		var all several
		for _, next := range w.follow(e, l) {
			if v, many := w.along(names[1:], next).(several); many {
				all = append(all, v...)
			} else {
				all = append(all, w.along(names[1:], next))
			}
		}
		if !l.many && len(all) == 1 {
			return all[0]
		}
		return all
	}
	p, _ := e.kind.property(name) // checked
	v := p.of(w, e)
	if s, ok := v.(span); ok {
		return several{s.to, s.from}
	}
	for _, part := range names[1:] {
		v = partOf(v, part)
	}
	return v
}

// partOf returns a member of an object, or a geometry's type; nil when there is none.
func partOf(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[name]
	case orb.Geometry:
		if name == "type" {
			return v.GeoJSONType()
		}
	}
	return nil
}

func (w *world) unary(e unary, of *entity) (any, error) {
	v, err := w.value(e.of, of)
	if err != nil {
		return nil, err
	}
	if e.operator == "not" {
		b, ok := truth(v)
		if !ok {
			return nil, mistake(e.at, "not needs true or false behind it; put a comparison in parentheses")
		}
		return !b, nil
	}
	switch v := v.(type) {
	case float64:
		return -v, nil
	case time.Duration:
		return -v, nil
	case nil:
		return nil, nil
	}
	return nil, mistake(e.at, "a minus needs a number behind it")
}

// truth returns a value as a bool; nil is false.
func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case nil:
		return false, true
	case several:
		for _, one := range v {
			b, fine := truth(one)
			if !fine {
				return false, false
			}
			value = value || b
		}
		return value, true
	}
	return false, false
}

func (w *world) binary(e binary, of *entity) (any, error) {
	left, err := w.value(e.left, of)
	if err != nil {
		return nil, err
	}
	if e.operator == "and" || e.operator == "or" {
		return w.logic(e, left, of)
	}
	right, err := w.value(e.right, of)
	if err != nil {
		return nil, err
	}
	if many, ok := left.(several); ok {
		return each(many, func(v any) (any, error) { return calculate(e, v, right) })
	}
	if many, ok := right.(several); ok {
		return each(many, func(v any) (any, error) { return calculate(e, left, v) })
	}
	return calculate(e, left, right)
}

func (w *world) logic(e binary, left any, of *entity) (any, error) {
	a, ok := truth(left)
	if !ok {
		return nil, mistake(e.at, "what stands before %s is neither true nor false", e.operator)
	}
	if a == (e.operator == "or") {
		return a, nil
	}
	right, err := w.value(e.right, of)
	if err != nil {
		return nil, err
	}
	b, ok := truth(right)
	if !ok {
		return nil, mistake(e.at, "what stands behind %s is neither true nor false", e.operator)
	}
	return b, nil
}

func each(many several, f func(any) (any, error)) (any, error) {
	results := several{}
	for _, v := range many {
		r, err := f(v)
		if err != nil {
			return nil, err
		}
		if nested, ok := r.(several); ok {
			results = append(results, nested...)
			continue
		}
		results = append(results, r)
	}
	return results, nil
}

func calculate(e binary, left, right any) (any, error) {
	switch e.operator {
	case "eq", "ne", "gt", "ge", "lt", "le":
		return compared(e, left, right)
	}
	if left == nil || right == nil {
		return nil, nil
	}
	if a, ok := left.(float64); ok {
		if b, ok := right.(float64); ok {
			return arithmetic(e, a, b)
		}
	}
	return timeArithmetic(e, left, right)
}

func arithmetic(e binary, a, b float64) (any, error) {
	switch e.operator {
	case "add":
		return a + b, nil
	case "sub":
		return a - b, nil
	case "mul":
		return a * b, nil
	}
	if b == 0 {
		return nil, nil // as a value that is missing
	}
	if e.operator == "div" {
		return a / b, nil
	}
	return math.Mod(a, b), nil
}

func timeArithmetic(e binary, left, right any) (any, error) {
	sign := map[string]time.Duration{"add": 1, "sub": -1}[e.operator]
	d, isDuration := right.(time.Duration)
	switch a := left.(type) {
	case time.Time:
		if b, ok := right.(time.Time); ok && e.operator == "sub" {
			return a.Sub(b), nil
		}
		if isDuration && sign != 0 {
			return a.Add(sign * d), nil
		}
	case time.Duration:
		if isDuration && sign != 0 {
			return a + sign*d, nil
		}
	}
	return nil, mistake(e.at, "%s does not work on %s and %s", e.operator, typeName(left), typeName(right))
}

// compared compares two values of one type. nil equals nil; any other comparison with nil is false.
func compared(e binary, left, right any) (any, error) {
	if left == nil || right == nil {
		same := left == nil && right == nil
		return same && e.operator == "eq" || !same && e.operator == "ne", nil
	}
	order, ok := compare(left, right)
	if !ok {
		return nil, mistake(e.at, "%s cannot be compared with %s", typeName(left), typeName(right))
	}
	switch e.operator {
	case "eq":
		return order == 0, nil
	case "ne":
		return order != 0, nil
	case "gt":
		return order > 0, nil
	case "ge":
		return order >= 0, nil
	case "lt":
		return order < 0, nil
	}
	return order <= 0, nil
}

// typeName returns the name of a value's type for an error message.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	case orb.Geometry:
		return "a geometry"
	case interval:
		return "an interval"
	}
	return "an object"
}
