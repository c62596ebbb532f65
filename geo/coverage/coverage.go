// Package coverage says how much of a city is measured and where the next stations help most. It is
// pure: cells go in, shares and proposals come out.
//
// Exact places never enter: a station is given by the 100 m cell it stands in, which is public anyway,
// so no set of distances can be turned back into somebody's balcony.
package coverage

import "stadtluft/geo"

// City is what is known of a city's coverage in a window.
type City struct {
	Cells    []geo.Cell       // the city's cells, all of one size, each once
	Covered  []geo.Cell       // cells in which a station counts; cells outside the city do not matter
	Stations []geo.Cell       // the cell of geo.BaseSize that each station stands in, within the city or around it
	People   map[geo.Cell]int // inhabitants by cell, where known; nil without a census table
}

// Share is how much of a city is covered.
type Share struct {
	Cells, Covered int // the city's cells, and those with a station; they are equal in area
	// People are the inhabitants of the cells where they are known, and Reached those of the covered
	// ones among these. Both are 0 without a census table.
	People, Reached int
}

// Share counts what is covered.
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

// OfArea is the covered share of the area, 0 to 1.
func (s Share) OfArea() float64 { return ratio(s.Covered, s.Cells) }

// OfPeople is the covered share of the people, 0 to 1; false where none are known.
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
