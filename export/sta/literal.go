package sta

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
)

// parseGeometry parses well-known text: a point, a line or a polygon, in degrees, longitude first.
func parseGeometry(text string) (orb.Geometry, error) {
	_, plain, found := strings.Cut(text, ";")
	if !found || !strings.HasPrefix(text, "SRID=") {
		plain = text
	}
	g, err := wkt.Unmarshal(strings.TrimSpace(plain))
	if err != nil {
		return nil, fmt.Errorf("%.60q is no well-known text such as POINT(6.96 50.94)", text)
	}
	switch g := g.(type) {
	case orb.Point:
	case orb.LineString:
		if len(g) < 2 {
			return nil, fmt.Errorf("%.60q is a line of fewer than two points", text)
		}
	case orb.Polygon:
		if len(g) == 0 || len(g[0]) < 4 {
			return nil, fmt.Errorf("%.60q is a polygon without an area", text)
		}
	default:
		return nil, fmt.Errorf("%s is not among the geometries understood: point, line and polygon", g.GeoJSONType())
	}
	b := g.Bound()
	if !(math.Abs(b.Min.Lon()) <= 180 && math.Abs(b.Max.Lon()) <= 180 && math.Abs(b.Min.Lat()) <= 90 && math.Abs(b.Max.Lat()) <= 90) {
		return nil, fmt.Errorf("%.60q lies outside longitude -180 to 180 and latitude -90 to 90", text)
	}
	return g, nil
}
