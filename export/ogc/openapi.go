package ogc

import (
	"strings"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi/openapi"
)

// object is a JSON object of the API definition.
type object = map[string]any

// api answers with the definition of the service's routes (/req/oas30/oas-definition-2).
func (s *Service) api(r *request) error {
	title := bilingual.Of("The API: "+s.title().EN, "Die Schnittstelle: "+s.title().DE).In(r.language)
	routes, meta := s.described(), s.Meta(r.now)
	definition := object{
		"openapi": "3.0.3",
		"info": object{
			"title": title, "description": disclaimer.In(r.language), "version": "1.0.0",
			"contact": object{"name": meta.Attribution}, "license": object{"name": meta.Licence, "url": export.LicenceURL(meta.Licence)},
		},
		"servers":    []object{{"url": r.base}},
		"tags":       []object{{"name": "ogc", "description": s.title().In(r.language)}},
		"paths":      openapi.Paths(routes, r.language),
		"components": object{"responses": object{"Problem": problemResponse}},
	}
	shown := page{Title: title, Text: bilingual.Of("Every address below "+r.base+", with its parameters.", "Jede Adresse unterhalb von "+r.base+" mit ihren Parametern.").In(r.language), Links: r.both(r.base+"/api", openAPIType)}
	for _, route := range routes {
		var names []string
		for _, p := range route.Parameters {
			names = append(names, p.Name)
		}
		shown.Rows = append(shown.Rows, row{cell{Text: route.Address()}, cell{Text: route.Summary.In(r.language)}, cell{Text: strings.Join(names, ", ")}})
	}
	return r.send(openAPIType, definition, shown)
}

// described returns the routes relative to the service's own address, with schemas of OpenAPI 3.0.
func (s *Service) described() []openapi.Route {
	routes := openapi.Described(s.Routes())
	for i := range routes {
		if routes[i].Path = strings.TrimPrefix(routes[i].Path, Root); routes[i].Path == "" {
			routes[i].Path = "/"
		}
		for j, form := range routes[i].Answers[0].Forms {
			if form.Schema != nil {
				routes[i].Answers[0].Forms[j].Schema = form.Schema.For30()
			}
		}
	}
	return routes
}

var problemResponse = object{
	"description": "What is wrong, where, and what to do (RFC 9457)",
	"content": object{"application/problem+json": object{"schema": object{
		"type": "object", "required": []string{"type", "title", "status", "detail"},
		"properties": object{
			"type": word, "title": word, "status": object{"type": "integer"}, "detail": word, "field": word, "allowed": object{"type": "array", "items": word},
		},
	}}},
}

var word = object{"type": "string"}
