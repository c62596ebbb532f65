package geo

import "github.com/paulmach/orb"

// CologneSketch returns a coarse outline of Cologne for demonstrations, wrong by up to two kilometres. A city
// configures its own boundary.
func CologneSketch() *Boundary {
	b, err := NewBoundary(orb.MultiPolygon{{{
		{6.83, 51.06}, {6.79, 51.03}, {6.80, 51.00}, {6.83, 50.98}, {6.80, 50.96}, {6.78, 50.94}, {6.80, 50.92},
		{6.85, 50.92}, {6.87, 50.90}, {6.90, 50.88}, {6.92, 50.86}, {6.96, 50.84}, {7.01, 50.83}, {7.05, 50.84},
		{7.08, 50.83}, {7.11, 50.85}, {7.14, 50.87}, {7.12, 50.90}, {7.15, 50.92}, {7.16, 50.95}, {7.12, 50.97},
		{7.09, 50.96}, {7.07, 50.98}, {7.06, 51.01}, {7.02, 51.02}, {6.99, 51.02}, {6.98, 51.05}, {6.95, 51.08},
		{6.90, 51.07}, {6.87, 51.08}, {6.83, 51.06},
	}}})
	if err != nil {
		panic(err) // a constant that a test checks
	}
	return b
}
