package openapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
)

// Group is a heading of the description.
type Group struct {
	Name  string
	Title bilingual.Text
	About bilingual.Text
}

// Document describes a whole interface.
type Document struct {
	Title       string
	Version     string // of the program
	About       bilingual.Text
	Contact     map[string]string // name, url, email
	Licence     map[string]string // of the data: name, url
	Groups      []Group
	Routes      []Route
	Schemas     map[string]Schema
	LoginAbout  map[Login]bilingual.Text
	Problem     string // the name of the schema of problem documents
	ProblemType string // and their media type
}

// JSON returns the OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), in English. The same routes give the
// same bytes.
func (d Document) JSON() ([]byte, error) {
	tags := make([]any, len(d.Groups))
	for i, g := range d.Groups {
		tags[i] = map[string]any{"name": g.Name, "description": g.About.EN}
	}
	return json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": d.Title, "version": d.Version, "description": d.About.EN, "contact": d.Contact, "license": d.Licence,
		},
		"servers": []any{map[string]any{"url": "/", "description": "this server"}},
		"tags":    tags,
		"paths":   Paths(d.Routes, "en"),
		"components": map[string]any{
			"schemas": d.Schemas,
			"securitySchemes": map[string]any{
				string(Station): map[string]any{"type": "http", "scheme": "basic", "description": d.LoginAbout[Station].EN},
				string(Owner):   map[string]any{"type": "http", "scheme": "bearer", "description": d.LoginAbout[Owner].EN},
				string(Admin):   map[string]any{"type": "http", "scheme": "bearer", "description": d.LoginAbout[Admin].EN},
			},
			"responses": map[string]any{"Problem": map[string]any{
				"description": "What is wrong, where, and what to do (RFC 9457).",
				"content":     map[string]any{d.ProblemType: map[string]any{"schema": Ref(d.Problem)}},
			}},
		},
	}, "", " ")
}

// DocumentSchema returns the schema of OpenAPI documents.
func DocumentSchema() Schema {
	return Schema{"type": "object", "additionalProperties": true}.With("openapi", Schema{"type": "string"}).With("info", Schema{"type": "object"}).With("paths", Schema{"type": "object"})
}

// Paths returns the paths object of a document, in a language. It refers to a response named Problem.
func Paths(routes []Route, language string) map[string]any {
	paths := map[string]any{}
	for _, r := range routes {
		item, ok := paths[r.Address()].(map[string]any)
		if !ok {
			item = map[string]any{}
			paths[r.Address()] = item
		}
		item[strings.ToLower(r.Method)] = r.operation(language)
	}
	return paths
}

func (r Route) operation(language string) map[string]any {
	o := map[string]any{
		"operationId": r.ID, "tags": []string{r.Group}, "summary": r.Summary.In(language),
		"description": strings.TrimSpace(r.Summary.In(language) + " " + r.About.In(language)), "responses": r.responses(language),
	}
	if len(r.Parameters) > 0 {
		list := make([]any, len(r.Parameters))
		for i, p := range r.Parameters {
			list[i] = r.describe(p, language)
		}
		o["parameters"] = list
	}
	if len(r.Body) > 0 {
		o["requestBody"] = map[string]any{"required": true, "content": contents(r.Body)}
	}
	if r.Login != Anyone {
		o["security"] = []any{map[string]any{string(r.Login): []string{}}}
	}
	return o
}

func (r Route) responses(language string) map[string]any {
	all := map[string]any{"default": map[string]any{"$ref": "#/components/responses/Problem"}}
	for _, a := range r.Answers {
		status := a.Status
		if status == 0 {
			status = http.StatusOK
		}
		response := map[string]any{"description": cmp.Or(a.About.In(language), http.StatusText(status))}
		if len(a.Forms) > 0 {
			response["content"] = contents(a.Forms)
		}
		all[strconv.Itoa(status)] = response
	}
	return all
}

func contents(forms []Content) map[string]any {
	content := map[string]any{}
	for _, f := range forms {
		form := map[string]any{}
		if f.Schema != nil {
			form["schema"] = f.Schema
		}
		content[f.Type] = form
	}
	return content
}

func (r Route) describe(p Parameter, language string) map[string]any {
	o := map[string]any{"name": p.Name, "in": "query", "description": p.About.In(language), "schema": p.schema()}
	if r.inPath(p.Name) {
		o["in"], o["required"] = "path", true
	} else {
		o["style"], o["explode"] = "form", false
	}
	if p.Example != "" {
		o["example"] = p.example()
	}
	return o
}

func (p Parameter) example() any {
	switch p.Kind {
	case Integer:
		n, _ := strconv.Atoi(p.Example) // ours
		return n
	case List:
		return strings.Split(p.Example, ",")
	}
	return p.Example
}

// schema returns a parameter's schema. That of a Moment is a plain string: it may be a date, for which "date-time" is
// too narrow.
func (p Parameter) schema() Schema {
	s := Schema{"type": "string"}
	switch p.Kind {
	case Integer:
		s["type"], s["minimum"] = "integer", p.least()
		if p.Most > 0 {
			s["maximum"] = p.Most
		}
	case List:
		item := Schema{"type": "string"}
		if p.Choices != nil {
			item["enum"] = p.Choices
		}
		return Schema{"type": "array", "items": item, "maxItems": maxListed, "uniqueItems": true}
	case Numbers:
		var lengths []any
		for _, n := range p.Lengths {
			lengths = append(lengths, Schema{"minItems": n, "maxItems": n})
		}
		return Schema{"type": "array", "items": Schema{"type": "number"}, "oneOf": lengths}
	}
	if p.Choices != nil {
		s["enum"] = p.Choices
	}
	if p.Default == "" {
		return s
	}
	s["default"] = p.Default
	if n, err := strconv.Atoi(p.Default); err == nil && p.Kind == Integer {
		s["default"] = n
	}
	return s
}
