// Package openapi describes an HTTP interface. A Route is one method of one address: the server's mux, the check of a
// request's parameters, the OpenAPI 3.1 document and the page for people are all made from it, so they cannot contradict
// each other.
//
// A package that serves HTTP returns its routes as a list, and the server mounts it. The package knows no data and
// serves nothing by itself.
package openapi

import (
	"net/http"
	"slices"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
)

// Route is one method of one address. The zero value of everything but Path and Handler is allowed.
type Route struct {
	Method  string // GET answers HEAD too; a route without a method answers unknown paths, and is not described
	Path    string // a pattern of http.ServeMux, such as /api/v1/stations/{id}
	Handler http.Handler

	Group   string         // the name of one of the document's groups
	ID      string         // operationId: a name for generated clients
	Summary bilingual.Text // a line
	About   bilingual.Text // details

	Parameters []Parameter // those of the path have the names of its wildcards
	Free       bool        // unknown parameters are allowed, for firmware and monitors that add their own
	Body       []Content   // the accepted bodies; none when empty
	Answers    []Answer    // successful ones; problem documents are added to each route
	Login      Login
}

// Pattern returns the route's pattern for http.ServeMux.
func (r Route) Pattern() string { return strings.TrimSpace(r.Method + " " + r.Path) }

// Described returns the routes that are part of the description.
func Described(routes []Route) []Route {
	return slices.DeleteFunc(routes, func(r Route) bool { return r.Method == "" })
}

// Login is the authentication that a route needs.
type Login string

// All logins; the empty one needs none.
const (
	Anyone  Login = ""
	Station Login = "station" // HTTP Basic: a station's id and token
	Owner   Login = "owner"   // bearer: a station's management token, or the administrator's
	Admin   Login = "admin"   // bearer: the administrator's token
)

// Answer is a possible response.
type Answer struct {
	Status int // 0 means 200
	About  bilingual.Text
	Forms  []Content
}

// AnswerOf returns the answers of a route with one document in one format.
func AnswerOf(mediaType string, schema Schema) []Answer {
	return []Answer{{Forms: []Content{{Type: mediaType, Schema: schema}}}}
}

// Content is a document in one format.
type Content struct {
	Type   string // media type
	Schema Schema // nil means any
}

// Schema is a JSON Schema (2020-12), ready to be encoded.
type Schema map[string]any

// Ref returns a reference to one of the document's schemas.
func Ref(name string) Schema { return Schema{"$ref": "#/components/schemas/" + name} }

// Kind is the type of a parameter.
type Kind uint8

// The kinds.
const (
	Words Kind = iota
	Integer
	Moment  // RFC 3339, or a date
	List    // of words, separated by commas
	Numbers // separated by commas
)

// Parameter is a parameter in a request's path or query.
type Parameter struct {
	Name     string
	Kind     Kind
	About    bilingual.Text
	Choices  []string // all valid values, also of a List's items; nil means any
	Default  string   // the value when it is missing; empty means none
	Example  string
	Most     int   // the largest Integer; 0 means no limit
	Capped   bool  // a larger one counts as Most and is not an error
	FromZero bool  // the smallest Integer is 0, else 1
	Lengths  []int // how many Numbers there may be
}

// WithExamples returns the route with examples, by name, for the parameters of its path that have none.
func (r Route) WithExamples(examples map[string]string) Route {
	r.Parameters = slices.Clone(r.Parameters)
	for i, p := range r.Parameters {
		if r.inPath(p.Name) && p.Example == "" {
			r.Parameters[i].Example = examples[p.Name]
		}
	}
	return r
}

// inPath reports whether the route's path has a parameter.
func (r Route) inPath(name string) bool {
	return strings.Contains(r.Path, "{"+name+"}") || strings.Contains(r.Path, "{"+name+"...}")
}

// Address returns the route's path in OpenAPI's form, which has no wildcard for the rest of a path.
func (r Route) Address() string {
	return strings.ReplaceAll(strings.TrimSuffix(r.Path, "{$}"), "...}", "}")
}
