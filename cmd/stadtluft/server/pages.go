package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"stadtluft/export/api"
	"stadtluft/export/catalog"
	"stadtluft/export/web"
	"stadtluft/ingest/registry"
)

// startAdmin sets the administrator's token, or makes one and prints it.
func (s *server) startAdmin(ctx context.Context) error {
	made, err := s.registry.EnsureAdmin(ctx, s.config.AdminToken)
	if made != "" {
		fmt.Fprintf(s.out, "The administrator's token, shown only now: %s\n", made)
	}
	return err
}

// startPages furnishes the site with data and pages.
func (s *server) startPages(context.Context) error {
	s.site.City, s.site.FrameAncestors, s.site.Pages = s.city(), s.config.HTTPFrames, web.Files()
	s.site.Store, s.site.Archive, s.site.Registry = s.store, s.store.Archive, s.registry
	s.site.Aggregate, s.site.Recompute, s.site.Live = s.aggregate, s.averages.Rows, s.live
	s.site.AdminStatus, s.site.Backup, s.site.Data = s.adminStatus, s.backup, s.config.Data
	return nil
}

// startHTTP opens the HTTP address of a process.
func (s *server) startHTTP(context.Context) error {
	listener, err := api.Listen(s.config.HTTPListen)
	if err != nil {
		return err
	}
	if s.config.HTTPTLSCert != "" {
		if s.site.TLS, err = serverTLS(s.config.HTTPTLSCert, s.config.HTTPTLSKey, s.log); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	s.supervisor.start("pages", func(ctx context.Context) error { return s.site.Serve(ctx, listener) })
	return nil
}

func (s *server) city() api.City {
	c := api.City{
		Name: s.config.CityName, Zone: s.config.CityZone, Boundary: s.boundary, Sketch: s.config.CityBoundary == "",
		Resolution: int32(s.config.GridResolution), Licence: s.config.LicenceID, Attribution: s.config.LicenceAttribution, Corrected: s.config.Correction().String(),
		Publisher: catalog.Publisher{
			Name: s.config.PublisherName, URL: s.config.PublisherURL, Contact: s.config.CityContact, Contributor: s.config.CatalogContributor,
		},
		Policy: registry.Policy(s.config.Registration), Access: s.config.Access(),
		Contact: s.config.CityContact, Basemap: s.basemap, Districts: s.districts, People: s.people, DayOffset: s.config.DayOffset(), Rules: s.config.Quality, Correction: s.config.Correction(),
	}
	if s.broker != nil && s.config.MQTTBroker == "" && !c.Access.MQTTTLS {
		_, port, _ := net.SplitHostPort(s.broker.Addr()) // its own address
		c.Access.MQTTPort, _ = strconv.Atoi(port)
	}
	return c
}

// adminStatus is what the administrator sees.
func (s *server) adminStatus(ctx context.Context) (api.AdminStatus, error) {
	status := api.AdminStatus{Store: s.config.StoreKind}
	for _, setting := range settings(&s.config) {
		status.Settings = append(status.Settings, api.Setting{Key: setting.key, Value: setting.shown()})
	}
	if s.broker != nil {
		counts := s.broker.Counts()
		status.Connected, status.Refused, status.Denied = s.broker.Connected(), counts.Refused, counts.Publish+counts.Subscribe
	}
	stats, err := s.journal.Stats(ctx)
	status.Entries, status.Bytes, status.Unwritten, status.Lag, status.Undecodable = stats.Entries, stats.Bytes, stats.Unwritten, stats.Lag.Seconds(), stats.Undecodable
	return status, err
}
