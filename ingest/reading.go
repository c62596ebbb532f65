package ingest

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// TimeSource is the source of a reading's time. Its number is written into the journal.
type TimeSource uint8

const (
	StationClock TimeSource = iota // the station sent "t"
	StationAge                     // receipt minus the "age" the station sent
	Receipt                        // the time of receipt, as the station sent none
	Network                        // the time at which a radio network or a neighbour's server received it
)

var timeSourceNames = [...]string{"station", "age", "receipt", "network"}

// Valid reports whether s is a source of this version.
func (s TimeSource) Valid() bool { return int(s) < len(timeSourceNames) }

// String returns the name of s in files: station, age, receipt or network.
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

// Value is a measured value, unchanged, with the flags that the checks have set.
type Value struct {
	Quantity quantity.Quantity
	Flags    Flags
	Value    float64
}

// Reading is a trusted reading: decoded, from a known station, with a plausible time. Later packages do not check its
// form again.
type Reading struct {
	Station    string
	Time       time.Time // of observation; UTC, whole seconds
	Received   time.Time // of receipt; UTC, milliseconds
	TimeSource TimeSource
	Values     []Value // at least one, no quantity twice
}

// Refusal is something a station sent that was not accepted, kept so that its owner can read why.
type Refusal struct {
	Station  string    // as named by the topic or the log-in; empty when neither names one
	Received time.Time // UTC, milliseconds
	Reason   wire.Reason
	Field    string // the member at fault; empty for the whole message
	Detail   string // one English sentence that quotes the input, at most MaxDetail bytes

	// The facts in the detail, for programs; not kept with the refusal.
	Observed time.Time     // when the refused value was measured, as the station said; zero when that is not known
	Value    float64       // the refused value of a conflict
	Limit    time.Duration // how far Observed may be from the time of receipt, when the reason is clock
}

// MaxDetail bounds a refusal's detail, in bytes.
const MaxDetail = 300

// HourFlags holds what the checks of whole hours found about one quantity of a station: flags for each of the hour's
// values that is not excluded by itself, and the results of the checks. Later HourFlags of the same
// hour, station and quantity replace earlier ones; those without flags remove them.
type HourFlags struct {
	Station  string
	Hour     time.Time // start of the hour, UTC
	Quantity quantity.Quantity
	Flags    Flags
	Humid    []Span // in which values are Humid when only a part of the hour's are; ascending
}

// Span is a part of an hour.
type Span struct {
	From, To uint16 // seconds into the hour, both included
	Values   uint16 // how many values it has
}

// At returns the flags of a value that was measured in the hour at a time.
func (v *HourFlags) At(at time.Time) Flags {
	second := uint16(at.Unix() % 3600)
	for _, s := range v.Humid {
		if s.From <= second && second <= s.To {
			return v.Flags | Humid
		}
	}
	return v.Flags
}

// Equal reports whether two HourFlags are the same.
func (v *HourFlags) Equal(o *HourFlags) bool {
	return v.Station == o.Station && v.Hour.Equal(o.Hour) && v.Quantity == o.Quantity && v.Flags == o.Flags && slices.Equal(v.Humid, o.Humid)
}

// Compare orders HourFlags by hour, station and quantity.
func (v HourFlags) Compare(o HourFlags) int {
	return cmp.Or(v.Hour.Compare(o.Hour), cmp.Compare(v.Station, o.Station), cmp.Compare(v.Quantity, o.Quantity))
}

// Batch is the result of one batch of messages: each input is a reading or a refusal. HourFlags come in batches of
// their own, after their readings.
type Batch struct {
	Readings  []Reading
	Refusals  []Refusal
	HourFlags []HourFlags
}
