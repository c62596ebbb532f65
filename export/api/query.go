package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/openapi"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
)

type routeKey struct{}

// checked lets a request through to its route when its query has only parameters of the route, with values that
// can be.
func (s *Server) checked(route openapi.Route) http.Handler {
	return s.answer(func(w http.ResponseWriter, r *http.Request) error {
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return wrong("", "the query cannot be read: %v", err)
		}
		if m := route.Check(values); m != nil {
			p := wrong(clip(m.Field), "%s", m.Detail)
			p.Allowed = m.Allowed
			return p
		}
		route.Handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), routeKey{}, route)))
		return nil
	})
}

// query reads a request's parameters, which have been checked against its route, and remembers the first mistake
// that only their meaning shows.
type query struct {
	values url.Values
	route  openapi.Route
	err    *problem
}

func newQuery(r *http.Request) *query {
	route, _ := r.Context().Value(routeKey{}).(openapi.Route)
	return &query{values: r.URL.Query(), route: route}
}

// text is a parameter, or its default when it is missing or empty. A parameter that the route does not have is a
// mistake of ours that the first request shows.
func (q *query) text(name string) string {
	i := slices.IndexFunc(q.route.Parameters, func(p openapi.Parameter) bool { return p.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("the route %s has no parameter %q", q.route.Pattern(), name))
	}
	if given := q.values.Get(name); given != "" {
		return given
	}
	return q.route.Parameters[i].Default
}

// has reports whether the route has a parameter at all.
func (q *query) has(name string) bool {
	return slices.ContainsFunc(q.route.Parameters, func(p openapi.Parameter) bool { return p.Name == name })
}

func (q *query) given(name string) bool { return q.values.Get(name) != "" }

func (q *query) fail(p *problem) {
	if q.err == nil {
		q.err = p
	}
}

// done is the first mistake.
func (q *query) done() error {
	if q.err != nil {
		return q.err
	}
	return nil
}

// list is a parameter of several values; none when it is missing.
func (q *query) list(name string) []string {
	text := q.text(name)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// number is a whole number; 0 when it is missing.
func (q *query) number(name string) int {
	n, _ := strconv.Atoi(q.text(name)) // checked
	return n
}

// format is the form of the answer, semicolons between the fields of CSV among it.
func (q *query) format() export.Format {
	format := export.Format(q.text("format"))
	if q.text("delimiter") != "semicolon" {
		return format
	}
	if format != export.CSV {
		q.fail(wrong("delimiter", "delimiter is for format=csv; this is %s", format))
	}
	return export.Semicolon
}

func (q *query) time(name string, otherwise time.Time) time.Time {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	t, err := export.ParseTime(text)
	if err != nil {
		q.fail(wrong(name, "%s: %v", name, err))
	}
	return t
}

// period is from and to; to is the second after now and from so much before to where they are missing.
func (q *query) period(now time.Time, length time.Duration) (from, to time.Time) {
	to = q.time("to", now.Truncate(time.Second).Add(time.Second))
	from = q.time("from", to.Add(-length))
	if q.err == nil && from.After(to) {
		q.fail(wrong("from", "from %s is after to %s", from.Format(time.RFC3339), to.Format(time.RFC3339)))
	}
	return from, to
}

// quantities are those asked for; none when all are.
func (q *query) quantities() []wire.Quantity {
	var list []wire.Quantity
	for _, name := range q.list("quantity") {
		quantity, _ := wire.ParseQuantity(name) // checked
		list = append(list, quantity)
	}
	return list
}

// within is whether a place is asked for, by bbox and district; nil when every place is.
func (q *query) within(s *Server) func(orb.Point) bool {
	box, boxed := q.bbox()
	district := ""
	if q.has("district") {
		district = q.text("district")
	}
	if !boxed && district == "" {
		return nil
	}
	return func(p orb.Point) bool {
		if boxed && !box.Contains(p) {
			return false
		}
		i := slices.IndexFunc(s.City.Districts, func(d geo.District) bool { return d.Name == district })
		return i < 0 || s.City.Districts[i].Contains(p)
	}
}

// bbox is west,south,east,north in degrees; false when it is missing.
func (q *query) bbox() (orb.Bound, bool) {
	text := q.text("bbox")
	if text == "" {
		return orb.Bound{}, false
	}
	parts := strings.Split(text, ",")
	var n [4]float64
	if len(parts) != 4 {
		q.fail(wrong("bbox", "bbox is west,south,east,north in degrees, not %q", clip(text)))
		return orb.Bound{}, false
	}
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(v) || math.Abs(v) > 180 {
			q.fail(wrong("bbox", "bbox: %q is not a number of degrees", clip(part)))
			return orb.Bound{}, false
		}
		n[i] = v
	}
	if n[0] > n[2] || n[1] > n[3] {
		q.fail(wrong("bbox", "bbox %s: west,south must not lie beyond east,north; are the corners swapped?", clip(text)))
	}
	return orb.Bound{Min: orb.Point{n[0], n[1]}, Max: orb.Point{n[2], n[3]}}, true
}
