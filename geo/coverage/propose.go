package coverage

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"stadtluft/geo"
)

// farMetres caps the distance that counts: beyond it a cell is simply unmeasured, and an empty corner far away must
// not come before a quarter full of people.
const farMetres = 5000

// Proposal is a cell in which a station would help.
type Proposal struct {
	Cell   geo.Cell
	Weight float64 // people, or 1 where they are not known, times metres to the nearest station or earlier proposal
	// People is the cell's number of inhabitants; it is valid only if Known.
	People int
	Known  bool
	// Distance is the distance in metres from the centre of the cell to the centre of the nearest station's 100 m
	// cell; 0 when there is no station at all.
	Distance float64
}

// candidate is an uncovered cell. Squared distances of centres are whole numbers, so every machine chooses the same.
type candidate struct {
	Proposal
	nearest int64 // squared metres to the nearest station or earlier proposal, capped
}

// Propose returns at most n cells without a station, ranked by how much a station would help, assuming that those
// before it get one: greedy, by Weight, and by the order of cells among equals. A cell has weight 0 and is not
// proposed when nobody is known to live there, or when a silent station stands in its very centre.
func (c City) Propose(n int) []Proposal {
	candidates := c.candidates()
	proposals := []Proposal{}
	for len(proposals) < n {
		best := -1
		for i := range candidates {
			if candidates[i].Weight > 0 && (best < 0 || candidates[i].before(&candidates[best])) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		chosen := candidates[best].Proposal
		proposals = append(proposals, chosen)
		for i := range candidates {
			candidates[i].approach(squared(candidates[i].Cell, chosen.Cell))
		}
	}
	return proposals
}

func (c City) candidates() []candidate {
	covered := set(c.Covered)
	stations := slices.Compact(slices.SortedFunc(slices.Values(c.Stations), geo.Cell.Compare))
	var all []candidate
	for _, cell := range c.Cells {
		if covered[cell] {
			continue
		}
		nearest := int64(math.MaxInt64)
		for _, station := range stations {
			nearest = min(nearest, squared(cell, station))
		}
		one := candidate{Proposal: Proposal{Cell: cell}, nearest: farMetres * farMetres}
		one.People, one.Known = c.People[cell]
		if len(stations) > 0 {
			one.Distance = math.Sqrt(float64(nearest))
		}
		one.approach(nearest)
		all = append(all, one)
	}
	return all
}

// approach updates the weight of a candidate for a station or proposal at the given squared distance.
func (c *candidate) approach(squared int64) {
	c.nearest = min(c.nearest, squared)
	people := 1
	if c.Known {
		people = c.People
	}
	c.Weight = float64(people) * math.Sqrt(float64(c.nearest))
}

func (c *candidate) before(o *candidate) bool {
	if c.Weight != o.Weight {
		return c.Weight > o.Weight
	}
	return c.Cell.Compare(o.Cell) < 0
}

// squared returns the squared distance between the centres of two cells in square metres, along the grid.
func squared(a, b geo.Cell) int64 {
	north := int64(a.North+a.Size/2) - int64(b.North+b.Size/2)
	east := int64(a.East+a.Size/2) - int64(b.East+b.Size/2)
	return north*north + east*east
}

// Reason returns a sentence for people that says why a station helps here: "1,840 people, 2.3 km from the nearest
// station".
func (p Proposal) Reason() (english, german string) {
	if p.Known {
		english, german = grouped(p.People, ",")+" people, ", grouped(p.People, ".")+" Menschen, "
		if p.People == 1 {
			english, german = "1 person, ", "1 Mensch, "
		}
	}
	if p.Distance == 0 {
		return english + "no station yet", german + "noch keine Station"
	}
	hundreds := int(math.Round(p.Distance / 100))
	if hundreds < 10 {
		return fmt.Sprintf("%s%d m from the nearest station", english, hundreds*100),
			fmt.Sprintf("%s%d m bis zur nächsten Station", german, hundreds*100)
	}
	return fmt.Sprintf("%s%d.%d km from the nearest station", english, hundreds/10, hundreds%10),
		fmt.Sprintf("%s%d,%d km bis zur nächsten Station", german, hundreds/10, hundreds%10)
}

// grouped formats a number that is not negative in groups of three digits.
func grouped(n int, separator string) string {
	digits := strconv.Itoa(n)
	text := digits
	for at := len(digits) - 3; at > 0; at -= 3 {
		text = text[:at] + separator + text[at:]
	}
	return text
}
