package answer

import (
	"net/url"
	"slices"
)

// Query reads a request's parameters and remembers the first mistake. Each parameter is read once; what
// nobody read is unknown.
type Query struct {
	values url.Values
	known  []string
	err    *Problem
}

// NewQuery reads values.
func NewQuery(values url.Values) *Query { return &Query{values: values} }

// Text is a parameter, or the default when it is missing or empty.
func (q *Query) Text(name, otherwise string) string {
	q.known = append(q.known, name)
	given := q.values[name]
	if len(given) > 1 {
		q.Fail(Wrong(name, "%s is given %d times", name, len(given)))
	}
	if len(given) == 0 || given[0] == "" {
		return otherwise
	}
	return given[0]
}

// Choice is a parameter that is one of those allowed.
func (q *Query) Choice(name, otherwise string, allowed ...string) string {
	value := q.Text(name, otherwise)
	if !slices.Contains(allowed, value) {
		q.Fail(WrongChoice(name, value, allowed))
	}
	return value
}

// Fail remembers a mistake.
func (q *Query) Fail(p *Problem) {
	if q.err == nil {
		q.err = p
	}
}

// Done is the first mistake. It must be called when every parameter has been read.
func (q *Query) Done() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			p := Wrong(Clip(name), "there is no parameter %q here", Clip(name))
			p.Allowed = q.known
			return p
		}
	}
	if q.err != nil {
		return q.err
	}
	return nil
}
