package airindex

import (
	"math"

	"stadtluft/firmware-protocol/bilingual"
)

// Certainty is a class of how certain the mean of a cell is.
type Certainty uint8

// The classes of certainty, ascending.
const (
	NoStation     Certainty = iota // no value
	SingleStation                  // one station: its place and its faults are those of the cell
	Few                            // two or three stations, or more that disagree
	Certain                        // at least four stations that agree
)

// The constants of CertaintyOf.
const (
	// enoughStations is the number of stations that a good mean needs. The 95 % range of a mean is wider than its
	// standard error by Student's factor: 12.7 for two stations, 4.3 for three, 3.2 for four. Below four, the spread
	// between them says almost nothing.
	enoughStations = 4
	// coverageFactor makes a standard error an expanded uncertainty of about 95 % (GUM, JCGM 100:2008).
	coverageFactor = 2
	// agreement is the largest expanded uncertainty of a good mean, as a share of the mean: what Directive
	// 2008/50/EC, Annex I, allows indicative measurements of particulate matter.
	agreement = 0.5
	// agreementLeast is the same limit in µg/m³ in clean air, where a share of a very small mean would ask for more
	// than a particle counter can do; it is the smallest deviation of the neighbourhood check.
	agreementLeast = 3
	// cellsPerCovered is how many of an area's cells one with a station stands for in a good mean of the area: where every
	// second row and column has one, each other cell touches a cell with a station.
	cellsPerCovered = 4
)

// CertaintyOf returns the class of a cell's mean in µg/m³ from the number of its stations and the sample standard
// deviation between their means in µg/m³:
//
//	stations   2·spread/√stations                      class
//	0                                                  no station
//	1                                                  single station
//	2, 3                                               few
//	4 or more  above 50 % of the mean and 3 µg/m³      few
//	4 or more  at most that, whichever is larger       good
//
// A spread that is not a number counts as a large one. For a quantity whose zero is arbitrary, such as a temperature,
// pass 0 as mean: then only the fixed bound counts, in the quantity's unit.
func CertaintyOf(stations int, spread, mean float64) Certainty {
	switch {
	case stations <= 0:
		return NoStation
	case stations == 1:
		return SingleStation
	case stations < enoughStations:
		return Few
	}
	uncertainty := coverageFactor * spread / math.Sqrt(float64(stations))
	if uncertainty <= math.Max(agreementLeast, agreement*math.Abs(mean)) {
		return Certain
	}
	return Few
}

// OfArea returns the class of an area's mean whose class by its covered cells is c: Few instead of Certain when fewer than a
// quarter of its cells are covered, because little is known of the others, however well those agree.
func (c Certainty) OfArea(covered, cells int) Certainty {
	if c == Certain && cellsPerCovered*covered < cells {
		return Few
	}
	return c
}

// Words returns the names of c.
func (c Certainty) Words() bilingual.Text {
	switch c {
	case SingleStation:
		return bilingual.Of("single station", "eine Station")
	case Few:
		return bilingual.Of("few", "wenige")
	case Certain:
		return bilingual.Of("good", "gut")
	}
	return bilingual.Of("no station", "keine Station")
}

// String returns the English name of c, as in files.
func (c Certainty) String() string { return c.Words().EN }
