package wire

import (
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// Bounds of protocol version 1.
const (
	MaxMessage  = 64 << 10 // bytes of one message's payload
	MaxReadings = 1000     // readings in one array
)

// Value is one measured value in the unit of its quantity. It is finite.
type Value struct {
	Quantity quantity.Quantity
	Value    float64
}

// Reading is what a station measured at one moment. Time and Age exclude each other: a station with a
// clock sends Time, one without may send how many seconds ago it measured; with neither, the time of
// receipt counts.
type Reading struct {
	Time   time.Time     // UTC; zero when the station sent none
	Age    time.Duration // 0 or more; meaningful when HasAge
	HasAge bool
	Values []Value // at least one, no quantity twice, in the order of the message
}

// Refusal names one thing that was not taken.
type Refusal struct {
	Reason Reason
	Field  string // the member's name, with "[2]." before it in an array; empty for the whole message
	Detail string // one English sentence that quotes what came
}

// Message is a decoded payload: what is usable, and what is not and why.
type Message struct {
	Readings []Reading
	Refusals []Refusal
}
