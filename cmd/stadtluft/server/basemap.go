package server

import (
	"context"
	"fmt"
	"strings"

	orbgeo "github.com/paulmach/orb/geo"

	"stadtluft/export/basemap"
)

// loadBasemap checks the tiles, not the style: that is on another server, and a start does not depend on other servers.
func loadBasemap(c Config) (basemap.Basemap, error) {
	below := basemap.Basemap{Style: c.MapStyle}
	if c.MapTiles == "" {
		return below, nil
	}
	var err error
	if below.Tiles, err = basemap.Open(c.MapTiles); err != nil {
		return below, fmt.Errorf("map.tiles: %w", err)
	}
	return below, nil
}

// basemap checks the style as a page would load it.
func (c *inspection) basemap(ctx context.Context) {
	below, err := loadBasemap(c.config)
	if c.config.MapTiles != "" {
		c.tried("map.tiles", err, c.config.MapTiles+" holds vector tiles")
	}
	if c.config.MapTiles == "" && below.Style == "" {
		c.noBasemap()
		return
	}
	if below.Style == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	public := c.config.HTTPPublicURL
	if public == "" {
		public = "http://" + c.config.HTTPListen
	}
	origin, _ := basemap.Origin(public)
	seen, err := basemap.Look(ctx, below.Style, origin)
	c.tried("map.style", err, fmt.Sprintf("%s has %d layers", below.Style, seen.Layers))
	if err != nil {
		return
	}
	if seen.Unreadable {
		c.say(Warning, "map.style", "its server does not let pages of %s read it (Access-Control-Allow-Origin): the map stays without", origin)
	}
	if len(seen.Blocked) > 0 {
		c.say(Warning, "map.style", "it needs %s, which pages do not ask: have all of it on %s", strings.Join(seen.Blocked, ", "), below.Elsewhere())
	}
	if strings.HasPrefix(origin, "https:") && strings.HasPrefix(below.Style, "http:") {
		c.say(Warning, "map.style", "browsers ask nothing of an http address from pages of %s: it needs https", origin)
	}
}

// noBasemap says how a map without streets gets them.
func (c *inspection) noBasemap() {
	boundary, err := LoadBoundary(c.config)
	if err != nil {
		return // reported already
	}
	b := orbgeo.BoundPad(boundary.Bound(), around)
	c.say(Fine, "map", "there are no streets below the values; this gets them, for map.tiles: make basemap BBOX=%.2f,%.2f,%.2f,%.2f",
		b.Left(), b.Bottom(), b.Right(), b.Top())
}
