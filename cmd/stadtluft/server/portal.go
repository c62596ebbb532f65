package server

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"stadtluft/export"
	"stadtluft/export/api"
	"stadtluft/export/catalog"
	"stadtluft/export/metrics"
	"stadtluft/export/portal"
	"stadtluft/export/web"
	"stadtluft/ingest/admin"
)

// newPortal returns the site of a process with several cities: each that it serves at its host name, and at all others the
// page of all cities and the state of the process.
func (p *process) newPortal(sites []*site) *site {
	b := &base{config: p.Config, log: p.Log, roles: p.roles}
	common := p.sup.health()
	s := newSite(b, report{state: func(ctx context.Context) admin.State { return stateOf(ctx, common, sites) }, measure: common.measure},
		counts{requests: metrics.NewRequests(p.Config.labels()...)}, nil)
	s.City.Access = p.Config.Access()
	handlers, sources := map[string]http.Handler{}, []metrics.Source{s.source}
	for _, city := range p.Config.Cities { // those of other processes
		handlers[hostOf(city.HTTPPublicURL)] = s.HandlerElsewhere(city.CityName)
	}
	for _, city := range sites {
		city.Beside(s.Server)
		handlers[hostOf(city.base.config.HTTPPublicURL)] = city.handler()
		sources = append(sources, city.source)
	}
	s.Metrics = metrics.Handler(sources...)
	rest := s.HandlerWithoutPages
	if b.roles.has(webRole) {
		all := p.portalOf(handlers)
		p.sup.start(part{name: "portal", run: all.Run})
		rest = func() http.Handler { return s.HandlerOfPortal(all.Routes(), p.catalogue(s.Server).Routes()) }
	}
	s.handler = func() http.Handler { return s.Hosts(handlers, s.source.Requests.Of(rest())) }
	return s
}

// stateOf returns the state of a process: it is ready when what its cities share is, and one of them. It asks the cities at once: a
// store that does not answer takes all the time that there is.
func stateOf(ctx context.Context, common health, cities []*site) admin.State {
	states := make([]admin.State, len(cities))
	var asked sync.WaitGroup
	for i, city := range cities {
		asked.Go(func() { states[i] = city.report.own(ctx) })
	}
	all := common.state(ctx)
	asked.Wait()
	for i, city := range cities {
		all.Add(city.base.config.ID, states[i])
	}
	some := slices.ContainsFunc(all.Cities, func(c admin.CityState) bool { return c.Ready })
	all.Ready = all.Ready && (some || len(cities) == 0)
	return all
}

// portalOf returns the page of all cities. It asks those of this process without the network.
func (p *process) portalOf(handlers map[string]http.Handler) *portal.Portal {
	own := inProcess{handlers: map[string]http.Handler{}}
	all := &portal.Portal{Name: p.Config.CityName, URL: strings.TrimSuffix(p.Config.HTTPPublicURL, "/"), Icon: http.FileServerFS(web.Files()), Log: p.Log}
	for _, city := range p.Config.Cities {
		all.Cities = append(all.Cities, portal.City{Name: city.CityName, URL: strings.TrimSuffix(city.HTTPPublicURL, "/")})
	}
	for _, city := range p.Config.served() {
		host := hostOf(city.HTTPPublicURL)
		own.handlers[host] = handlers[host]
	}
	all.Client = &http.Client{Transport: own}
	return all
}

// catalogue returns the catalogue that names each city's.
func (p *process) catalogue(s *api.Server) *catalog.Portal {
	c := p.Config
	all := &catalog.Portal{
		Name: c.CityName, Meta: export.Meta{Licence: c.LicenceID, Attribution: c.LicenceAttribution}, Base: s.Base, Log: p.Log,
		Publisher: catalog.Publisher{Name: c.PublisherName, URL: c.PublisherURL, Contact: c.CityContact},
	}
	for _, city := range c.Cities {
		all.Cities = append(all.Cities, catalog.PortalCity{Name: city.CityName, Base: strings.TrimSuffix(city.HTTPPublicURL, "/")})
	}
	return all
}

// inProcess sends requests for hosts that this process serves to their handlers, and all others over the network.
type inProcess struct{ handlers map[string]http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := t.handlers[api.HostName(r.URL.Host)]
	if handler == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Host, r.RemoteAddr, r.RequestURI = r.URL.Host, "127.0.0.1:0", r.URL.RequestURI()
	var answer recorder
	handler.ServeHTTP(&answer, r)
	status := cmp.Or(answer.status, http.StatusOK)
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.Header(), Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) WriteHeader(status int) { r.status = cmp.Or(r.status, status) }

func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
