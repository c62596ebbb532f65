package server

import (
	"context"
	"net/http"

	"stadtluft/export/api"
	"stadtluft/export/metrics"
	"stadtluft/ingest/push"
)

// service adds the routes of a role to the HTTP interface of a process.
type service interface{ serve(s *api.Server) }

// openHTTP opens the HTTP address of a process and serves its state, its metrics, and services.
func openHTTP(b *base, h health, writes *metrics.Writes, services []service) (part, error) {
	site := &api.Server{Version: Version(), Problems: h.problems, Log: b.log, Proxies: b.config.proxies()}
	site.Metrics = metrics.Handler(writes, h.ready, func(ctx context.Context, c metrics.Collection) {
		h.measure(ctx, c)
		c.Counter("questions_refused_total", "Questions answered 503 because as many were being answered as may be at once.", site.WorkRefused())
	})
	if b.roles.has(webRole) {
		site.Deliveries = push.RoutesElsewhere(b.log) // unless the intake is in this process
	}
	for _, s := range services {
		s.serve(site)
	}
	handler := site.HandlerWithoutPages
	if b.roles.has(webRole) {
		handler = site.Handler
	}
	if b.held {
		handler = func() http.Handler { return unavailable(b, site.HandlerWithoutPages()) }
	}
	if b.config.HTTPTLSCert != "" {
		tls, err := serverTLS(b.config.HTTPTLSCert, b.config.HTTPTLSKey, b.log)
		if err != nil {
			return part{}, err
		}
		site.TLS = tls
	}
	listener, err := api.Listen(b.config.HTTPListen)
	if err != nil {
		return part{}, err
	}
	return part{name: "pages", run: func(ctx context.Context) error { return site.Serve(ctx, listener, handler()) }}, nil
}
