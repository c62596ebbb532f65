package ogc

import (
	"slices"
	"strconv"
	"strings"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// The parameters of the standard (/req/core/fc-limit-definition, fc-bbox-definition, fc-time-definition) and our own.
var (
	forms = []openapi.Parameter{
		{Name: "f", Choices: []string{"json", "html"}, About: bilingual.Text{
			EN: "form of the answer; without it the Accept header decides", DE: "Form der Antwort; sonst entscheidet die Kopfzeile Accept"}},
		{Name: "lang", Choices: httpapi.Languages(), About: bilingual.Text{
			EN: "language of titles and pages; without it the Accept-Language header decides", DE: "Sprache der Titel und Seiten; sonst entscheidet die Kopfzeile Accept-Language"}},
	}
	choosing = []openapi.Parameter{
		{Name: "limit", Kind: openapi.Integer, Default: strconv.Itoa(defaultLimit), Most: maxLimit, Capped: true, About: bilingual.Text{
			EN: "how many features a page holds at most; more than the maximum counts as the maximum", DE: "wie viele Objekte eine Seite höchstens hat; mehr als das Höchste zählt als das Höchste"}},
		{Name: "bbox", Kind: openapi.Numbers, Lengths: []int{4, 6}, About: bilingual.Text{
			EN: "only features that meet this box: west,south,east,north in degrees (WGS 84); west beyond east crosses the antimeridian", DE: "nur Objekte, die diesen Kasten berühren: West,Süd,Ost,Nord in Grad (WGS 84); West jenseits von Ost geht über die Datumsgrenze"}},
		{Name: "datetime", About: bilingual.Text{
			EN: "only features of this moment or interval (RFC 3339), such as 2026-05-01T00:00:00Z/..", DE: "nur Objekte dieses Zeitpunkts oder Zeitraums (RFC 3339), etwa 2026-05-01T00:00:00Z/.."}},
		{Name: "offset", Kind: openapi.Integer, Default: "0", FromZero: true, Most: maxCounted, About: bilingual.Text{
			EN: "how many features to leave out at the beginning, for clients that count; the link rel=next misses and repeats none while features come and go",
			DE: "wie viele Objekte am Anfang wegbleiben, für Programme, die zählen; der Verweis rel=next übergeht und wiederholt keins, während Objekte kommen und gehen"}},
		{Name: "after", About: bilingual.Text{
			EN: "the page behind the feature with this id; use the link rel=next", DE: "die Seite hinter dem Objekt mit dieser Kennung; nimm den Verweis rel=next"}},
	}
)

// The schemas of features (RFC 7946, and /req/core/fc-response).
var (
	featureSchema = openapi.Schema{"type": "object"}.With("type", openapi.Schema{"const": "Feature"}).With("id", openapi.Schema{"type": "string"}).
			With("geometry", openapi.Schema{"type": "object"}).With("properties", openapi.Schema{"type": "object"})
	pageSchema = openapi.SchemaOf(export.Envelope{}).With("type", openapi.Schema{"const": "FeatureCollection"}).With("timeStamp", openapi.Schema{"type": "string", "format": "date-time"}).
			May("numberMatched", openapi.Schema{"type": "integer"}).With("numberReturned", openapi.Schema{"type": "integer"}).
			With("links", openapi.SchemaOf([]link{})).With("features", openapi.ListOf(featureSchema))
)

// Routes returns all routes below Root.
func (s *Service) Routes() []openapi.Route {
	collection := openapi.Parameter{Name: "collection", Example: "stations", About: bilingual.Text{EN: "its id", DE: "ihre Kennung"}}
	routes := []openapi.Route{
		s.route("", "getFeatures", bilingual.Text{EN: "Where everything begins.", DE: "Wo alles beginnt."}, s.landing, jsonType, openapi.SchemaOf(landingPage{})),
		s.route("/conformance", "getConformance", bilingual.Text{EN: "What the service conforms to.", DE: "Wozu der Dienst konform ist."}, s.conformance, jsonType, openapi.SchemaOf(conformance{})),
		s.route("/api", "getFeaturesAPI", bilingual.Text{EN: "The definition of the service (OpenAPI 3.0).", DE: "Die Beschreibung des Dienstes (OpenAPI 3.0)."}, s.api, openAPIType, openapi.DocumentSchema()),
		s.route("/collections", "getCollections", bilingual.Text{EN: "The collections.", DE: "Die Sammlungen."}, s.listCollections, jsonType, openapi.SchemaOf(collections{})),
	}
	for _, c := range s.collections() {
		collection.Choices = append(collection.Choices, c.id)
		items := func(r *request) error { return s.items(r, c) }
		routes = append(routes, s.route("/collections/"+c.id+"/items", "getItems_"+strings.ReplaceAll(c.id, "-", "_"), bilingual.Text{EN: c.title.EN + ": a page of features.", DE: c.title.DE + ": eine Seite mit Objekten."},
			items, export.GeoJSON.MediaType(), pageSchema, slices.Concat(choosing, c.filters)...))
	}
	feature := openapi.Parameter{Name: "feature", About: bilingual.Text{EN: "its id", DE: "seine Kennung"}}
	style := s.route("/style.css", "getFeaturesStyle", bilingual.Text{EN: "How the pages look.", DE: "Wie die Seiten aussehen."}, s.style, "text/css", nil)
	style.Answers[0].Forms = style.Answers[0].Forms[:1]
	nothing := s.route("/", "", bilingual.Text{}, s.nothing, "", nil)
	nothing.Method, nothing.Free = "", true
	return append(routes,
		s.route("/collections/{collection}", "getCollection", bilingual.Text{EN: "A collection.", DE: "Eine Sammlung."}, s.describeCollection, jsonType, openapi.SchemaOf(description{}), collection),
		s.route("/collections/{collection}/items/{feature...}", "getItem", bilingual.Text{EN: "One feature.", DE: "Ein Objekt."}, s.item, export.GeoJSON.MediaType(), featureSchema.With("links", openapi.SchemaOf([]link{})), collection, feature),
		style, nothing)
}

// route returns a route that answers with a document and with a page.
func (s *Service) route(path, id string, summary bilingual.Text, h func(*request) error, mediaType string, schema openapi.Schema, parameters ...openapi.Parameter) openapi.Route {
	return openapi.Route{
		Method: "GET", Path: Root + path, Handler: httpapi.With(s.Log, nil, s.begin(h)), Group: "ogc", ID: id, Summary: summary, Parameters: slices.Concat(parameters, forms),
		Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: mediaType, Schema: schema}, {Type: htmlType}}}},
	}
}
