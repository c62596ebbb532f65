package server

import (
	"fmt"
	"os"

	"stadtluft/geo"
	"stadtluft/geo/coverage"
)

// LoadBoundary reads the city's outline, or takes the sketch when none is configured.
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

// loadDistricts reads the city's districts; none where none are configured.
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

// loadPeople reads the inhabitants of the city's cells; none where no census table is configured.
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
