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

// Reading holds what a station measured at one moment. It has a Time, an Age (HasAge), or neither: a station with a
// clock sends the time, one without may send how many seconds ago it measured, and with neither the time of receipt
// counts.
type Reading struct {
	Time   time.Time     // UTC; zero when the station sent none
	Age    time.Duration // 0 or more; meaningful when HasAge
	HasAge bool
	Values []Value // at least one, no quantity twice, in the order of the message
}

// Refusal is one part of a message that was not accepted, and why.
type Refusal struct {
	Reason Reason
	Field  string // the member's name, with "[2]." before it in an array; empty for the whole message
	Detail string // one English sentence that quotes the input
}

// Message is a decoded payload: the usable readings, and the refusals.
type Message struct {
	Readings []Reading
	Refusals []Refusal
}
