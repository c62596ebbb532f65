package ingest

import (
	"math/bits"
	"strings"
)

// Flags is a set of doubts about a value that the quality checks found, with the Result of each Check of whole hours in
// the bits from checkShift on. The bits are written into journals and stores: they are never reused and new ones are
// added at the end.
type Flags uint32

// The flags, with the rule of each in package quality.
const (
	Range        Flags = 1 << iota // outside its sensor's measuring range
	Sentinel                       // a firmware's or sensor's mark for "no value"
	Inconsistent                   // a smaller particle fraction exceeds a larger one
	Stuck                          // the value has not changed for hours
	Spike                          // far from the station's own past values, and the neighbours do not show the same
	Humid                          // measured in humid air, in which particle counters show too much
	Outlier                        // far from the neighbours' values
	Uncorrelated                   // does not follow the neighbours' values
	SeemsIndoor                    // behaves as if the station were indoors
	Moved                          // the station is not where its owner said
	flagEnd
)

// Excluding is the set of flags that keep a value out of every average.
const Excluding = Range | Sentinel | Inconsistent | Stuck | Spike | Outlier | Uncorrelated | SeemsIndoor | Moved

// HourFlagMask is the set of flags that checks of whole hours set, because they need more than one message, with the
// results of those checks. HourFlags replace all of them.
const HourFlagMask = Stuck | Spike | Humid | Outlier | Uncorrelated | SeemsIndoor | Moved | resultMask

var flagNames = [...]string{"range", "sentinel", "inconsistent", "stuck", "spike", "humid", "outlier", "uncorrelated", "indoor", "moved"}

// AllFlags returns every flag by itself, in the order of the bits.
func AllFlags() []Flags {
	var all []Flags
	for f := Flags(1); f < flagEnd; f <<= 1 {
		all = append(all, f)
	}
	return all
}

// Found returns the flags without the results of checks.
func (f Flags) Found() Flags { return f &^ resultMask }

// Each returns the flags that are set, each by itself, in the order of the bits; nil when none is.
func (f Flags) Each() []Flags {
	var each []Flags
	for f = f.Found(); f != 0; f &= f - 1 {
		each = append(each, f&-f)
	}
	return each
}

// Good reports whether no flag keeps the value out of averages.
func (f Flags) Good() bool { return f&Excluding == 0 }

// Names returns the names of the flags that are set, in the order of the bits; nil when none is.
func (f Flags) Names() []string {
	var names []string
	for f = f.Found(); f != 0; f &= f - 1 {
		if i := bits.TrailingZeros32(uint32(f)); i < len(flagNames) {
			names = append(names, flagNames[i])
		}
	}
	return names
}

// String joins the names with "|", as in the CSV column; empty means good.
func (f Flags) String() string {
	f = f.Found()
	if i := bits.TrailingZeros32(uint32(f)); f&(f-1) == 0 && i < len(flagNames) {
		return flagNames[i] // avoids an allocation for a single flag
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
