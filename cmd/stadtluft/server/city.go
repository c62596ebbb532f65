package server

import (
	"fmt"
	"os"

	"stadtluft/export/basemap"
	"stadtluft/geo"
	"stadtluft/geo/coverage"
)

// city holds the content of the city's files.
type city struct {
	boundary  *geo.Boundary
	districts []geo.District
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
	if c.people, err = loadPeople(config, c.boundary); err != nil {
		return c, err
	}
	c.basemap, err = loadBasemap(config)
	return c, err
}

// LoadBoundary reads the city's boundary; without a configured file it returns the built-in sketch.
func LoadBoundary(c Config) (*geo.Boundary, error) {
	if c.CityBoundary == "" {
		return geo.CologneSketch(), nil
	}
	file, err := os.Open(c.CityBoundary)
	if err != nil {
		return nil, fmt.Errorf("city.boundary: %w", err)
	}
	defer file.Close()
	boundary, err := geo.ReadBoundary(file)
	if err != nil {
		return nil, fmt.Errorf("city.boundary: read %s: %w", c.CityBoundary, err)
	}
	return boundary, nil
}

// loadDistricts reads the city's districts; none when none are configured.
func loadDistricts(c Config) ([]geo.District, error) {
	if c.CityDistricts == "" {
		return nil, nil
	}
	file, err := os.Open(c.CityDistricts)
	if err != nil {
		return nil, fmt.Errorf("city.districts: %w", err)
	}
	defer file.Close()
	districts, err := geo.ReadDistricts(file, "")
	if err != nil {
		return nil, fmt.Errorf("city.districts: read %s: %w", c.CityDistricts, err)
	}
	return districts, nil
}

// loadPeople reads the inhabitants of the city's cells; none without a census table.
func loadPeople(c Config, boundary *geo.Boundary) (map[geo.Cell]int, error) {
	if c.CityCensus == "" {
		return nil, nil
	}
	file, err := os.Open(c.CityCensus)
	if err != nil {
		return nil, fmt.Errorf("city.census: %w", err)
	}
	defer file.Close()
	people, err := coverage.ReadPeople(file, boundary.Cells(int32(c.GridResolution)))
	if err != nil {
		return nil, fmt.Errorf("city.census: read %s: %w", c.CityCensus, err)
	}
	return people, nil
}
