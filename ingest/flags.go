package ingest

import (
	"math/bits"
	"strings"
)

// Flags is a set of what the checks found doubtful about a value. The bits are written into journals
// and stores: they are never reused and new ones are added at the end.
type Flags uint32

// The flags, with the rule of each in package quality.
const (
	Range        Flags = 1 << iota // outside its sensor's measuring range
	Sentinel                       // a firmware's or sensor's mark for "no value"
	Inconsistent                   // a smaller particle fraction exceeds a larger one
	Stuck                          // the value has not changed for hours
	Spike                          // far from the station's own past, and not shared by its neighbours
	Humid                          // measured in humid air, in which particle counters show too much
	Outlier                        // far from the neighbours
	Uncorrelated                   // does not follow the neighbours
	SeemsIndoor                    // behaves as if it hung indoors
	Moved                          // does not stand where its owner said
	flagEnd
)

// Excluding are the flags that keep a value out of every average.
const Excluding = Range | Sentinel | Inconsistent | Stuck | Spike | Outlier | Uncorrelated | SeemsIndoor | Moved

// HourFlagMask are the flags that checks of whole hours alone set: those that only a whole hour and the neighbours can show. HourFlags
// may also be Humid, which readings can be by themselves.
const HourFlagMask = Spike | Outlier | Uncorrelated | SeemsIndoor | Moved

var flagNames = [...]string{"range", "sentinel", "inconsistent", "stuck", "spike", "humid", "outlier", "uncorrelated", "indoor", "moved"}

// AllFlags lists every flag on its own, in the order of the bits.
func AllFlags() []Flags {
	var all []Flags
	for f := Flags(1); f < flagEnd; f <<= 1 {
		all = append(all, f)
	}
	return all
}

// Each are the flags that are set, each on its own, in the order of the bits; nil when none is.
func (f Flags) Each() []Flags {
	var each []Flags
	for ; f != 0; f &= f - 1 {
		each = append(each, f&-f)
	}
	return each
}

// Good reports whether no flag keeps the value out of averages.
func (f Flags) Good() bool { return f&Excluding == 0 }

// Names are the names of the flags that are set, in the order of the bits; nil when none is.
func (f Flags) Names() []string {
	var names []string
	for ; f != 0; f &= f - 1 {
		if i := bits.TrailingZeros32(uint32(f)); i < len(flagNames) {
			names = append(names, flagNames[i])
		}
	}
	return names
}

// String joins the names with "|", as the CSV column does; empty means good.
func (f Flags) String() string {
	if i := bits.TrailingZeros32(uint32(f)); f&(f-1) == 0 && i < len(flagNames) {
		return flagNames[i] // one alone needs no memory
	}
	return strings.Join(f.Names(), "|")
}

// ParseFlags is the inverse of String.
func ParseFlags(s string) (Flags, bool) {
	var f Flags
	if s == "" {
		return 0, true
	}
next:
	for _, name := range strings.Split(s, "|") {
		for i, known := range flagNames {
			if name == known {
				f |= 1 << i
				continue next
			}
		}
		return 0, false
	}
	return f, true
}
