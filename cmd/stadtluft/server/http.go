package server

import (
	"context"
	"crypto/tls"
	"net/http"
	"syscall"

	"stadtluft/export/api"
	"stadtluft/export/metrics"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/push"
)

// service adds the routes of a role to the HTTP interface of a process.
type service interface{ serve(s *api.Server) }

// site is what a process serves at one host name: a city, or with several the page of all.
type site struct {
	*api.Server
	base    *base
	sup     *supervisor // of a city's parts
	report  report
	source  metrics.Source
	handler func() http.Handler
}

// report is what a site says of its parts.
type report struct {
	state   func(context.Context) admin.State
	own     func(context.Context) admin.State // of a city without what it shares
	measure func(context.Context, metrics.Collection)
}

// newCity returns the site of a city that has started.
func newCity(b *base, sup *supervisor, counts counts, services []service) *site {
	all := sup.health()
	s := newSite(b, report{all.state, sup.own().state, all.measure}, counts, services)
	s.sup = sup
	return s
}

// newSite returns the state and the services of a city.
func newSite(b *base, r report, counts counts, services []service) *site {
	s := &site{base: b, report: r, Server: &api.Server{Version: Version(), State: r.state, Log: b.log, Proxies: b.config.proxies()}}
	s.source = metrics.Source{
		Labels: b.config.labels(), Writes: counts.writes, Requests: counts.requests, Ready: func(ctx context.Context) bool { return r.state(ctx).Ready },
		Collect: func(ctx context.Context, c metrics.Collection) {
			r.measure(ctx, c)
			c.Counter("questions_refused_total", "Questions answered 503 because as many were being answered as may be at once.", s.WorkRefused())
			b.config.measure(c)
		},
	}
	s.Metrics = metrics.Handler(s.source)
	if b.roles.has(webRole) {
		s.Deliveries = push.RoutesElsewhere(b.log) // unless the intake is in this process
	}
	for _, one := range services {
		one.serve(s.Server)
	}
	answers := s.HandlerWithoutPages
	if b.roles.has(webRole) {
		answers = s.Handler
	}
	if b.held {
		answers = func() http.Handler { return unavailable(b, s.HandlerWithoutPages(), noRegistry) }
	}
	s.handler = func() http.Handler { return s.source.Requests.Of(answers()) }
	return s
}

// openHTTP opens the HTTP address and serves the sites there. It returns the address for people.
func (p *process) openHTTP(sites []*site) (address string, err error) {
	var front *site
	if p.Config.several() {
		front = p.newPortal(sites)
	} else {
		front = sites[0]
	}
	c := p.Config
	if c.HTTPTLSCert != "" {
		if front.TLS, err = serverTLS(c.HTTPTLSCert, c.HTTPTLSKey, p.Log); err != nil {
			return "", err
		}
	}
	listener, err := api.Listen(c.HTTPListen)
	if err != nil {
		return "", err
	}
	handler := front.handler()
	p.sup.start(part{name: "pages", run: func(ctx context.Context) error { return front.Serve(ctx, listener, handler) }})
	return c.address(), nil
}

// measure adds what the configuration names: the version, the room where the data folder lies, and when certificates end.
func (c *Config) measure(to metrics.Collection) {
	to.Gauge("build_info", "1, with the version of the program.", 1, "version", Version())
	var disk syscall.Statfs_t
	if syscall.Statfs(c.Data, &disk) == nil {
		to.Gauge("disk_free_bytes", "Free space where the data folder lies.", float64(disk.Bavail)*float64(disk.Bsize))
		to.Gauge("disk_bytes", "Size of the disk where the data folder lies.", float64(disk.Blocks)*float64(disk.Bsize))
	}
	for _, key := range []struct{ of, cert, key string }{{"http", c.HTTPTLSCert, c.HTTPTLSKey}, {"mqtt", c.MQTTTLSCert, c.MQTTTLSKey}} {
		if pair, err := tls.LoadX509KeyPair(key.cert, key.key); key.cert != "" && err == nil {
			to.Gauge("certificate_end_timestamp_seconds", "When a certificate ends, in Unix seconds.", float64(pair.Leaf.NotAfter.Unix()), "of", key.of)
		}
	}
}
