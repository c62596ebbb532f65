package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/paulmach/orb"
	orbgeo "github.com/paulmach/orb/geo"

	"stadtluft/export/basemap"
	"stadtluft/export/web"
	"stadtluft/geo"
	"stadtluft/geo/coverage"
	"stadtluft/geo/places"
)

// city holds the content of the city's files.
type city struct {
	boundary  *geo.Boundary
	districts []geo.District
	places    []places.Place // in it and around it, the largest first
	water     []orb.Geometry
	people    map[geo.Cell]int // inhabitants by cell of grid.resolution; empty without a census table
	basemap   basemap.Basemap
}

// loadCity reads the city's files. It returns the error of the first file that cannot be read.
func loadCity(config Config) (c city, err error) {
	if c.boundary, err = LoadBoundary(config); err != nil {
		return c, err
	}
	if c.districts, err = loadDistricts(config); err != nil {
		return c, err
	}
	if c.places, err = loadPlaces(config, c.boundary); err != nil {
		return c, err
	}
	if c.water, err = loadWater(config); err != nil {
		return c, err
	}
	if c.people, err = loadPeople(config, c.boundary); err != nil {
		return c, err
	}
	c.basemap, err = loadBasemap(config)
	return c, err
}

// sketched reports whether the city is the built-in sketch.
func (c *Config) sketched() bool { return c.CityBoundary == "" }

// readFile reads the file of a key with read.
func readFile[T any](key, path string, read func(io.Reader) (T, error)) (content T, err error) {
	file, err := os.Open(path)
	if err != nil {
		return content, fmt.Errorf("%s: %w", key, err)
	}
	defer file.Close()
	if content, err = read(file); err != nil {
		return content, fmt.Errorf("%s: read %s: %w", key, path, err)
	}
	return content, nil
}

// LoadBoundary reads the city's boundary; without a configured file it returns the built-in sketch.
func LoadBoundary(c Config) (*geo.Boundary, error) {
	if c.sketched() {
		return geo.CologneSketch(), nil
	}
	return readFile("city.boundary", c.CityBoundary, geo.ReadBoundary)
}

// loadDistricts reads the city's districts; without a configured file there are those of the built-in sketch or none.
func loadDistricts(c Config) ([]geo.District, error) {
	switch {
	case c.CityDistricts != "":
		return readFile("city.districts", c.CityDistricts, func(r io.Reader) ([]geo.District, error) { return geo.ReadDistricts(r, "") })
	case c.sketched():
		return geo.CologneDistricts(), nil
	}
	return nil, nil
}

// around is how far from the city places are named, in metres.
const around = 15_000

// loadPlaces reads the names of places; without a configured file there are those of the built-in sketch or GeoNames'
// around the city, which are built with the pages.
func loadPlaces(c Config, boundary *geo.Boundary) ([]places.Place, error) {
	switch {
	case c.CityPlaces != "":
		return readFile("city.places", c.CityPlaces, places.Read)
	case c.sketched():
		return places.Cologne(), nil
	}
	world, err := web.Files().Open("places.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the pages are not built
	}
	if err != nil {
		return nil, err
	}
	defer world.Close()
	return places.ReadWorld(world, orbgeo.BoundPad(boundary.Bound(), around))
}

// loadWater reads rivers and lakes; without a configured file there are those of the built-in sketch or none.
func loadWater(c Config) ([]orb.Geometry, error) {
	switch {
	case c.CityWater != "":
		return readFile("city.water", c.CityWater, geo.ReadWater)
	case c.sketched():
		return geo.CologneWater(), nil
	}
	return nil, nil
}

// loadPeople reads the inhabitants of the city's cells; none without a census table.
func loadPeople(c Config, boundary *geo.Boundary) (map[geo.Cell]int, error) {
	if c.CityCensus == "" {
		return nil, nil
	}
	return readFile("city.census", c.CityCensus, func(r io.Reader) (map[geo.Cell]int, error) {
		return coverage.ReadPeople(r, boundary.Cells(int32(c.GridResolution)))
	})
}
