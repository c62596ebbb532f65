package sta

import (
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"stadtluft/geo"
)

// Our places are points, so relations are decided for a point and another geometry. The terms are those of OGC 06-103r4,
// section 6.1.15: a matrix of nine entries holds how the interiors, boundaries and exteriors of two geometries
// intersect, as F for not at all or the dimension of the intersection.

// side is the part of a geometry in which a point lies.
type side int

const (
	interior side = iota
	boundary
	exterior
)

// sideOf returns the part of a geometry in which a point lies.
func sideOf(p orb.Point, g orb.Geometry) side {
	switch g := g.(type) {
	case orb.Point:
		if p == g {
			return interior
		}
	case orb.LineString:
		switch {
		case !open(g) && planar.DistanceFrom(g, p) == 0:
			return interior
		case p == g[0] || p == g[len(g)-1]:
			return boundary
		case planar.DistanceFrom(g, p) == 0:
			return interior
		}
	case orb.Polygon:
		onRing := slices.ContainsFunc(g, func(r orb.Ring) bool { return planar.DistanceFrom(orb.LineString(r), p) == 0 })
		switch {
		case onRing:
			return boundary
		case planar.PolygonContains(g, p):
			return interior
		}
	}
	return exterior
}

// open reports whether the ends of a line differ.
func open(l orb.LineString) bool { return l[0] != l[len(l)-1] }

// matrix returns the relation of a point to a geometry.
func matrix(p orb.Point, g orb.Geometry) string {
	m := []byte("FFFFFFFF2")
	at := sideOf(p, g)
	m[at] = '0'
	switch g := g.(type) {
	case orb.Point:
		if at == exterior {
			m[6] = '0' // the other point
		}
	case orb.LineString:
		m[6] = '1'
		if open(g) {
			m[7] = '0'
		}
	case orb.Polygon:
		m[6], m[7] = '2', '1'
	}
	return string(m)
}

// transposed returns the matrix with the geometries exchanged.
func transposed(m string) string {
	return string([]byte{m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]})
}

// matches compares a matrix with a pattern of T, F, *, 0, 1 and 2.
func matches(m, pattern string) bool {
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case c == '*', c == m[i], c == 'T' && m[i] != 'F':
		default:
			return false
		}
	}
	return true
}

// relation returns the matrix of two arguments, of which one must be a point.
func relation(e call, of []any) (string, error) {
	a, ok := of[0].(orb.Geometry)
	b, fine := of[1].(orb.Geometry)
	if !ok || !fine {
		return "", mistake(e.at, "%s needs two geometries, such as location and geography'POLYGON((6.9 50.9,7 50.9,7 51,6.9 50.9))'", e.function)
	}
	if p, point := a.(orb.Point); point {
		return matrix(p, b), nil
	}
	if p, point := b.(orb.Point); point {
		return transposed(matrix(p, a)), nil
	}
	return "", mistake(e.at, "one argument of %s must be a point, as our places are", e.function)
}

// onPlaces returns a function that is true when one of the patterns matches.
func onPlaces(patterns ...string) function {
	return function{2, 2, func(_ *world, e call, of []any) (any, error) {
		m, err := relation(e, of)
		return err == nil && slices.ContainsFunc(patterns, func(p string) bool { return matches(m, p) }), err
	}}
}

var never = function{2, 2, func(_ *world, e call, of []any) (any, error) {
	_, err := relation(e, of)
	return false, err
}}

func relate(_ *world, e call, of []any) (any, error) {
	pattern, ok := of[2].(string)
	if !ok || len(pattern) != 9 || strings.Trim(pattern, "TF*012") != "" {
		return nil, mistake(e.at, "st_relate needs a pattern of nine signs of TF*012, such as 'T*F**F***'")
	}
	m, err := relation(e, of[:2])
	return err == nil && matches(m, pattern), err
}

// distance returns the distance in metres along the ground.
func distance(_ *world, e call, of []any) (any, error) {
	a, ok := of[0].(orb.Point)
	b, fine := of[1].(orb.Point)
	if !ok || !fine {
		return nil, mistake(e.at, "geo.distance needs two points, such as location and geography'POINT(6.96 50.94)'; it is in metres")
	}
	return geo.Distance(a, b), nil
}

// length returns a line's length in metres along the ground.
func length(_ *world, e call, of []any) (any, error) {
	line, ok := of[0].(orb.LineString)
	if !ok {
		return nil, mistake(e.at, "geo.length needs a line such as geography'LINESTRING(6.9 50.9,7 51)'; it is in metres")
	}
	metres := 0.0
	for i := 1; i < len(line); i++ {
		metres += geo.Distance(line[i-1], line[i])
	}
	return metres, nil
}
