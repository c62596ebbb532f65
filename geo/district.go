package geo

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/paulmach/orb/geojson"
)

// maxDistricts bounds the districts of a city.
const maxDistricts = 1000

// District is a named part of a city.
type District struct {
	Name string
	*Boundary
}

// ReadDistricts reads a GeoJSON FeatureCollection of polygons. property names the member with a district's name; if
// it is empty, ReadDistricts takes the first text member, in the order of their names, whose values all differ.
// Districts are sorted by name.
func ReadDistricts(r io.Reader, property string) ([]District, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBoundaryBytes+1))
	if err != nil {
		return nil, fmt.Errorf("districts: %w", err)
	}
	if len(data) > maxBoundaryBytes {
		return nil, fmt.Errorf("districts: larger than %d bytes", maxBoundaryBytes)
	}
	if err := checkHead(data); err != nil {
		return nil, fmt.Errorf("districts: %w", err)
	}
	collection, err := geojson.UnmarshalFeatureCollection(data)
	if err != nil {
		return nil, fmt.Errorf("districts: not a GeoJSON FeatureCollection: %w", err)
	}
	if len(collection.Features) == 0 || len(collection.Features) > maxDistricts {
		return nil, fmt.Errorf("districts: %d features, want 1 to %d", len(collection.Features), maxDistricts)
	}
	if property == "" {
		if property = nameProperty(collection.Features); property == "" {
			return nil, fmt.Errorf("districts: no property has a different text for each district: name one")
		}
	}
	var districts []District
	for i, feature := range collection.Features {
		name, _ := feature.Properties[property].(string)
		if name = strings.TrimSpace(name); name == "" {
			return nil, fmt.Errorf("districts: feature %d has no text %q", i+1, property)
		}
		boundary, err := NewBoundary(appendPolygons(nil, feature.Geometry))
		if err != nil {
			return nil, fmt.Errorf("districts: %s: %w", name, err)
		}
		districts = append(districts, District{name, boundary})
	}
	slices.SortFunc(districts, func(a, b District) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(districts); i++ {
		if districts[i].Name == districts[i-1].Name {
			return nil, fmt.Errorf("districts: there are two of the name %q", districts[i].Name)
		}
	}
	return districts, nil
}

// nameProperty returns the property that identifies districts; one with "name" in its own name comes first.
func nameProperty(features []*geojson.Feature) string {
	var candidates []string
	for name := range features[0].Properties {
		seen := map[string]bool{}
		for _, f := range features {
			if text, ok := f.Properties[name].(string); ok && strings.TrimSpace(text) != "" {
				seen[text] = true
			}
		}
		if len(seen) == len(features) {
			candidates = append(candidates, name)
		}
	}
	slices.SortFunc(candidates, func(a, b string) int {
		if x, y := strings.Contains(strings.ToLower(a), "name"), strings.Contains(strings.ToLower(b), "name"); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	if len(candidates) == 0 {
		return ""
	}
	return candidates[0]
}

// checkHead returns an error for data that is not JSON, and for coordinates that are not WGS 84.
func checkHead(data []byte) error {
	var head struct {
		CRS json.RawMessage `json:"crs"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("not GeoJSON: %w", err)
	}
	if crs := string(head.CRS); crs != "" && crs != "null" && !strings.Contains(crs, "CRS84") && !strings.Contains(crs, "4326") {
		return fmt.Errorf("crs %.64s: GeoJSON must be longitude and latitude in WGS 84", crs)
	}
	return nil
}
