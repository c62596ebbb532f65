// Package catalog describes the city's data for data portals: DCAT-AP.de as Turtle and JSON-LD, a schema.org Dataset,
// robots.txt and a sitemap. It describes a dataset for each year, the series of the years, a dataset of current values,
// and the services that give access to them.
//
// The same data gives the same bytes. The package knows where other packages serve their documents and reads none of
// them.
package catalog

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// Source gives the catalogue its data.
type Source interface {
	export.Archive
	// Stations lists every registered station.
	Stations() []*ingest.Station
	// Meta returns the licence, the attribution and the time of a document made at a moment.
	Meta(at time.Time) export.Meta
}

// Publisher is the person or body responsible for the data.
type Publisher struct {
	Name        string
	URL         string         // may be empty
	Contact     string         // an e-mail address or a URL; may be empty
	Contributor string         // address of the portal's contributor, such as http://dcat-ap.de/def/contributors/openNRW
	Geocoding   string         // of the city in http://dcat-ap.de/def/politicalGeocoding/, such as districtKey/05315; may be empty
	Level       string         // in http://dcat-ap.de/def/politicalGeocoding/Level/, such as municipality; may be empty
	HVD         string         // category of the datasets in http://data.europa.eu/bna/, such as c_dd313021; empty: they are no high-value datasets
	DOIs        map[int]string // of the years, where the city registered them
}

// Service serves the catalogue of one city.
type Service struct {
	Source
	City      string
	Bound     orb.Bound // of the city, degrees
	Districts bool      // whether the city has districts
	Publisher Publisher
	Pages     []string                   // paths of the public pages
	Base      func(*http.Request) string // the server's address without a slash at its end
	Log       *slog.Logger
}

// Routes returns the routes of the catalogue's documents.
func (s *Service) Routes() []openapi.Route {
	return append(documents{s.Base, s.describe}.routes(s.Log),
		route(s.Log, "/catalog.schema.jsonld", "getCatalogSchemaOrg", s.schemaOrg, bilingual.Text{EN: "The dataset in schema.org’s words, for search engines.", DE: "Der Datensatz in den Worten von schema.org, für Suchmaschinen."}, openapi.Content{Type: jsonldType, Schema: datasetSchema}),
		route(s.Log, "/robots.txt", "getRobots", s.robots, bilingual.Text{EN: "What crawlers should leave alone.", DE: "Was Suchmaschinen auslassen sollen."}, openapi.Content{Type: "text/plain"}),
		route(s.Log, "/sitemap.xml", "getSitemap", s.sitemap, bilingual.Text{EN: "The pages and the archive’s days.", DE: "Die Seiten und die Tage des Archivs."}, openapi.Content{Type: "application/xml"}),
	)
}

func route(log *slog.Logger, path, id string, h httpapi.Handler, summary bilingual.Text, forms ...openapi.Content) openapi.Route {
	return openapi.Route{Method: "GET", Path: path, Handler: httpapi.With(log, nil, h), Group: "catalogue", ID: id, Summary: summary, Answers: []openapi.Answer{{Forms: forms}}}
}

// documents are the forms of a catalogue.
type documents struct {
	base     func(*http.Request) string
	describe func(ctx context.Context, base string, now time.Time) (*graph, error)
}

func (d documents) routes(log *slog.Logger) []openapi.Route {
	turtle, graph := openapi.Content{Type: turtleType}, openapi.Content{Type: jsonldType, Schema: graphSchema}
	dcat := bilingual.Text{EN: "What there is (DCAT-AP.de), in the form that Accept asks for.", DE: "Was es gibt (DCAT-AP.de), in der Form, um die Accept bittet."}
	return []openapi.Route{
		route(log, "/catalog", "getCatalog", d.negotiate, dcat, turtle, graph),
		route(log, "/catalog.ttl", "getCatalogTurtle", d.turtle, bilingual.Text{EN: "The same as Turtle.", DE: "Dasselbe als Turtle."}, turtle),
		route(log, "/catalog.jsonld", "getCatalogJSONLD", d.jsonld, bilingual.Text{EN: "The same as JSON-LD.", DE: "Dasselbe als JSON-LD."}, graph),
	}
}

const (
	turtleType = "text/turtle"
	jsonldType = "application/ld+json"
)

// negotiate answers in the format that the client accepts, Turtle by default.
func (d documents) negotiate(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", "Accept")
	if httpapi.Preferred(r.Header.Get("Accept"), turtleType, jsonldType, "application/json") == turtleType {
		return d.turtle(w, r)
	}
	return d.jsonld(w, r)
}

func (d documents) turtle(w http.ResponseWriter, r *http.Request) error {
	g, err := d.describe(r.Context(), d.base(r), time.Now().UTC())
	if err != nil {
		return err
	}
	return send(w, turtleType+"; charset=utf-8", g.turtle())
}

func (d documents) jsonld(w http.ResponseWriter, r *http.Request) error {
	g, err := d.describe(r.Context(), d.base(r), time.Now().UTC())
	if err != nil {
		return err
	}
	b, err := g.jsonld()
	if err != nil {
		return err
	}
	return send(w, jsonldType, b)
}

func (s *Service) schemaOrg(w http.ResponseWriter, r *http.Request) error {
	b, err := s.SchemaOrg(r.Context(), s.Base(r), time.Now().UTC())
	if err != nil {
		return err
	}
	return send(w, jsonldType, b)
}

func send(w http.ResponseWriter, mediaType string, b []byte) error {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-cache")
	_, err := w.Write(b)
	return err
}

// years returns the years with data, ascending, with the archived days of each.
func (s *Service) years(ctx context.Context, now time.Time) (list []year, err error) {
	days, err := s.Days(ctx)
	if err != nil {
		return nil, err
	}
	first := now.Year()
	for _, st := range s.Stations() {
		if st.Shown() {
			first = min(first, st.Places[0].From.Year(), st.Created.Year())
		}
	}
	if len(days) > 0 {
		first = min(first, days[0].Date.Year())
	}
	const earliest = 2000 // earlier than any reading
	for y := max(first, earliest); y <= now.Year(); y++ {
		list = append(list, year{number: y})
	}
	for _, d := range days {
		if i := d.Date.Year() - list[0].number; i >= 0 && i < len(list) {
			list[i].days = append(list[i].days, d)
		}
	}
	return list, nil
}

// year is a year and its archived days.
type year struct {
	number int
	days   []export.Day
}

// cited returns what a year is cited by.
func (s *Service) cited(y year, base string, meta export.Meta) export.Citation {
	return export.Citation{
		City: s.City, Publisher: cmp.Or(s.Publisher.Name, meta.Attribution), Year: y.number, Days: y.days, Licence: meta.Licence, DOI: s.Publisher.DOIs[y.number],
		URL: base + "/archive/" + strconv.Itoa(y.number) + "/",
	}
}

func (y year) start() time.Time { return time.Date(y.number, 1, 1, 0, 0, 0, 0, time.UTC) }

// end returns the year's last day.
func (y year) end() time.Time { return time.Date(y.number, 12, 31, 0, 0, 0, 0, time.UTC) }

// download returns the address of a year's readings.
func (y year) download() string {
	return fmt.Sprintf("/api/v1/readings?from=%s&to=%s&format=csv", y.start().Format(time.DateOnly), y.start().AddDate(1, 0, 0).Format(time.DateOnly))
}
