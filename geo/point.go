package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Published returns a place as it is in answers and files: in degrees with six decimals, about 0.1 m.
func Published(p orb.Point) orb.Point {
	return orb.Point{RoundDegrees(p[0]), RoundDegrees(p[1])}
}

// RoundDegrees rounds to six decimals, which are 0.1 m of latitude: what we publish of a place.
func RoundDegrees(d float64) float64 { return math.Round(d*1e6) / 1e6 }
