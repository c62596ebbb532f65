// Package api is the public HTTP interface: data as JSON, GeoJSON and CSV, the live stream, health, and the pages. It
// mounts the routes of other packages, describes all routes and sets the headers of all answers. Every error is answered
// with a problem document (RFC 9457) whose detail says what is wrong, where, and what to do.
//
// It reads the store, the aggregate and the live state and changes nothing itself. Answers are streamed; one that fails
// after its first byte ends the connection, so that nobody takes it for complete.
package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/export/basemap"
	"stadtluft/export/catalog"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
	"stadtluft/geo/places"
	"stadtluft/ingest"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/comparison"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
	"stadtluft/ingest/store"
)

const (
	readHeaderTime = 10 * time.Second
	idleTime       = 2 * time.Minute
	stopTime       = 10 * time.Second // for running requests
	maxHeaderBytes = 16 << 10
)

// City is the configuration of the city.
type City struct {
	Name        string
	Zone        string
	Boundary    *geo.Boundary
	Districts   []geo.District   // sorted by name
	People      map[geo.Cell]int // inhabitants of its cells of Resolution, where known; nil without a census table
	DayOffset   time.Duration    // a day begins at midnight UTC minus this
	Rules       quality.Rules
	Correction  quality.Correction
	Sketch      bool           // the boundary is approximate
	Places      []places.Place // in it and around it, the largest first
	GeoNames    bool           // whether the places are GeoNames', which must be named
	Water       []orb.Geometry // rivers and lakes
	Resolution  int32
	Index       airindex.Index // of headlines and of the map's colours
	Licence     string
	Attribution string
	Corrected   string // how particles are corrected for humidity, with its parameters, in a line
	Contact     string // an e-mail address or a URL; may be empty
	Basemap     basemap.Basemap
	Publisher   catalog.Publisher
	Policy      registry.Policy
	Access      kits.Access // how stations reach it; empty hosts are those of the request
}

// Server serves the API and the pages, or in a process that has neither the state of the process and deliveries.
type Server struct {
	City      City
	Version   string
	Store     store.Store
	Archive   *archive.Archive // nil for none
	Registry  *registry.Registry
	Aggregate *aggregate.Aggregate
	// Flush is journal.Journal.Flush; nil where nothing waits for the store. Store does so by itself.
	Flush func(ctx context.Context, from, to time.Time, stations []string)
	// Recompute computes the averages of an hour or day from stored readings, for resolutions that are not stored.
	Recompute   func(ctx context.Context, window aggregate.Window, start time.Time, size int32) ([]aggregate.Row, error)
	Live        *live.State
	Comparison  *comparison.Comparer                        // with official stations; nil for none
	Heard       func(station string) (ingest.Contact, bool) // nil in a process without the intake
	Deliveries  []openapi.Route                             // of package push: those of this process, or in one with pages those that name the process that accepts them
	MQTT        http.Handler                                // over WebSocket; nil where there is no embedded broker
	State       func(ctx context.Context) admin.State
	AdminStatus func(ctx context.Context) (admin.Status, error)
	Backup      admin.Backup
	Notices     stations.Notices
	Metrics     http.Handler
	Pages       fs.FS // the built web pages, with index.html at the root; empty when they are not built
	Log         *slog.Logger

	// FrameAncestors are the origins whose pages may embed those below /embed/, separated by spaces; "*" is any.
	FrameAncestors string

	TLS     *tls.Config     // nil serves without
	Proxies httpapi.Proxies // in front of the server

	city        export.Area   // without rows
	areas       []export.Area // the districts, without rows
	snapshots   snapshots
	changes     changes
	prepared    preparedAnswers
	work        work
	keys        *stations.Keys
	limits      *limits
	recomputing sync.Mutex // held while Recompute runs, so that it runs once at a time

	dayMeans      *closedDays[aggregate.StationWindow] // of single stations
	dayNeighbours *closedDays[neighbourMedian]
	dayAreas      *closedDays[export.AreaRow]
}

// handler answers a request or returns an error.
type handler func(w http.ResponseWriter, r *http.Request) error

// Handler returns the handler of the whole interface.
func (s *Server) Handler() http.Handler {
	s.city, s.areas, s.keys = s.City.Area(), s.City.districts(), stations.NewKeys(s.Registry)
	s.dayMeans = newClosedDays(func(m aggregate.StationWindow) time.Time { return m.Start })
	s.dayAreas = newClosedDays(func(a export.AreaRow) time.Time { return a.Start })
	s.dayNeighbours = newClosedDays(func(m neighbourMedian) time.Time { return m.start })
	mux := http.NewServeMux()
	s.mount(mux)
	s.mountMQTT(mux)
	return s.Proxies.Handler(s.guarded(mux))
}

// compress compresses answers of at least minCompressed bytes, except those that come compressed.
var compress = func() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.ExceptContentTypes([]string{"text/event-stream", "application/gzip", export.Parquet.MediaType()}), gzhttp.MinSize(minCompressed))
	if err != nil {
		panic(err) // its options are constants
	}
	return wrap
}()

