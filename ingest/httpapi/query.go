package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"stadtluft/ingest/httpapi/openapi"
)

// Mux mounts handlers; http.ServeMux is one.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Mount serves routes. A request reaches its route when its query has only known parameters with valid values; else the
// answer names the mistake and the valid values.
func Mount(mux Mux, routes []openapi.Route) {
	for _, route := range routes {
		mux.Handle(route.Pattern(), checked(route))
	}
}

// checked passes the writer on unwrapped, so that the kernel can send files.
func checked(route openapi.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values, err := openapi.ParseQuery(r.URL.RawQuery)
		if err != nil {
			Wrong("", "the query cannot be read: %v", err).InGerman("Die Anfrage ist nicht lesbar: %v", err).Write(w, r)
			return
		}
		if m := route.Check(values); m != nil {
			p := Wrong(fmt.Sprintf("%.80s", m.Field), "%s", m.Detail.EN).InGerman("%s", m.Detail.DE)
			p.Allowed = m.Allowed
			p.Write(w, r)
			return
		}
		q := Query{Values: values, route: route}
		route.Handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), queryKey{}, q)))
	})
}

type queryKey struct{}

// Query parses a request's parameters, which have been checked against its route, and keeps the first error of their
// values.
type Query struct {
	Values url.Values
	route  openapi.Route
	err    *Problem
}

// NewQuery returns the query of a request to a mounted route.
func NewQuery(r *http.Request) *Query {
	q, _ := r.Context().Value(queryKey{}).(Query)
	return &q
}

// Text returns a parameter, or its default when it is missing or empty. It panics when the route does not declare the
// parameter.
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

// Has reports whether the route declares a parameter.
func (q *Query) Has(name string) bool { return q.index(name) >= 0 }

func (q *Query) index(name string) int {
	return slices.IndexFunc(q.route.Parameters, func(p openapi.Parameter) bool { return p.Name == name })
}

// Given reports whether a parameter is present and not empty.
func (q *Query) Given(name string) bool { return q.Values.Get(name) != "" }

// Fail keeps the problem if it is the first.
func (q *Query) Fail(p *Problem) {
	if q.err == nil {
		q.err = p
	}
}

// Done returns the first problem; nil when there is none.
func (q *Query) Done() error {
	if q.err != nil {
		return q.err
	}
	return nil
}
