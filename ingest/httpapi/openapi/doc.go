// Package openapi holds what an HTTP interface says of itself. A Route is one address: the server's mux, the check
// of a request's parameters, the OpenAPI 3.1 document and the page for people are all made of it, so none of them can
// say something else than the others.
//
// A package that serves HTTP returns its routes as a list, and the server takes it in: that is all there is to do. The
// package knows no data and serves nothing by itself.
package openapi

import (
	"net/http"
	"slices"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
)

// Route is one method of one address. The zero value of everything but Path and Handler is allowed.
type Route struct {
	Method  string // GET answers HEAD too; without one the route says what is not there, and is not described
	Path    string // as http.ServeMux wants it, such as /api/v1/stations/{id}
	Handler http.Handler

	Group   string         // the name of one of the document's groups
	ID      string         // operationId: a name for generated clients
	Summary bilingual.Text // a line
	About   bilingual.Text // what else there is to know

	Parameters []Parameter // those of the path have their names in it
	Free       bool        // other parameters pass unread: firmware and monitors send what they like
	Body       []Content   // what can be sent; none when empty
	Answers    []Answer    // the good ones; problem documents are added to each route
	Login      Login
}

// Pattern is the route as http.ServeMux knows it.
func (r Route) Pattern() string { return strings.TrimSpace(r.Method + " " + r.Path) }

// Described are the routes that say what there is.
func Described(routes []Route) []Route {
	return slices.DeleteFunc(routes, func(r Route) bool { return r.Method == "" })
}

// Login says how a caller shows who it is.
type Login string

// The logins.
const (
	Anyone  Login = ""
	Station Login = "station" // HTTP Basic: a station's id and token
	Owner   Login = "owner"   // bearer: a station's management token, or the administrator's
	Admin   Login = "admin"   // bearer: the administrator's token
)

// Answer is what can come back.
type Answer struct {
	Status int // 0 is 200
	About  bilingual.Text
	Forms  []Content
}

// AnswerOf returns the answers of a route that has one, a document in one form.
func AnswerOf(mediaType string, schema Schema) []Answer {
	return []Answer{{Forms: []Content{{Type: mediaType, Schema: schema}}}}
}

// Content is a document in one form.
type Content struct {
	Type   string // media type
	Schema Schema // nil is any
}

// Schema is a JSON Schema (2020-12), ready to be encoded.
type Schema map[string]any

// Ref is one of the document's schemas.
func Ref(name string) Schema { return Schema{"$ref": "#/components/schemas/" + name} }

// Kind is what stands in a parameter.
type Kind uint8

// The kinds.
const (
	Words Kind = iota
	Integer
	Moment  // RFC 3339, or a date
	List    // of words, separated by commas
	Numbers // separated by commas
)

// Parameter is what a request may carry in its path or its query.
type Parameter struct {
	Name     string
	Kind     Kind
	About    bilingual.Text
	Choices  []string // all that may stand there, or in a List; nil is anything
	Default  string   // what counts when it is missing; empty is none
	Example  string
	Most     int   // the largest Integer; 0 is no bound
	Capped   bool  // a larger one counts as Most and is no mistake
	FromZero bool  // the smallest Integer is 0, else 1
	Lengths  []int // how many Numbers there may be
}

// WithExamples is the route whose parameters in the path, as far as they have no example, have these, by name.
func (r Route) WithExamples(examples map[string]string) Route {
	r.Parameters = slices.Clone(r.Parameters)
	for i, p := range r.Parameters {
		if r.inPath(p.Name) && p.Example == "" {
			r.Parameters[i].Example = examples[p.Name]
		}
	}
	return r
}

// inPath reports whether a parameter stands in the route's path.
func (r Route) inPath(name string) bool {
	return strings.Contains(r.Path, "{"+name+"}") || strings.Contains(r.Path, "{"+name+"...}")
}

// Address is the route's path in OpenAPI's words, which has no pattern for the rest of an address.
func (r Route) Address() string {
	return strings.ReplaceAll(strings.TrimSuffix(r.Path, "{$}"), "...}", "}")
}
