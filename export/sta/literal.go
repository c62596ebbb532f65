package sta

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
)

// parseDuration reads an ISO 8601 duration of days, hours, minutes and seconds, such as P1DT12H.
func parseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no duration such as PT1H or P1DT12H", clip(text))
	rest, negative := strings.CutPrefix(text, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	days, clock, timed := strings.Cut(rest, "T")
	if !ok || rest == "" || timed && clock == "" {
		return 0, wrong
	}
	total, ok := parts(days, "D")
	more, fine := parts(clock, "HMS")
	total += more
	const most = 1000 * 366 * 24 * 3600 // a thousand years
	if !ok || !fine || total > most || total >= math.MaxInt64/float64(time.Second) {
		return 0, wrong
	}
	d := time.Duration(total * float64(time.Second))
	if negative {
		d = -d
	}
	return d, nil
}

// parts adds up numbers with units, each unit at most once and in order, as seconds.
func parts(text, units string) (seconds float64, ok bool) {
	length := map[byte]float64{'D': 86400, 'H': 3600, 'M': 60, 'S': 1}
	for text != "" {
		end := strings.IndexAny(text, units)
		if end <= 0 {
			return 0, false
		}
		n, err := strconv.ParseFloat(text[:end], 64)
		if err != nil || strings.Trim(text[:end], "0123456789.") != "" {
			return 0, false
		}
		seconds += n * length[text[end]]
		units = units[strings.IndexByte(units, text[end])+1:]
		text = text[end+1:]
		if units == "" && text != "" {
			return 0, false
		}
	}
	return seconds, true
}

// parseGeometry reads well-known text: a point, a line or a polygon, in degrees, longitude first.
func parseGeometry(text string) (orb.Geometry, error) {
	_, plain, found := strings.Cut(text, ";")
	if !found || !strings.HasPrefix(text, "SRID=") {
		plain = text
	}
	g, err := wkt.Unmarshal(strings.TrimSpace(plain))
	if err != nil {
		return nil, fmt.Errorf("%q is no well-known text such as POINT(6.96 50.94)", clip(text))
	}
	switch g := g.(type) {
	case orb.Point:
	case orb.LineString:
		if len(g) < 2 {
			return nil, fmt.Errorf("%q is a line of fewer than two points", clip(text))
		}
	case orb.Polygon:
		if len(g) == 0 || len(g[0]) < 4 {
			return nil, fmt.Errorf("%q is a polygon without an area", clip(text))
		}
	default:
		return nil, fmt.Errorf("%s is not among the geometries understood: point, line and polygon", g.GeoJSONType())
	}
	b := g.Bound()
	if !(math.Abs(b.Min.Lon()) <= 180 && math.Abs(b.Max.Lon()) <= 180 && math.Abs(b.Min.Lat()) <= 90 && math.Abs(b.Max.Lat()) <= 90) {
		return nil, fmt.Errorf("%q lies outside longitude -180 to 180 and latitude -90 to 90", clip(text))
	}
	return g, nil
}
