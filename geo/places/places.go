// Package places holds the names of towns and quarters with their places and inhabitants: a city's own from GeoJSON, those
// of all the world from a table that is made of GeoNames (geonames.org, CC BY 4.0), and a few of Cologne typed by hand.
package places

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

const (
	maxBytes  = 16 << 20 // of a city's own file
	maxPlaces = 10_000   // of one city
	maxName   = 100      // bytes
)

// Place is a town, a village or a part of one.
type Place struct {
	Name   string
	People int // inhabitants; 0 when they are not known
	orb.Point
}

// Read reads a GeoJSON FeatureCollection of points with the text property name, and with population, a whole number, where
// the inhabitants are known. The largest come first.
func Read(r io.Reader) ([]Place, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("places: %w", err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("places: larger than %d bytes", maxBytes)
	}
	collection, err := geojson.UnmarshalFeatureCollection(data)
	if err != nil {
		return nil, fmt.Errorf("places: not a GeoJSON FeatureCollection: %w", err)
	}
	if len(collection.Features) > maxPlaces {
		return nil, fmt.Errorf("places: %d features, want at most %d", len(collection.Features), maxPlaces)
	}
	list := make([]Place, 0, len(collection.Features))
	for i, feature := range collection.Features {
		place, err := read(feature)
		if err != nil {
			return nil, fmt.Errorf("places: feature %d: %w", i+1, err)
		}
		list = append(list, place)
	}
	return sorted(list), nil
}

func read(feature *geojson.Feature) (Place, error) {
	point, ok := feature.Geometry.(orb.Point)
	name, _ := feature.Properties["name"].(string)
	name = strings.TrimSpace(name)
	people, _ := feature.Properties["population"].(float64)
	switch {
	case !ok || !(math.Abs(point.Lon()) <= 180 && math.Abs(point.Lat()) <= 90):
		return Place{}, errors.New("it is not a point in degrees, longitude first")
	case name == "" || len(name) > maxName:
		return Place{}, fmt.Errorf("the property name is no text of 1 to %d bytes", maxName)
	case !(people >= 0 && people <= 1e9):
		return Place{}, fmt.Errorf("a population of %g", people)
	}
	return Place{name, int(people), point}, nil
}

// sorted sorts places: the largest first, those of one size by name.
func sorted(list []Place) []Place {
	slices.SortFunc(list, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.People, a.People), strings.Compare(a.Name, b.Name), cmp.Compare(a.Lon(), b.Lon()))
	})
	return list
}

// ReadWorld returns those places of a table of the world that lie within a bound, the largest first. The table is
// compressed with gzip; a line of it is a place: name, longitude and latitude in 1e-5 degrees, inhabitants, with tabs between.
func ReadWorld(r io.Reader, bound orb.Bound) ([]Place, error) {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("places of the world: %w", err)
	}
	defer packed.Close()
	var list []Place
	lines := bufio.NewScanner(packed)
	for n := 1; lines.Scan(); n++ {
		place, err := parse(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("places of the world: line %d: %w", n, err)
		}
		if bound.Contains(place.Point) {
			list = append(list, place)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("places of the world: %w", err)
	}
	return sorted(list), nil
}

func parse(line string) (Place, error) {
	name, rest, _ := strings.Cut(line, "\t")
	lon, rest, _ := strings.Cut(rest, "\t")
	lat, people, _ := strings.Cut(rest, "\t")
	x, errX := strconv.Atoi(lon)
	y, errY := strconv.Atoi(lat)
	n, errN := strconv.Atoi(people)
	if err := errors.Join(errX, errY, errN); err != nil {
		return Place{}, err
	}
	return Place{name, n, orb.Point{float64(x) / 1e5, float64(y) / 1e5}}, nil
}
