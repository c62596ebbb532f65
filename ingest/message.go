package ingest

import (
	"context"
	"time"

	"stadtluft/firmware-protocol/wire"
)

// Message is one payload as a broker or HTTP brought it.
type Message struct {
	Topic       string
	Payload     []byte // owned by the pipeline from hand-over on
	Received    time.Time
	Retained    bool // the broker replayed it
	Redelivered bool // the broker sent it before and had no acknowledgement
	// Refused is set when who received it already refused something, such as a publish below another's
	// prefix; nothing else of the message is looked at then.
	Refused *Refusal
	// Done is called exactly once, after what became of the message is on disk.
	// A receiver that need not know leaves it nil.
	Done func(Outcome)
}

// Outcome is what became of one message. Its slices are valid during the call only.
type Outcome struct {
	Readings   []Reading
	Refusals   []Refusal
	Duplicates int      // values that were known already and equal
	Ignored    []string // names in another firmware's message that were not taken
}

// Arrival is what the checks must know of how a reading came.
type Arrival struct {
	Received    time.Time
	Retained    bool
	Redelivered bool
	// Clock says whose clock a reading's own time is of; the zero value is the station's.
	Clock TimeSource
}

// Stations finds registered stations. The registry is one.
type Stations interface {
	// Station returns a snapshot that the caller may keep but not change.
	Station(id string) (*Station, bool)
}

// Devices finds the station of a device on another firmware's topic. The registry is one.
type Devices interface {
	Device(d Device) (*Station, bool)
}

// Checker resolves a decoded reading's time and checks its values.
type Checker interface {
	// Check returns the reading to keep, with flags set, and what is refused of it. The reading has no
	// values when nothing is to be kept; duplicates is the number of values that are already known and
	// equal, which is neither kept nor refused.
	Check(st *Station, a Arrival, r wire.Reading) (keep Reading, refused []Refusal, duplicates int)
}

// Journal keeps batches on disk.
type Journal interface {
	// Append returns nil only when the batch is durable.
	Append(ctx context.Context, b Batch) error
}
