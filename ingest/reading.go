package ingest

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// TimeSource says where a reading's time came from. Its number is written into the journal.
type TimeSource uint8

const (
	StationClock TimeSource = iota // the station sent "t"
	StationAge                     // receipt minus the "age" the station sent
	Receipt                        // the time of receipt, the station sent nothing
	Network                        // a radio network or a neighbour's server received it then
)

var timeSourceNames = [...]string{"station", "age", "receipt", "network"}

// Valid reports whether s is a source of this version.
func (s TimeSource) Valid() bool { return int(s) < len(timeSourceNames) }

// String is the name of s in files: station, age, receipt or network.
func (s TimeSource) String() string {
	if s.Valid() {
		return timeSourceNames[s]
	}
	return "unknown"
}

// ParseTimeSource is the inverse of String.
func ParseTimeSource(name string) (TimeSource, bool) {
	i := slices.Index(timeSourceNames[:], name)
	return TimeSource(max(i, 0)), i >= 0
}

// Value is a measured value with the flags the checks have set. The value itself is as it came.
type Value struct {
	Quantity quantity.Quantity
	Flags    Flags
	Value    float64
}

// Reading is a trusted reading: decoded, from a known station, with a plausible time. Nothing past
// this package checks its form again.
type Reading struct {
	Station    string
	Time       time.Time // of observation; UTC, whole seconds
	Received   time.Time // of receipt; UTC, milliseconds
	TimeSource TimeSource
	Values     []Value // at least one, no quantity twice
}

// Refusal is something a station sent that was not taken, kept so that its owner can read why.
type Refusal struct {
	Station  string    // as the topic or the log-in named it; empty where nothing did
	Received time.Time // UTC, milliseconds
	Reason   wire.Reason
	Field    string // the member at fault; empty for the whole message
	Detail   string // one English sentence that quotes what came, at most MaxDetail bytes

	// What the detail is made of, for programs; not kept with the refusal.
	Observed time.Time     // when the value at fault was measured, as the station said; zero where that is not known
	Value    float64       // the value at fault of a conflict
	Limit    time.Duration // how far Observed may be from the time of receipt, of a clock
}

// MaxDetail bounds a refusal's detail, in bytes.
const MaxDetail = 300

// HourFlags is what the checks that look at whole hours found of one quantity of a station: flags for each of
// the hour's values, beside those that the values have by themselves. Later HourFlags of the same replace
// these; those without flags take them away.
type HourFlags struct {
	Station  string
	Hour     time.Time // start of the hour, UTC
	Quantity quantity.Quantity
	Flags    Flags
}

// Compare orders HourFlags by hour, station and quantity.
func (v HourFlags) Compare(o HourFlags) int {
	return cmp.Or(v.Hour.Compare(o.Hour), cmp.Compare(v.Station, o.Station), cmp.Compare(v.Quantity, o.Quantity))
}

// Batch is what one micro-batch of messages became: each input is a reading or a refusal. HourFlags come in
// batches of their own, after the readings they are about.
type Batch struct {
	Readings  []Reading
	Refusals  []Refusal
	HourFlags []HourFlags
}
