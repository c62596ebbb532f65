package server

import (
	"context"
	"crypto/tls"
	"net/http"
	"syscall"

	"stadtluft/export/api"
	"stadtluft/export/metrics"
	"stadtluft/ingest/push"
)

// service adds the routes of a role to the HTTP interface of a process.
type service interface{ serve(s *api.Server) }

// openHTTP opens the HTTP address of a process and serves its state, its metrics, and services.
func openHTTP(b *base, h health, writes *metrics.Writes, services []service) (part, error) {
	site := &api.Server{Version: Version(), Problems: h.problems, Log: b.log, Proxies: b.config.proxies()}
	requests := metrics.NewRequests()
	site.Metrics = metrics.Handler(writes, requests, h.ready, func(ctx context.Context, c metrics.Collection) {
		h.measure(ctx, c)
		c.Counter("questions_refused_total", "Questions answered 503 because as many were being answered as may be at once.", site.WorkRefused())
		b.config.measure(c)
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
		config, err := serverTLS(b.config.HTTPTLSCert, b.config.HTTPTLSKey, b.log)
		if err != nil {
			return part{}, err
		}
		site.TLS = config
	}
	listener, err := api.Listen(b.config.HTTPListen)
	if err != nil {
		return part{}, err
	}
	return part{name: "pages", run: func(ctx context.Context) error { return site.Serve(ctx, listener, requests.Of(handler())) }}, nil
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
