package geo

import (
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/wroge/wgs84"
)

// Parameters of EPSG:3035, ETRS89-LAEA: Lambert azimuthal equal-area on GRS80 with this centre and these false
// coordinates (Regulation (EU) 2018/1799; EPSG registry, projected CRS 3035).
const (
	centreLon, centreLat  = 10, 52
	falseEast, falseNorth = 4321000, 3210000
	minLat, maxLat        = 24, 85 // the projection's area of use with a wide margin, degrees
	minLon, maxLon        = -45, 60
	minMetres, maxMetres  = 0, 9_900_000 // the range of the cell code's seven digits
	wgs84CentreRadius     = 1e-3         // metres; wgs84 divides by the distance from the centre
)

// ErrOutside is the error for a position outside the European grid.
var ErrOutside = errors.New("outside the European grid")

var laea = wgs84.ETRS89LambertAzimuthalEqualArea()

// Project returns the easting and northing of p in metres, EPSG:3035. It agrees with PROJ to 0.01 m everywhere in
// Europe. It returns ErrOutside for positions far outside Europe, NaN and infinities.
func Project(p orb.Point) (east, north float64, err error) {
	if !(p.Lon() >= minLon && p.Lon() <= maxLon && p.Lat() >= minLat && p.Lat() <= maxLat) {
		return 0, 0, fmt.Errorf("longitude %v, latitude %v: %w", p.Lon(), p.Lat(), ErrOutside)
	}
	east, north = laea.Projection.FromLonLat(p.Lon(), p.Lat(), laea.Datum)
	return east, north, nil
}

// Unproject is the inverse of Project.
func Unproject(east, north float64) orb.Point {
	if math.Hypot(east-falseEast, north-falseNorth) < wgs84CentreRadius {
		return orb.Point{centreLon, centreLat}
	}
	lon, lat := laea.Projection.ToLonLat(east, north, laea.Datum)
	return orb.Point{lon, lat}
}
