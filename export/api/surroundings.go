package api

import (
	"net/http"

	"stadtluft/export"
)

// placesCollection holds the names of places, the largest first.
type placesCollection struct {
	Type     string         `json:"type" enum:"FeatureCollection"`
	Features []placeFeature `json:"features"`
}

type placeFeature struct {
	Type       string          `json:"type" enum:"Feature"`
	Geometry   point           `json:"geometry"`
	Properties placeProperties `json:"properties"`
}

type placeProperties struct {
	Name   string `json:"name"`
	People int    `json:"people"` // 0 when they are not known
}

// getPlaces answers with the names of places in and around the city.
func (s *Server) getPlaces(w http.ResponseWriter, _ *http.Request) error {
	features := make([]placeFeature, len(s.City.Places))
	for i, p := range s.City.Places {
		features[i] = placeFeature{"Feature", point{"Point", p.Point}, placeProperties{p.Name, p.People}}
	}
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), placesCollection{"FeatureCollection", features})
}

// waterCollection holds rivers and lakes.
type waterCollection struct {
	Type     string         `json:"type" enum:"FeatureCollection"`
	Features []waterFeature `json:"features"`
}

type waterFeature struct {
	Type       string        `json:"type" enum:"Feature"`
	Geometry   waterGeometry `json:"geometry"`
	Properties struct{}      `json:"properties"`
}

// waterGeometry is a GeoJSON geometry, longitude first.
type waterGeometry struct {
	Type        string `json:"type" enum:"LineString,MultiLineString,Polygon,MultiPolygon"`
	Coordinates any    `json:"coordinates"`
}

// getWater answers with rivers and lakes.
func (s *Server) getWater(w http.ResponseWriter, _ *http.Request) error {
	features := make([]waterFeature, len(s.City.Water))
	for i, g := range s.City.Water {
		features[i] = waterFeature{Type: "Feature", Geometry: waterGeometry{g.GeoJSONType(), g}}
	}
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), waterCollection{"FeatureCollection", features})
}
