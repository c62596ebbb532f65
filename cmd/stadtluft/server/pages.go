package server

import (
	"context"
	"errors"

	"stadtluft/export/api"
	"stadtluft/export/catalog"
	"stadtluft/export/web"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/registry"
)

// pages serve the API and the web pages of a process with the role web.
type pages struct {
	*base
	memory   *memory
	backups  backups
	settings []admin.Setting
	health   health
}

func newPages(b *base, m *memory, settings []admin.Setting, h health) *pages {
	return &pages{base: b, memory: m, backups: newBackups(b), settings: settings, health: h}
}

// serve adds the API and the pages to the server.
func (p *pages) serve(s *api.Server) {
	s.City, s.FrameAncestors, s.Pages = apiCity(p.base), p.config.HTTPFrames, web.Files()
	s.Store, s.Archive, s.Registry, s.Flush = p.storage, p.storage.Archive, p.registry, p.journal.Flush
	s.Aggregate, s.Recompute, s.Live = p.memory.aggregate, p.memory.averages.Rows, p.memory.live
	s.Notices, s.Comparison = p.config.offeredNotices(), p.memory.comparer
	s.AdminStatus, s.Backup = p.adminStatus, p.backups.open
}

// adminStatus returns the status for the administrator. After an error it has the status of the other parts.
func (p *pages) adminStatus(ctx context.Context) (admin.Status, error) {
	i := admin.Status{Store: p.config.StoreKind, Settings: p.settings}
	if err := p.health.status(ctx, &i); err != nil {
		return i, errors.New(Mask(err.Error()))
	}
	return i, nil
}

// apiCity returns the city's configuration for the API.
func apiCity(b *base) api.City {
	c := b.config
	return api.City{
		Name: c.CityName, Zone: c.CityZone, Boundary: b.city.boundary, Sketch: c.sketched(), Places: b.city.places, GeoNames: c.CityPlaces == "" && !c.sketched() && len(b.city.places) > 0, Water: b.city.water,
		Resolution: int32(c.GridResolution), Licence: c.LicenceID, Attribution: c.LicenceAttribution, Corrected: c.Corrected(),
		Publisher: catalog.Publisher{
			Name: c.PublisherName, URL: c.PublisherURL, Contact: c.CityContact, Contributor: c.CatalogContributor,
			Geocoding: c.CatalogGeocoding, Level: c.CatalogLevel, HVD: c.CatalogHVD, DOIs: c.dois(),
		},
		Index: indices[c.Index], Policy: registry.Policy(c.Registration), Access: c.Access(),
		Contact: c.CityContact, Basemap: b.city.basemap, Districts: b.city.districts, People: b.city.people, DayOffset: c.DayOffset(), Rules: c.Quality, Correction: c.Correction(),
	}
}
