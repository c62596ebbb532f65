// Package stations registers stations over HTTP and lets people manage those they have: a registration is answered with tokens
// and settings to paste, and whoever holds a station's management token may move, rename, pause and retire it.
//
// The stations themselves are in package registry. How a station is shown to everyone is not decided here: see Document.
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

// Document makes what everyone may see of a station, a GeoJSON feature. The description of the interface has its schema under the
// name Station.
type Document struct {
	Of     func(st *ingest.Station, now time.Time) any
	Schema openapi.Schema
}

// DocumentOf returns a Document of values of T, as encoding/json writes them.
func DocumentOf[T any](of func(st *ingest.Station, now time.Time) T) Document {
	return Document{func(st *ingest.Station, now time.Time) any { return of(st, now) }, openapi.SchemaOf(*new(T))}
}

// Service answers those who register and manage stations.
type Service struct {
	registry *registry.Registry
	boundary *geo.Boundary
	access   kits.Access
	document Document
	log      *slog.Logger
}

// New returns a Service for the stations of a city within boundary. Hosts that access leaves empty are those of the request.
func New(r *registry.Registry, boundary *geo.Boundary, access kits.Access, document Document, log *slog.Logger) *Service {
	return &Service{r, boundary, access, document, log}
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
		return nil, httpapi.New(http.StatusNotFound, "id", "no station %s is registered", id).InGerman("Eine Station %s gibt es nicht.", id)
	}
	return st, nil
}
