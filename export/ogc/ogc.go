// Package ogc publishes stations, their latest values, hourly grid averages and districts as OGC API - Features (OGC
// 17-069r4) at /ogc, for QGIS, GDAL and other clients of the standard. It holds the conformance classes core, oas30,
// geojson and html.
//
// It reads through Source and changes nothing. An answer holds at most maxLimit features. Hourly averages go back Days
// days; older ones are at /api/v1/grid and in the archive.
package ogc

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
)

// Root is the path of the service.
const Root = "/ogc"

// Days is the number of days whose hourly averages the service holds.
const Days = 7

// Source gives the service its data.
type Source interface {
	// Stations lists every registered station by id.
	Stations() []*ingest.Station
	// Latest returns a station's latest values at a moment.
	Latest(id string, at time.Time) live.Station
	// Hours yields the averages of the hours that start in from <= t < to, ascending by start, quantity and cell; of
	// every quantity when none is named.
	Hours(ctx context.Context, from, to time.Time, quantities []quantity.Quantity, yield func(aggregate.Row) error) error
	// Areas returns the live averages of the districts at a moment, in the order of Service.Districts.
	Areas(ctx context.Context, at time.Time) ([]export.Area, error)
	// Meta returns the licence, the attribution and the time of a document made at a moment.
	Meta(at time.Time) export.Meta
}

// Service is the service of one city.
type Service struct {
	Source
	City       string
	Bound      orb.Bound // of the city, degrees
	Resolution int32     // of the grid, metres
	Districts  []geo.District
	Base       func(*http.Request) string // the server's address without a slash at its end
	Log        *slog.Logger
}

// request is a request with the state that every handler needs.
type request struct {
	*http.Request
	w        http.ResponseWriter
	query    *httpapi.Query
	base     string // of the service
	city     string // its name
	now      time.Time
	html     bool
	language string
}

// begin parses the parameters that all requests have in common.
func (s *Service) begin(h func(*request) error) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q := &request{Request: r, w: w, city: s.City, query: httpapi.NewQuery(r), base: s.Base(r) + Root, now: time.Now().UTC()}
		q.negotiate()
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Vary", "Accept, Accept-Language")
		w.Header().Set("Content-Language", q.language)
		return h(q)
	}
}

// negotiate chooses format and language: the parameters f and lang decide, then what the client accepts.
func (r *request) negotiate() {
	const jsonType = "application/json"
	accepted := httpapi.Preferred(r.Header.Get("Accept"), jsonType, "application/geo+json", "text/html")
	otherwise := "json"
	if accepted == "text/html" {
		otherwise = "html"
	}
	r.html = cmp.Or(r.query.Text("f"), otherwise) == "html"
	r.language = cmp.Or(r.query.Text("lang"), httpapi.Language(r.Request))
}

// nothing answers 404; at an address with a slash at its end it answers with the landing page.
func (s *Service) nothing(r *request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		r.w.Header().Set("Allow", "GET, HEAD")
		return httpapi.New(http.StatusMethodNotAllowed, "", "this service can only be read: %.80s is not for %.80s", r.URL.Path, r.Method)
	}
	if r.URL.Path == Root+"/" {
		return s.landing(r)
	}
	return httpapi.New(http.StatusNotFound, "", "there is no %.80s; see %s", r.URL.Path, r.base)
}

// send answers with a document, as JSON or as the page that shows it.
func (r *request) send(mediaType string, document any, page page) error {
	if err := r.query.Done(); err != nil {
		return err
	}
	if r.html {
		return r.sendPage(page)
	}
	return httpapi.JSON(r.w, http.StatusOK, mediaType, document)
}
