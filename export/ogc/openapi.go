package ogc

import (
	"maps"
	"slices"
	"strings"

	"stadtluft/export"
	"stadtluft/export/answer"
)

// object is a JSON object of the API definition.
type object = map[string]any

// api answers with the definition of the service's routes (/req/oas30/oas-definition-2).
func (s *Service) api(r *request) error {
	paths := s.paths(r.language)
	title := text{"The API: " + s.title().en, "Die Schnittstelle: " + s.title().de}.in(r.language)
	definition := object{
		"openapi": "3.0.3",
		"info":    object{"title": title, "description": notice.in(r.language), "version": "1.0.0", "license": object{"name": s.Meta(r.now).Licence, "url": export.LicenceURL(s.Meta(r.now).Licence)}},
		"servers": []object{{"url": r.base}},
		"paths":   paths,
		"components": object{
			"parameters": parameters(),
			"responses":  object{"problem": problemResponse},
			"schemas":    object{"problem": object{"type": "object", "required": []string{"type", "title", "status", "detail"}, "properties": object{"type": word(), "title": word(), "status": object{"type": "integer"}, "detail": word(), "field": word(), "allowed": object{"type": "array", "items": word()}}}},
		},
	}
	shown := page{Title: title, Text: text{"Every address below " + r.base + ", with its parameters.", "Jede Adresse unterhalb von " + r.base + " mit ihren Parametern."}.in(r.language), Links: r.both(r.base+"/api", openAPIType)}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		get := paths[path].(object)["get"].(object)
		names := []string{}
		for _, p := range get["parameters"].([]object) {
			names = append(names, strings.TrimPrefix(nameOf(p), "#/components/parameters/"))
		}
		shown.Rows = append(shown.Rows, row{cell{Text: path}, cell{Text: get["summary"].(string)}, cell{Text: strings.Join(names, ", ")}})
	}
	return r.send(openAPIType, definition, shown)
}

// nameOf is a parameter's name or what it refers to.
func nameOf(p object) string {
	if name, ok := p["name"].(string); ok {
		return name
	}
	reference, _ := p["$ref"].(string)
	return reference
}

func (s *Service) paths(language string) object {
	paths := object{
		"/":            get("landingPage", text{"Where everything begins", "Wo alles beginnt"}.in(language), jsonType, "f", "lang"),
		"/conformance": get("conformance", text{"What the service conforms to", "Wozu der Dienst konform ist"}.in(language), jsonType, "f", "lang"),
		"/api":         get("api", text{"This definition", "Diese Beschreibung"}.in(language), openAPIType, "f", "lang"),
		"/collections": get("collections", text{"The collections", "Die Sammlungen"}.in(language), jsonType, "f", "lang"),
	}
	for _, c := range s.collections() {
		name := strings.ReplaceAll(c.id, "-", "_")
		title := c.title.in(language)
		items := get("items_"+name, text{title + ": a page of features", title + ": eine Seite mit Objekten"}.in(language), export.GeoJSON.MediaType(), "limit", "bbox", "datetime", "after", "f", "lang")
		for _, f := range c.filters {
			parameter := object{"name": f.property, "in": "query", "required": false, "description": f.about.in(language), "schema": word()}
			if len(f.allowed) > 0 {
				parameter["schema"] = object{"type": "string", "enum": f.allowed}
			}
			operation := items["get"].(object)
			operation["parameters"] = append(operation["parameters"].([]object), parameter)
		}
		item := get("item_"+name, text{title + ": one feature", title + ": ein Objekt"}.in(language), export.GeoJSON.MediaType(), "f", "lang")
		operation := item["get"].(object)
		operation["parameters"] = append(operation["parameters"].([]object), object{"name": "featureId", "in": "path", "required": true, "schema": word()})
		paths["/collections/"+c.id] = get("collection_"+name, title, jsonType, "f", "lang")
		paths["/collections/"+c.id+"/items"] = items
		paths["/collections/"+c.id+"/items/{featureId}"] = item
	}
	return paths
}

// get describes an operation that answers as JSON and as a page.
func get(id, summary, mediaType string, names ...string) object {
	list := make([]object, len(names))
	for i, name := range names {
		list[i] = object{"$ref": "#/components/parameters/" + name}
	}
	schema := object{"schema": object{"type": "object"}}
	return object{"get": object{
		"operationId": id, "summary": summary, "parameters": list,
		"responses": object{
			"200": object{"description": summary, "content": object{mediaType: schema, htmlType: object{"schema": word()}}},
			"400": object{"$ref": "#/components/responses/problem"}, "404": object{"$ref": "#/components/responses/problem"},
			"503": object{"$ref": "#/components/responses/problem"},
		},
	}}
}

func word() object { return object{"type": "string"} }

var problemResponse = object{
	"description": "What is wrong, where, and what to do (RFC 9457)",
	"content":     object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/problem"}}},
}

// parameters are those of the standard (/req/core/fc-limit-definition, fc-bbox-definition, fc-time-definition) and
// our own.
func parameters() object {
	query := func(name, about string, schema object) object {
		return object{"name": name, "in": "query", "required": false, "style": "form", "explode": false, "description": about, "schema": schema}
	}
	return object{
		"limit": query("limit", "How many features a page holds at most; more than the maximum counts as the maximum.",
			object{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": defaultLimit}),
		"bbox": query("bbox", "Only features that meet this box: west, south, east, north in degrees (WGS 84); west beyond east crosses the antimeridian.",
			object{"type": "array", "oneOf": []object{{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}}, "items": object{"type": "number"}}),
		"datetime": query("datetime", "Only features of this moment or interval (RFC 3339), such as 2026-05-01T00:00:00Z/..", word()),
		"after":    query("after", "The page behind the feature with this id; use the link rel=next.", word()),
		"f":        query("f", "The form of the answer; without it, the Accept header decides.", object{"type": "string", "enum": []string{"json", "html"}}),
		"lang":     query("lang", "The language of titles and pages; without it, the Accept-Language header decides.", object{"type": "string", "enum": answer.Languages()}),
	}
}
