// Package basemap configures the map below the data, for a city that wants more than its boundary there: a style on
// another server, a file of vector tiles that we serve ourselves, or a style with those tiles. It checks both before
// they are used. The pages draw the map; other servers' answers to browsers are not checked here.
package basemap

import (
	"fmt"
	"net/url"
	"regexp"
)

// Basemap is the configured map. The zero value is none.
type Basemap struct {
	Style string // the address of a style (MapLibre Style Specification, version 8)
	Tiles *Tiles // nil for none
}

// Route is the path of the tiles, one file that browsers read in ranges.
const Route = "/basemap.pmtiles"

// host is an origin as Content Security Policy Level 3 writes a host-source.
var host = regexp.MustCompile(`^https?://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?$`)

// Origin returns the scheme and host of an address, to which a page's policy must allow requests.
func Origin(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	origin := u.Scheme + "://" + u.Host
	if u.User != nil || !host.MatchString(origin) {
		return "", fmt.Errorf("%q is not an http or https address such as https://tiles.example.org/style.json", address)
	}
	return origin, nil
}

// Elsewhere returns the other origin that pages with a map need; empty for none.
func (b Basemap) Elsewhere() string {
	origin, err := Origin(b.Style)
	if err != nil {
		return ""
	}
	return origin
}

// TilesRoute returns the path of the tiles; empty when there are none.
func (b Basemap) TilesRoute() string {
	if b.Tiles == nil {
		return ""
	}
	return Route
}
