package server

import "stadtluft/ingest"

// stationGroup collects readings and passes them on by station. It takes one look at a map for each, where sorting them takes
// some sixteen comparisons. The zero value is empty.
type stationGroup struct {
	readings []ingest.Reading
	next     []int32          // the place of the next reading of the same station, 0 for none
	numbers  map[string]int32 // of stations, from the first group on
	chains   []chain          // by number
	one      []ingest.Reading // of one station
}

// chain is where a station's readings begin and end.
type chain struct{ first, last, length int32 }

func (g *stationGroup) add(r ingest.Reading) {
	n, known := g.numbers[r.Station]
	if !known {
		if g.numbers == nil {
			g.numbers = map[string]int32{}
		}
		n = int32(len(g.chains))
		g.numbers[r.Station], g.chains = n, append(g.chains, chain{})
	}
	at, c := int32(len(g.readings)), &g.chains[n]
	g.readings, g.next = append(g.readings, r), append(g.next, 0)
	if c.length == 0 {
		c.first = at
	} else {
		g.next[c.last] = at
	}
	c.last, c.length = at, c.length+1
}

// each passes on the readings of each station, in the order in which they were added, and empties the group. They are valid
// during the call.
func (g *stationGroup) each(do func(readings []ingest.Reading) error) error {
	for n := range g.chains {
		c := g.chains[n]
		if c.length == 0 {
			continue
		}
		g.one = g.one[:0]
		for at := c.first; len(g.one) < int(c.length); at = g.next[at] {
			g.one = append(g.one, g.readings[at])
		}
		if err := do(g.one); err != nil {
			return err
		}
		g.chains[n] = chain{}
	}
	g.readings, g.next = g.readings[:0], g.next[:0]
	return nil
}
