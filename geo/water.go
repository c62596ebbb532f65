package geo

import (
	"fmt"
	"io"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// ReadWater reads a GeoJSON FeatureCollection of rivers and lakes, as lines and areas. Other geometries are an error.
func ReadWater(r io.Reader) ([]orb.Geometry, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBoundaryBytes+1))
	if err != nil {
		return nil, fmt.Errorf("water: %w", err)
	}
	if len(data) > maxBoundaryBytes {
		return nil, fmt.Errorf("water: larger than %d bytes", maxBoundaryBytes)
	}
	if err := checkHead(data); err != nil {
		return nil, fmt.Errorf("water: %w", err)
	}
	collection, err := geojson.UnmarshalFeatureCollection(data)
	if err != nil {
		return nil, fmt.Errorf("water: not a GeoJSON FeatureCollection: %w", err)
	}
	var water []orb.Geometry
	for i, feature := range collection.Features {
		switch feature.Geometry.(type) {
		case orb.LineString, orb.MultiLineString, orb.Polygon, orb.MultiPolygon:
			water = append(water, feature.Geometry)
		default:
			return nil, fmt.Errorf("water: feature %d is neither a line nor an area", i+1)
		}
		b := feature.Geometry.Bound()
		for _, p := range []orb.Point{b.Min, b.Max} {
			if !(p.Lon() >= -180 && p.Lon() <= 180 && p.Lat() >= -90 && p.Lat() <= 90) {
				return nil, fmt.Errorf("water: feature %d: position %v is not longitude and latitude in degrees", i+1, p)
			}
		}
	}
	return water, nil
}
