package geo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/paulmach/orb"
	orbgeo "github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
)

// maxBoundaryBytes bounds the size of a boundary file.
const maxBoundaryBytes = 64 << 20

// Boundary is the outline of a city. The zero value is empty.
type Boundary struct {
	polygons orb.MultiPolygon
	bound    orb.Bound
}

// NewBoundary returns the boundary of an outline whose rings may wind either way.
func NewBoundary(polygons orb.MultiPolygon) (*Boundary, error) {
	polygons = polygons.Clone()
	if len(polygons) == 0 {
		return nil, errors.New("boundary: no polygon")
	}
	for _, polygon := range polygons {
		if len(polygon) == 0 {
			return nil, errors.New("boundary: a polygon without a ring")
		}
		for i, ring := range polygon {
			if err := checkRing(ring); err != nil {
				return nil, fmt.Errorf("boundary: %w", err)
			}
			want := orb.CCW
			if i > 0 {
				want = orb.CW
			}
			if ring.Orientation() != want {
				ring.Reverse()
			}
		}
	}
	return &Boundary{polygons: polygons, bound: polygons.Bound()}, nil
}

func checkRing(ring orb.Ring) error {
	if len(ring) < 4 || !ring.Closed() {
		return fmt.Errorf("a ring of %d positions is not closed or has fewer than four", len(ring))
	}
	for _, p := range ring {
		if !(math.Abs(p.Lon()) <= 180 && math.Abs(p.Lat()) <= 90) {
			return fmt.Errorf("position %v is not longitude and latitude in degrees", p)
		}
	}
	return nil
}

// ReadBoundary reads GeoJSON: a Polygon, a MultiPolygon, a Feature or a FeatureCollection of those. Rings may wind
// either way, as they do in cities' files; holes are kept. A crs member other than WGS 84 is an error.
func ReadBoundary(r io.Reader) (*Boundary, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBoundaryBytes+1))
	if err != nil {
		return nil, fmt.Errorf("boundary: %w", err)
	}
	if len(data) > maxBoundaryBytes {
		return nil, fmt.Errorf("boundary: larger than %d bytes", maxBoundaryBytes)
	}
	if err := checkHead(data); err != nil {
		return nil, fmt.Errorf("boundary: %w", err)
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("boundary: not GeoJSON: %w", err)
	}
	polygons, err := readPolygons(head.Type, data)
	if err != nil {
		return nil, fmt.Errorf("boundary: %w", err)
	}
	return NewBoundary(polygons)
}

func readPolygons(kind string, data []byte) (orb.MultiPolygon, error) {
	switch kind {
	case "FeatureCollection":
		collection, err := geojson.UnmarshalFeatureCollection(data)
		if err != nil {
			return nil, err
		}
		var all orb.MultiPolygon
		for _, feature := range collection.Features {
			all = appendPolygons(all, feature.Geometry)
		}
		return all, nil
	case "Feature":
		feature, err := geojson.UnmarshalFeature(data)
		if err != nil {
			return nil, err
		}
		return appendPolygons(nil, feature.Geometry), nil
	case "Polygon", "MultiPolygon":
		geometry, err := geojson.UnmarshalGeometry(data)
		if err != nil {
			return nil, err
		}
		return appendPolygons(nil, geometry.Geometry()), nil
	}
	return nil, fmt.Errorf("type %.64q is not a Polygon, MultiPolygon, Feature or FeatureCollection", kind)
}

func appendPolygons(all orb.MultiPolygon, g orb.Geometry) orb.MultiPolygon {
	switch g := g.(type) {
	case orb.Polygon:
		return append(all, g)
	case orb.MultiPolygon:
		return append(all, g...)
	}
	return all
}

// Contains reports whether p lies within the boundary and not in a hole.
func (b *Boundary) Contains(p orb.Point) bool {
	return b.bound.Contains(p) && planar.MultiPolygonContains(b.polygons, p)
}

// Bound returns the smallest box around the boundary.
func (b *Boundary) Bound() orb.Bound { return b.bound }

// Geometry returns a copy of the outline, wound as RFC 7946 demands.
func (b *Boundary) Geometry() orb.MultiPolygon { return b.polygons.Clone() }

// Distance returns the distance from p to the boundary in metres along the ground; 0 inside. It treats the
// surroundings of p as flat, which is exact to a percent within 200 km.
func (b *Boundary) Distance(p orb.Point) float64 {
	if b.Contains(p) {
		return 0
	}
	nearest := math.Inf(1)
	scale := math.Cos(p.Lat() * math.Pi / 180)
	flat := func(q orb.Point) orb.Point { return orb.Point{(q.Lon() - p.Lon()) * scale, q.Lat() - p.Lat()} }
	for _, polygon := range b.polygons {
		for _, ring := range polygon {
			for i := range len(ring) - 1 {
				nearest = math.Min(nearest, planar.DistanceFromSegment(flat(ring[i]), flat(ring[i+1]), orb.Point{}))
			}
		}
	}
	return nearest * math.Pi / 180 * orb.EarthRadius
}

// Cells returns the cells of the given size in metres whose centre lies within the boundary, sorted.
func (b *Boundary) Cells(size int32) []Cell {
	west, south := math.Inf(1), math.Inf(1)
	east, north := math.Inf(-1), math.Inf(-1)
	for _, polygon := range b.polygons {
		for _, p := range polygon[0] {
			e, n, err := Project(p)
			if err != nil {
				return nil
			}
			west, east = math.Min(west, e), math.Max(east, e)
			south, north = math.Min(south, n), math.Max(north, n)
		}
	}
	var cells []Cell
	for n := floor(south, size); float64(n) <= north; n += size {
		for e := floor(west, size); float64(e) <= east; e += size {
			c := Cell{Size: size, North: n, East: e}
			if b.Contains(c.Center()) {
				cells = append(cells, c)
			}
		}
	}
	slices.SortFunc(cells, Cell.Compare)
	return cells
}

// Suggest returns the place that was probably meant by p, when p lies farther than margin metres outside: with
// longitude and latitude swapped, another sign, or the decimal point moved.
func (b *Boundary) Suggest(p orb.Point, margin float64) (orb.Point, bool) {
	for _, q := range []orb.Point{p, {p[1], p[0]}} {
		for _, x := range variants(q[0]) {
			for _, y := range variants(q[1]) {
				guess := orb.Point{x, y}
				if guess != p && math.Abs(x) <= 180 && math.Abs(y) <= 90 && b.Distance(guess) <= margin {
					return guess, true
				}
			}
		}
	}
	return orb.Point{}, false
}

// variants returns v, its negative, and both with the decimal point moved.
func variants(v float64) []float64 {
	if v == 0 {
		return []float64{0}
	}
	all := []float64{v, -v}
	for _, factor := range []float64{0.1, 10, 0.01, 100, 1e-3, 1e3, 1e-4, 1e-5, 1e-6} {
		all = append(all, v*factor, -v*factor)
	}
	return all
}

// Distance returns the distance between two places in metres along the ground.
func Distance(p, q orb.Point) float64 { return orbgeo.Distance(p, q) }
