package ogc

import (
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"stadtluft/ingest/httpapi"
)

const (
	defaultLimit = 10
	maxLimit     = 1000 // features in one answer; a larger limit is reduced to it (/req/core/fc-limit-response-1)
)

// limit returns the largest number of features of the answer.
func (r *request) limit() int {
	n, _ := strconv.Atoi(r.query.Text("limit")) // checked
	return min(n, maxLimit)
}

// offset returns the number of features that the answer skips.
func (r *request) offset() int {
	n, _ := strconv.Atoi(r.query.Text("offset")) // checked
	return n
}

// boxes are the areas that bbox selects: none selects everything, two are a box across the antimeridian.
type boxes []orb.Bound

func (b boxes) meets(o orb.Bound) bool {
	for _, box := range b {
		if box.Intersects(o) {
			return true
		}
	}
	return false
}

// bbox parses four numbers, or six with heights, which our features do not have (/req/core/fc-bbox-definition).
func (r *request) bbox() boxes {
	given := r.query.Text("bbox")
	if given == "" {
		return nil
	}
	n, err := numbers(given)
	if err == nil && len(n) == 6 {
		if n[2] > n[5] {
			err = httpapi.Wrong("bbox", "bbox: the lower height %v is above the upper %v", n[2], n[5])
		}
		n = []float64{n[0], n[1], n[3], n[4]}
	}
	if err != nil {
		r.query.Fail(err)
		return nil
	}
	list, err := bounds(n)
	if err != nil {
		r.query.Fail(err)
	}
	return list
}

func numbers(given string) ([]float64, *httpapi.Problem) {
	parts := strings.Split(given, ",")
	if len(parts) != 4 && len(parts) != 6 {
		return nil, httpapi.Wrong("bbox", "bbox is west,south,east,north in degrees, with heights west,south,low,east,north,high; not %.80q", given)
	}
	n := make([]float64, len(parts))
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, httpapi.Wrong("bbox", "bbox: %.80q is not a number", part)
		}
		n[i] = v
	}
	return n, nil
}

// bounds returns the boxes of west, south, east, north. When west is greater than east the box crosses the antimeridian
// and becomes two.
func bounds(n []float64) (boxes, *httpapi.Problem) {
	west, south, east, north := n[0], n[1], n[2], n[3]
	switch {
	case math.Abs(west) > 180 || math.Abs(east) > 180:
		return nil, httpapi.Wrong("bbox", "bbox: a longitude lies outside -180 to 180")
	case math.Abs(south) > 90 || math.Abs(north) > 90:
		return nil, httpapi.Wrong("bbox", "bbox: a latitude lies outside -90 to 90; longitude comes first")
	case south > north:
		return nil, httpapi.Wrong("bbox", "bbox: south %v lies beyond north %v; are the corners swapped?", south, north)
	case west > east:
		return boxes{box(west, south, 180, north), box(-180, south, east, north)}, nil
	}
	return boxes{box(west, south, east, north)}, nil
}

func box(west, south, east, north float64) orb.Bound {
	return orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}}
}
