// Package coverage computes how much of a city is measured and where the next stations help most. It works on cells
// alone: cells go in, shares and proposals come out.
//
// It never gets exact places: a station is given by its 100 m cell, which is public anyway, so nobody can compute a
// station's exact place from distances.
package coverage

import "stadtluft/geo"

// City is a city with its stations in a window.
type City struct {
	Cells    []geo.Cell       // the city's cells, all of one size, each once
	Covered  []geo.Cell       // cells in which a station counts; those outside the city are ignored
	Stations []geo.Cell       // the geo.BaseSize cell of each station, within the city or around it
	People   map[geo.Cell]int // inhabitants by cell, where known; nil without a census table
}

// Share counts how much of a city is covered.
type Share struct {
	Cells, Covered int // the city's cells, and those with a station; they are equal in area
	// People are the inhabitants of the cells where they are known, and Reached those of the covered
	// ones among these. Both are 0 without a census table.
	People, Reached int
}

// Share counts the covered cells and their inhabitants.
func (c City) Share() Share {
	s := Share{Cells: len(c.Cells)}
	covered := set(c.Covered)
	for _, cell := range c.Cells {
		people := c.People[cell]
		s.People += people
		if covered[cell] {
			s.Covered++
			s.Reached += people
		}
	}
	return s
}

// OfArea returns the covered share of the area, 0 to 1.
func (s Share) OfArea() float64 { return ratio(s.Covered, s.Cells) }

// OfPeople returns the covered share of the people, 0 to 1; false when none are known.
func (s Share) OfPeople() (float64, bool) { return ratio(s.Reached, s.People), s.People > 0 }

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func set(cells []geo.Cell) map[geo.Cell]bool {
	m := make(map[geo.Cell]bool, len(cells))
	for _, cell := range cells {
		m[cell] = true
	}
	return m
}
