package quality

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

const (
	// mostNeighbours bounds whom a station is compared with: the nearest say most.
	mostNeighbours = 20
	bucketMetres   = 1000
)

// neighbour is a station's value in an hour, seen from another.
type neighbour struct {
	*StationHour
	distance float64 // metres
}

// area is the stations that measured one quantity in one hour, by place.
type area struct {
	buckets map[[2]int][]*StationHour
	found   []neighbour
}

func newArea(hours []*StationHour) *area {
	a := &area{buckets: make(map[[2]int][]*StationHour, len(hours))}
	for _, h := range hours {
		key := bucketOf(h)
		a.buckets[key] = append(a.buckets[key], h)
	}
	return a
}

func bucketOf(h *StationHour) [2]int {
	return [2]int{int(math.Floor(h.East / bucketMetres)), int(math.Floor(h.North / bucketMetres))}
}

// around are the nearest other stations within some metres, at most mostNeighbours, by distance and name. The list is
// valid until the next call.
func (a *area) around(h *StationHour, within float64) []neighbour {
	a.found = a.found[:0]
	middle, rings := bucketOf(h), int(math.Ceil(within/bucketMetres))
	for ring := 0; ring <= rings; ring++ {
		a.ring(h, middle, ring, within)
		// Whoever is in a farther ring is at least this far away.
		if near := float64(ring) * bucketMetres; a.countWithin(near) >= mostNeighbours {
			break
		}
	}
	slices.SortFunc(a.found, func(x, y neighbour) int {
		return cmp.Or(cmp.Compare(x.distance, y.distance), strings.Compare(x.Station, y.Station))
	})
	return a.found[:min(len(a.found), mostNeighbours)]
}

// ring looks at the buckets that are so many steps from the middle.
func (a *area) ring(h *StationHour, middle [2]int, ring int, within float64) {
	for east := -ring; east <= ring; east++ {
		step := 2 * ring
		if east == -ring || east == ring || ring == 0 {
			step = 1
		}
		for north := -ring; north <= ring; north += step {
			for _, other := range a.buckets[[2]int{middle[0] + east, middle[1] + north}] {
				d := math.Hypot(other.East-h.East, other.North-h.North)
				if d <= within && other.Station != h.Station {
					a.found = append(a.found, neighbour{other, d})
				}
			}
		}
	}
}

func (a *area) countWithin(metres float64) int {
	n := 0
	for _, f := range a.found {
		if f.distance <= metres {
			n++
		}
	}
	return n
}

// means are the neighbours' means.
func means(into []float64, neighbours []neighbour) []float64 {
	for _, n := range neighbours {
		into = append(into, n.Mean)
	}
	return into
}
