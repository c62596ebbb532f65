package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Published returns a place as it is in answers and files: in degrees with six decimals, about 0.1 m.
func Published(p orb.Point) orb.Point {
	return orb.Point{math.Round(p[0]*1e6) / 1e6, math.Round(p[1]*1e6) / 1e6}
}
