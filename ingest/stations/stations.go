// Package stations registers and manages stations over HTTP: the answer to a registration has tokens and settings to
// paste, and with a station's management token its owner may move, rename, pause and retire it.
//
// The stations themselves are in package registry. Their public document is made elsewhere: see Document.
package stations

import (
	"log/slog"
	"net/http"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

const (
	jsonType = "application/json"
	geoJSON  = "application/geo+json" // a feature (RFC 7946)
)

// Document makes the public document of a station, a GeoJSON feature. The description of the interface has its schema
// under the name Station.
type Document struct {
	Of     func(st *ingest.Station, now time.Time) any
	Schema openapi.Schema
}

// DocumentOf returns a Document that encodes the values of of with encoding/json.
func DocumentOf[T any](of func(st *ingest.Station, now time.Time) T) Document {
	return Document{func(st *ingest.Station, now time.Time) any { return of(st, now) }, openapi.SchemaOf(*new(T))}
}

// Service registers and manages stations over HTTP.
type Service struct {
	Notices Notices

	registry *registry.Registry
	keys     *Keys
	boundary *geo.Boundary
	access   kits.Access
	document Document
	log      *slog.Logger
}

// New returns a Service for the stations of a city within boundary. Empty hosts in access are replaced by those of each
// request.
func New(r *registry.Registry, keys *Keys, boundary *geo.Boundary, access kits.Access, document Document, log *slog.Logger) *Service {
	return &Service{registry: r, keys: keys, boundary: boundary, access: access, document: document, log: log}
}

// ID is the parameter that FromPath reads.
var ID = openapi.Parameter{Name: "id", About: bilingual.Of("the station’s id", "Kennung der Station")}

// FromPath returns the station that a request's path names. The error is a problem document with status 404.
func FromPath(r *http.Request, known *registry.Registry) (*ingest.Station, error) {
	given := r.PathValue("id")
	id, err := registry.ParseID(given)
	if err != nil {
		return nil, httpapi.New(http.StatusNotFound, "id", "%v", err).InGerman("%.80q ist keine Kennung einer Station: Fehlt ein Zeichen, oder ist eins vertippt?", given)
	}
	st, ok := known.Station(id)
	if !ok {
		return nil, notRegistered(id)
	}
	return st, nil
}
