package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"stadtluft/ingest/httpapi/openapi"
)

// Mux is what routes are mounted on.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Mount serves routes. A request gets to its route when its query has only parameters of the route, with values that can
// be; else the answer names the mistake and what is allowed.
func Mount(mux Mux, routes []openapi.Route) {
	for _, route := range routes {
		mux.Handle(route.Pattern(), checked(route))
	}
}

// checked hands the writer on as it is, so that files can be sent by the kernel.
func checked(route openapi.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values, err := openapi.ParseQuery(r.URL.RawQuery)
		if err != nil {
			Wrong("", "the query cannot be read: %v", err).InGerman("Die Anfrage ist nicht lesbar: %v", err).write(w, r)
			return
		}
		if m := route.Check(values); m != nil {
			p := Wrong(fmt.Sprintf("%.80s", m.Field), "%s", m.Detail.EN).InGerman("%s", m.Detail.DE)
			p.Allowed = m.Allowed
			p.write(w, r)
			return
		}
		q := Query{Values: values, route: route}
		route.Handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), queryKey{}, q)))
	})
}

type queryKey struct{}

// Query reads a request's parameters, which have been checked against its route, and remembers the first mistake that
// only their meaning shows.
type Query struct {
	Values url.Values
	route  openapi.Route
	err    *Problem
}

// NewQuery is the query of a request to a route that was mounted here.
func NewQuery(r *http.Request) *Query {
	q, _ := r.Context().Value(queryKey{}).(Query)
	return &q
}

// Text is a parameter, or its default when it is missing or empty. A parameter that the route does not have is a
// mistake of ours that the first request shows.
func (q *Query) Text(name string) string {
	i := q.index(name)
	if i < 0 {
		panic(fmt.Sprintf("the route %s has no parameter %q", q.route.Pattern(), name))
	}
	if q.Given(name) {
		return q.Values.Get(name)
	}
	return q.route.Parameters[i].Default
}

// Has reports whether the route has a parameter at all.
func (q *Query) Has(name string) bool { return q.index(name) >= 0 }

func (q *Query) index(name string) int {
	return slices.IndexFunc(q.route.Parameters, func(p openapi.Parameter) bool { return p.Name == name })
}

// Given reports whether a parameter is there and not empty.
func (q *Query) Given(name string) bool { return q.Values.Get(name) != "" }

// Fail remembers a mistake.
func (q *Query) Fail(p *Problem) {
	if q.err == nil {
		q.err = p
	}
}

// Done is the first mistake.
func (q *Query) Done() error {
	if q.err != nil {
		return q.err
	}
	return nil
}
