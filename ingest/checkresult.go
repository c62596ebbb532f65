package ingest

import (
	"slices"
	"strings"
)

// Check is a check of whole hours. Its name is that of the flag that it sets.
type Check uint8

// The checks. Their numbers are written into journals and stores: new ones are added at the end.
const (
	StuckCheck Check = iota
	SpikeCheck
	OutlierCheck
	MovedCheck
	IndoorCheck
	UncorrelatedCheck
	checkEnd
)

var checkFlags = [...]Flags{Stuck, Spike, Outlier, Moved, SeemsIndoor, Uncorrelated}

// AllChecks returns every check in order.
func AllChecks() []Check {
	all := make([]Check, checkEnd)
	for i := range all {
		all[i] = Check(i)
	}
	return all
}

// Flag returns the flag that the check sets.
func (c Check) Flag() Flags { return checkFlags[c] }

// String returns the name of the check in files: that of its flag.
func (c Check) String() string { return c.Flag().String() }

// Result is what became of a check of an hour. Its number is written into journals and stores.
type Result uint8

const (
	Unchecked    Result = iota // the hour was not checked yet, or the quantity has no such check
	Checked                    // the check ran
	NoNeighbours               // too few neighbours to compare with
	NoHistory                  // too little is known of the hours before
)

// resultNames follow a check's name in files.
var resultNames = [...]string{"unchecked", "", ":neighbours", ":history"}

const (
	checkShift            = 20 // the first bit of the results, two bits each
	resultBits            = 2
	resultMask      Flags = (1<<(resultBits*int(checkEnd)) - 1) << checkShift
	oneResult       Flags = 1<<resultBits - 1
	checkSeparator        = "|"
	resultSeparator       = ":"
)

// Result returns what became of a check.
func (f Flags) Result(c Check) Result {
	return Result(f >> (checkShift + resultBits*c) & oneResult)
}

// With returns the flags with the result of a check.
func (f Flags) With(c Check, o Result) Flags {
	at := checkShift + resultBits*c
	return f&^(oneResult<<at) | Flags(o)<<at
}

// Split returns the flags and the results of the checks as two numbers, for a store with a field for each.
func (f Flags) Split() (flags, checks int64) {
	return int64(f.Found()), int64(f&resultMask) >> checkShift
}

// JoinFlags is the inverse of Split.
func JoinFlags(flags, checks int64) Flags {
	return Flags(flags).Found() | Flags(checks)<<checkShift&resultMask
}

// Unchecked reports whether no check of whole hours was made of the value: none of its flags says that it is good.
func (f Flags) Unchecked() bool { return f&resultMask == 0 }

// Checks joins the checks that were made with "|", as in the column checks; one that could not be made has its reason
// behind a colon. It is empty for a value whose hour was not checked.
func (f Flags) Checks() string {
	var b strings.Builder
	for c := range checkEnd {
		if o := f.Result(c); o != Unchecked {
			if b.Len() > 0 {
				b.WriteString(checkSeparator)
			}
			b.WriteString(c.String())
			b.WriteString(resultNames[o])
		}
	}
	return b.String()
}

// ParseChecks is the inverse of Checks.
func ParseChecks(s string) (f Flags, ok bool) {
	if s == "" {
		return 0, true
	}
	for part := range strings.SplitSeq(s, checkSeparator) {
		name, reason, given := strings.Cut(part, resultSeparator)
		check := slices.IndexFunc(checkFlags[:], func(f Flags) bool { return f.String() == name })
		if given {
			reason = resultSeparator + reason
		}
		result := slices.Index(resultNames[:], reason)
		if check < 0 || result <= int(Unchecked) {
			return 0, false
		}
		f = f.With(Check(check), Result(result))
	}
	return f, true
}