// compressed returns routes whose data are compressed. Answers to what is sent are short and made for one, and those to a
// registration hold tokens beside the sender's words.
func compressed(routes []openapi.Route) []openapi.Route {
	for i, route := range routes {
		if _, itself := route.Handler.(*prepared); !itself && route.Method == http.MethodGet {
			routes[i].Handler = compress(route.Handler)
		}
	}
	return routes
}

// HandlerWithoutPages returns the handler of a process without pages: it needs only Version, State, Metrics, Log and Deliveries, and has
// the archive where there is one.
func (s *Server) HandlerWithoutPages() http.Handler {
	mux := http.NewServeMux()
	mountOpenly(mux, s.stateRoutes())
	mountOpenly(mux, s.Deliveries)
	mountOpenly(mux, s.archiveRoutes())
	s.mountMQTT(mux)
	mux.Handle("/", s.answer(s.elsewhere))
	return s.Proxies.Handler(s.guarded(mux))
}

// mqttRoute is where dashboards in browsers speak MQTT.
const mqttRoute = "/mqtt"

func (s *Server) mountMQTT(mux *http.ServeMux) {
	if s.MQTT != nil {
		mux.Handle("GET "+mqttRoute, s.MQTT)
	}
}

// elsewhere answers 404 to requests that only a process with the pages can answer.
func (s *Server) elsewhere(_ http.ResponseWriter, r *http.Request) error {
	return newProblem(http.StatusNotFound, "", "%.80s is not served by this process: ask the one that has the role web", r.URL.Path).
		InGerman("Dieser Prozess beantwortet %.80s nicht: Frage den mit der Rolle web.", r.URL.Path)
}

// mount adds all routes. Files of the archive and of the basemap are sent unchanged.
func (s *Server) mount(mux httpapi.Mux) {
	mountOpenly(mux, s.bounded(compressed(s.routes())))
	mountOpenly(mux, s.archiveRoutes())
	if s.City.Basemap.Tiles != nil {
		mux.Handle("GET "+basemap.Route, s.City.Basemap.Tiles)
	}
	mux.Handle("/api/", s.answer(s.noRoute))
	for _, pattern := range pagePatterns {
		mux.Handle("GET "+pattern, compress(s.answer(s.getPage)))
	}
	mux.Handle("/", compress(s.answer(s.getFile)))
}

// mountOpenly mounts routes, and allows scripts of other sites to use them as preflight says.
func mountOpenly(mux httpapi.Mux, routes []openapi.Route) {
	httpapi.Mount(mux, routes)
	methods := map[string][]string{}
	for _, route := range routes {
		if route.Method != "" {
			methods[route.Path] = append(methods[route.Path], route.Method)
		}
	}
	for path, list := range methods {
		mux.Handle("OPTIONS "+path, preflight(list))
	}
}

// meta returns the licence and attribution of a document with data of all stations.
func (s *Server) meta(at time.Time) export.Meta {
	return s.metaOf(at, s.Registry.Stations())
}

// metaOf returns the licence and attribution of a document with these stations' data.
func (s *Server) metaOf(at time.Time, stations []*ingest.Station) export.Meta {
	meta := s.source().Meta(stations)
	meta.Generated = at.UTC()
	return meta
}

// contentPolicy returns a policy that allows data and images from one other origin at most, no inline scripts, and the
// given ancestors as frames.
func contentPolicy(ancestors, elsewhere string) string {
	if elsewhere != "" {
		elsewhere = " " + elsewhere
	}
	return "default-src 'self'; connect-src 'self'" + elsewhere + "; img-src 'self' data: blob:" + elsewhere + "; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors " + ancestors
}

const (
	// exposed are the headers of an answer that scripts of other sites may read.
	exposed = "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Last-Modified, Link"
	// asked are the headers that they may send, beside those that are always allowed.
	asked = "Accept, If-Modified-Since, If-None-Match, If-Range, Range"
	// preflightAge is how long a browser may cache the answer, in seconds.
	preflightAge = "86400"
)

// preflight answers browsers' preflight requests: everyone may read; methods that change something are for our own pages
// and for programs.
func preflight(methods []string) http.Handler {
	methods = append(slices.Clone(methods), http.MethodOptions)
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Allow", strings.Join(methods, ", "))
		if slices.Contains(methods, http.MethodGet) {
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Access-Control-Allow-Methods", "GET, HEAD")
			h.Set("Access-Control-Allow-Headers", asked)
			h.Set("Access-Control-Max-Age", preflightAge)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// Listen opens the address. When it is in use the error says what to do.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: set http.listen or stop the other server", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	return l, nil
}

// Serve answers requests on l with one of the handlers of s until ctx ends. Then it ends streams, and lets running requests finish within stopTime.
func (s *Server) Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	defer context.AfterFunc(ctx, s.limits.stop)()
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context { return requests }, ConnContext: withConn, ConnState: s.limits.waiting.changed,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	l = joiningListener{l}
	go func() {
		if s.TLS != nil {
			server.TLSConfig = s.TLS
			served <- server.ServeTLS(l, "", "")
			return
		}
		served <- server.Serve(l)
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		cut()
		server.Close()
	}
	<-served
	return nil
}
