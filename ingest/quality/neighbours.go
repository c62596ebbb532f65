package quality

import (
	"math"
	"slices"

	"stadtluft/geo"
)

const (
	// mostNeighbours bounds whom a station is compared with: the nearest say most.
	mostNeighbours = 20
	// farthest is the longest way to a neighbour that a city may set, in metres.
	farthest = 20_000
	// smallBucket is the smallest bucket's width in metres; buckets hold perBucket stations or more on average.
	smallBucket = 500
	perBucket   = 3
)

// area is stations by public place in a hash grid: buckets as wide as it takes to hold a few stations each. Of stations
// in one cell the names decide who is nearer.
type area struct {
	list    []StationHour // sorted by station
	within  float64       // metres to the farthest neighbour
	width   float64       // of a bucket, metres
	buckets map[bucket]part
	points  []point       // by bucket
	near    [][]neighbour // of each station, when it was asked for
	found   [mostNeighbours + 1]neighbour
}

type (
	bucket struct{ east, north int32 }
	part   struct{ from, to int32 }
	point  struct {
		east, north float64
		index       int32
	}
	// neighbour is a place in the list.
	neighbour struct {
		index  int32
		square float64 // of the distance in metres
	}
)

func newArea(list []StationHour, within float64) *area {
	a := &area{list: list, within: within, width: smallBucket, near: make([][]neighbour, len(list))}
	for a.fill(); len(a.buckets) > len(list)/perBucket && a.width < farthest; a.fill() {
		a.width *= 2
	}
	a.points = make([]point, len(list))
	from := int32(0)
	for i := range list {
		key := a.bucket(list[i].Cell)
		p := a.buckets[key]
		if p.from < 0 { // not begun
			from, p = from+p.to, part{from, from}
		}
		a.points[p.to] = point{float64(list[i].Cell.East), float64(list[i].Cell.North), int32(i)}
		a.buckets[key] = part{p.from, p.to + 1}
	}
	return a
}

// fill counts the stations of each bucket.
func (a *area) fill() {
	a.buckets = make(map[bucket]part, len(a.list)/perBucket)
	for i := range a.list {
		key := a.bucket(a.list[i].Cell)
		a.buckets[key] = part{-1, a.buckets[key].to + 1}
	}
}

func (a *area) bucket(c geo.Cell) bucket {
	return bucket{int32(math.Floor(float64(c.East) / a.width)), int32(math.Floor(float64(c.North) / a.width))}
}

// isOf reports whether the area is of the same stations at the same places as a list.
func (a *area) isOf(list []StationHour) bool {
	return slices.EqualFunc(a.list, list, func(x, y StationHour) bool {
		return x.Station == y.Station && x.Cell == y.Cell
	})
}

// around are the nearest other stations of the i-th, at most mostNeighbours, by distance and name.
func (a *area) around(i int) []neighbour {
	if a.near[i] == nil {
		a.near[i] = append([]neighbour{}, a.nearest(&a.list[i], i, a.within)...)
	}
	return a.near[i]
}

// nearest is around a station of another list; but is the place in this list of one to leave out. It is valid until the
// next call.
func (a *area) nearest(h *StationHour, but int, within float64) []neighbour {
	middle, rings, n := a.bucket(h.Cell), int32(math.Ceil(within/a.width)), 0
	for ring := int32(0); ring <= rings; ring++ {
		n = a.ring(h, but, middle, ring, within*within, n)
		// Whoever is in a farther ring is at least this far away.
		if far := float64(ring) * a.width; n == mostNeighbours && a.found[n-1].square <= far*far {
			break
		}
	}
	return a.found[:n]
}

// ring looks at the buckets that are so many steps from the middle; n are found.
func (a *area) ring(h *StationHour, but int, middle bucket, ring int32, square float64, n int) int {
	for east := -ring; east <= ring; east++ {
		step := max(1, 2*ring)
		if east == -ring || east == ring {
			step = 1
		}
		for north := -ring; north <= ring; north += step {
			p := a.buckets[bucket{middle.east + east, middle.north + north}]
			for _, other := range a.points[p.from:p.to] {
				dx, dy := other.east-float64(h.Cell.East), other.north-float64(h.Cell.North)
				s := float64(dx*dx) + float64(dy*dy)
				if s > square || n == mostNeighbours && s > a.found[n-1].square || int(other.index) == but {
					continue
				}
				n = a.insert(neighbour{other.index, s}, n)
			}
		}
	}
	return n
}

// insert keeps the nearest, sorted, and says how many there are.
func (a *area) insert(o neighbour, n int) int {
	i := n
	for i > 0 && (o.square < a.found[i-1].square || o.square == a.found[i-1].square && o.index < a.found[i-1].index) {
		a.found[i] = a.found[i-1]
		i--
	}
	a.found[i] = o
	return min(n+1, mostNeighbours)
}
