package ogc

import (
	"slices"
	"strconv"
	"strings"

	"stadtluft/export"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// The parameters of the standard (/req/core/fc-limit-definition, fc-bbox-definition, fc-time-definition) and our own.
var (
	forms = []openapi.Parameter{
		{Name: "f", Choices: []string{"json", "html"}, About: openapi.Text{
			English: "form of the answer; without it the Accept header decides", German: "Form der Antwort; sonst entscheidet die Kopfzeile Accept"}},
		{Name: "lang", Choices: httpapi.Languages(), About: openapi.Text{
			English: "language of titles and pages; without it the Accept-Language header decides", German: "Sprache der Titel und Seiten; sonst entscheidet die Kopfzeile Accept-Language"}},
	}
	choosing = []openapi.Parameter{
		{Name: "limit", Kind: openapi.Integer, Default: strconv.Itoa(defaultLimit), Most: maxLimit, Capped: true, About: openapi.Text{
			English: "how many features a page holds at most; more than the maximum counts as the maximum", German: "wie viele Objekte eine Seite höchstens hat; mehr als das Höchste zählt als das Höchste"}},
		{Name: "bbox", Kind: openapi.Numbers, Lengths: []int{4, 6}, About: openapi.Text{
			English: "only features that meet this box: west,south,east,north in degrees (WGS 84); west beyond east crosses the antimeridian", German: "nur Objekte, die diesen Kasten berühren: West,Süd,Ost,Nord in Grad (WGS 84); West jenseits von Ost geht über die Datumsgrenze"}},
		{Name: "datetime", About: openapi.Text{
			English: "only features of this moment or interval (RFC 3339), such as 2026-05-01T00:00:00Z/..", German: "nur Objekte dieses Zeitpunkts oder Zeitraums (RFC 3339), etwa 2026-05-01T00:00:00Z/.."}},
		{Name: "offset", Kind: openapi.Integer, Default: "0", FromZero: true, Most: maxCounted, About: openapi.Text{
			English: "how many features to leave out at the beginning, for clients that count; the link rel=next misses and repeats none while features come and go",
			German:  "wie viele Objekte am Anfang wegbleiben, für Programme, die zählen; der Verweis rel=next übergeht und wiederholt keins, während Objekte kommen und gehen"}},
		{Name: "after", About: openapi.Text{
			English: "the page behind the feature with this id; use the link rel=next", German: "die Seite hinter dem Objekt mit dieser Kennung; nimm den Verweis rel=next"}},
	}
)

// What is sent of features (RFC 7946, and /req/core/fc-response).
var (
	featureSchema = openapi.Schema{"type": "object"}.With("type", openapi.Schema{"const": "Feature"}).With("id", openapi.Schema{"type": "string"}).
			With("geometry", openapi.Schema{"type": "object"}).With("properties", openapi.Schema{"type": "object"})
	pageSchema = openapi.SchemaOf(export.Envelope{}).With("type", openapi.Schema{"const": "FeatureCollection"}).With("timeStamp", openapi.Schema{"type": "string", "format": "date-time"}).
			May("numberMatched", openapi.Schema{"type": "integer"}).With("numberReturned", openapi.Schema{"type": "integer"}).
			With("links", openapi.SchemaOf([]link{})).With("features", openapi.ListOf(featureSchema))
)

// Routes are all addresses below Root.
func (s *Service) Routes() []openapi.Route {
	collection := openapi.Parameter{Name: "collection", Example: "stations", About: openapi.Text{English: "its id", German: "ihre Kennung"}}
	routes := []openapi.Route{
		s.route("", "getFeatures", openapi.Text{English: "Where everything begins.", German: "Wo alles beginnt."}, s.landing, jsonType, openapi.SchemaOf(landingPage{})),
		s.route("/conformance", "getConformance", openapi.Text{English: "What the service conforms to.", German: "Wozu der Dienst konform ist."}, s.conformance, jsonType, openapi.SchemaOf(conformance{})),
		s.route("/api", "getFeaturesAPI", openapi.Text{English: "The definition of the service (OpenAPI 3.0).", German: "Die Beschreibung des Dienstes (OpenAPI 3.0)."}, s.api, openAPIType, openapi.DocumentSchema()),
		s.route("/collections", "getCollections", openapi.Text{English: "The collections.", German: "Die Sammlungen."}, s.listCollections, jsonType, openapi.SchemaOf(collections{})),
	}
	for _, c := range s.collections() {
		collection.Choices = append(collection.Choices, c.id)
		items := func(r *request) error { return s.items(r, c) }
		routes = append(routes, s.route("/collections/"+c.id+"/items", "getItems_"+strings.ReplaceAll(c.id, "-", "_"), openapi.Text{English: c.title.English + ": a page of features.", German: c.title.German + ": eine Seite mit Objekten."},
			items, export.GeoJSON.MediaType(), pageSchema, slices.Concat(choosing, c.filters)...))
	}
	feature := openapi.Parameter{Name: "feature", About: openapi.Text{English: "its id", German: "seine Kennung"}}
	style := s.route("/style.css", "getFeaturesStyle", openapi.Text{English: "How the pages look.", German: "Wie die Seiten aussehen."}, s.style, "text/css", nil)
	style.Answers[0].Forms = style.Answers[0].Forms[:1]
	nothing := s.route("/", "", openapi.Text{}, s.nothing, "", nil)
	nothing.Method, nothing.Free = "", true
	return append(routes,
		s.route("/collections/{collection}", "getCollection", openapi.Text{English: "A collection.", German: "Eine Sammlung."}, s.describeCollection, jsonType, openapi.SchemaOf(description{}), collection),
		s.route("/collections/{collection}/items/{feature...}", "getItem", openapi.Text{English: "One feature.", German: "Ein Objekt."}, s.item, export.GeoJSON.MediaType(), featureSchema.With("links", openapi.SchemaOf([]link{})), collection, feature),
		style, nothing)
}

// route is an address that answers as a document and as a page.
func (s *Service) route(path, id string, summary openapi.Text, h func(*request) error, mediaType string, schema openapi.Schema, parameters ...openapi.Parameter) openapi.Route {
	return openapi.Route{
		Method: "GET", Path: Root + path, Handler: httpapi.With(s.Log, nil, s.begin(h)), Group: "ogc", ID: id, Summary: summary, Parameters: slices.Concat(parameters, forms),
		Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: mediaType, Schema: schema}, {Type: htmlType}}}},
	}
}
