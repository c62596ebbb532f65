package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/export/catalog"
	"stadtluft/export/feed"
	"stadtluft/export/live"
	"stadtluft/export/ogc"
	"stadtluft/export/sta"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/stations"
	"stadtluft/ingest/store"
)

// standardRoutes returns the routes of the packages that implement standards.
func (s *Server) standardRoutes() []openapi.Route {
	source := source{s}
	features := &ogc.Service{
		Source: source, City: s.City.Name, Bound: s.City.Boundary.Bound(), Resolution: s.City.Resolution, Districts: s.City.Districts, Base: s.Base, Log: s.Log,
	}
	sensors := &sta.Service{Source: source, Base: s.Base, Log: s.Log}
	feeds := &feed.Service{Source: source, City: s.City.Name, DayOffset: s.City.DayOffset, Base: s.Base, Log: s.Log}
	return slices.Concat(features.Routes(), sensors.Routes(), s.withTags(slices.Concat(s.catalogue().Routes(), feeds.Routes())))
}

// withTags adds ETags to routes that are requested often and seldom change.
func (s *Server) withTags(routes []openapi.Route) []openapi.Route {
	for i, route := range routes {
		routes[i].Handler = s.answer(s.tagged(func(w http.ResponseWriter, r *http.Request) error {
			route.Handler.ServeHTTP(w, r)
			return nil
		}))
	}
	return routes
}

// catalogue returns the catalogue for data portals and search engines.
func (s *Server) catalogue() *catalog.Service {
	pages := append(slices.Clone(publicPages), "/api")
	if s.Archive != nil {
		pages = append(pages, "/archive/")
	}
	return &catalog.Service{
		Source: source{s}, City: s.City.Name, Bound: s.City.Boundary.Bound(), Districts: len(s.City.Districts) > 0, Publisher: s.City.Publisher, Pages: pages, Base: s.Base, Log: s.Log,
	}
}

// archiveRoutes returns the archive's routes; none without an archive.
func (s *Server) archiveRoutes() []openapi.Route {
	if s.Archive == nil {
		return nil
	}
	return archive.Routes(http.HandlerFunc(s.getArchive))
}

// access returns how stations reach the city, as the sender of the request sees it.
func (s *Server) access(r *http.Request) kits.Access { return stations.AccessFor(r, s.City.Access) }

// Base returns the server's address as the sender of the request sees it.
func (s *Server) Base(r *http.Request) string {
	address := s.access(r).HTTP
	return address.String()
}

// source gives those packages their data, public data only.
type source struct{ s *Server }

func (o source) Days(ctx context.Context) ([]export.Day, error) {
	if o.s.Archive == nil {
		return nil, nil
	}
	return o.s.Archive.Published(ctx)
}

func (o source) Refusals(ctx context.Context, id string) ([]ingest.Refusal, error) {
	refusals, err := o.s.refusals(ctx, id)
	return ingest.Public(refusals), err
}

// refusals returns the last refusals of a station, with those that wait in the journal.
func (s *Server) refusals(ctx context.Context, id string) ([]ingest.Refusal, error) {
	if s.Flush != nil {
		s.Flush(ctx, time.Time{}, time.Time{}, []string{id})
	}
	return s.Registry.Refusals(ctx, id)
}

func (o source) Stations() []*ingest.Station { return o.s.Registry.Stations() }

func (o source) Station(id string) (*ingest.Station, bool) { return o.s.Registry.Station(id) }

func (o source) Meta(at time.Time) export.Meta { return o.s.meta(at) }

func (o source) Latest(id string, at time.Time) live.Station { return o.s.Live.Station(id, at) }

func (o source) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	return o.s.Store.Readings(ctx, q, yield)
}

func (o source) Hours(ctx context.Context, from, to time.Time, quantities []quantity.Quantity, yield func(aggregate.Row) error) error {
	return o.s.Store.Grid(ctx, store.GridQuery{From: from, To: to, Window: aggregate.Hour, Quantities: quantities, Size: o.s.City.Resolution}, yield)
}

func (o source) Areas(ctx context.Context, at time.Time) ([]export.Area, error) {
	at = at.Truncate(time.Second)
	return o.s.averages(ctx, gridQuery{window: aggregate.Live, from: at, to: at, resolution: o.s.City.Resolution}, at, o.s.areas)
}
