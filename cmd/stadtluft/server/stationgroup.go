package server

import (
	"iter"

	"stadtluft/ingest"
	"stadtluft/ingest/averages"
)

// stationGroup collects readings and sorts them by station. It takes one look at a map for each, where comparing them takes
// some sixteen comparisons. The zero value is empty.
type stationGroup struct {
	readings []ingest.Reading
	next     []int32           // the place of the next reading of the same station, 0 for none
	numbers  map[string]int32  // of stations, from the first group on
	chains   []chain           // by number
	sorted   []ingest.Reading  // by station, see sort
	flags    []averages.Stored // of the hour before, with the first group of an hour
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

// sort moves the readings to sorted, those of each station in the order in which they were added.
func (g *stationGroup) sort() {
	g.sorted = g.sorted[:0]
	for n := range g.chains {
		c := g.chains[n]
		for at := c.first; c.length > 0; c.length-- {
			g.sorted = append(g.sorted, g.readings[at])
			at = g.next[at]
		}
		g.chains[n] = chain{}
	}
	g.readings, g.next = g.readings[:0], g.next[:0]
}

// byStation yields the readings of each station.
func byStation(sorted []ingest.Reading) iter.Seq[[]ingest.Reading] {
	return func(yield func([]ingest.Reading) bool) {
		for len(sorted) > 0 {
			n := 1
			for n < len(sorted) && sorted[n].Station == sorted[0].Station {
				n++
			}
			if !yield(sorted[:n]) {
				return
			}
			sorted = sorted[n:]
		}
	}
}
