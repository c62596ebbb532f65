// Package basemap is what lies under the map where a city wants more there than its boundary: a style that is
// elsewhere, a file of tiles that we serve ourselves, or a style with those tiles. It looks at both before anybody
// relies on them. Drawing is the pages' work, and what other servers answer to browsers is theirs.
package basemap

import (
	"fmt"
	"net/url"
	"regexp"
)

// Basemap is what the configuration says of it. The zero value is none.
type Basemap struct {
	Style string // the address of a style (MapLibre Style Specification, version 8)
	Tiles *Tiles // nil where there are none
}

// Route is where the tiles are, as one file that browsers read in parts.
const Route = "/basemap.pmtiles"

// host is an origin as Content Security Policy Level 3 writes a host-source.
var host = regexp.MustCompile(`^https?://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?$`)

// Origin is the scheme and host of an address, which a page must be allowed to ask.
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

// Elsewhere is the origin that pages with a map ask beside our own; empty where there is none.
func (b Basemap) Elsewhere() string {
	origin, err := Origin(b.Style)
	if err != nil {
		return ""
	}
	return origin
}

// TilesRoute is where the tiles are, empty where there are none.
func (b Basemap) TilesRoute() string {
	if b.Tiles == nil {
		return ""
	}
	return Route
}
