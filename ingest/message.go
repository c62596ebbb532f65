package ingest

import (
	"context"
	"time"

	"stadtluft/firmware-protocol/wire"
)

// Message is one payload that arrived over a broker or HTTP.
type Message struct {
	Topic       string
	From        string // the station that logged in; empty when the sender is trusted, such as a broker the city runs
	Payload     []byte // owned by the pipeline once it has the message
	Received    time.Time
	Over        Transport
	Retained    bool // the broker had retained it
	Redelivered bool // the broker sent it before and received no acknowledgement
	// Refused is set when the receiver already refused the message, such as a publish below another station's prefix;
	// the pipeline then ignores everything else of the message.
	Refused *Refusal
	// Done is called exactly once, after the message's outcome is on disk. It may be nil.
	Done func(Outcome)
}

// Outcome is the result of one message. Its slices are valid during the call only.
type Outcome struct {
	Readings   []Reading
	Refusals   []Refusal
	Duplicates int      // values that were already known with the same value
	Ignored    []string // names in another firmware's message that were not used
}

// Arrival is what the checks need to know about how a reading arrived.
type Arrival struct {
	Received    time.Time
	Over        Transport
	Retained    bool
	Redelivered bool
	// Clock is the source of a reading's own time; the zero value is the station's clock.
	Clock TimeSource
}

// Stations finds registered stations. The registry implements it.
type Stations interface {
	// Station returns a snapshot that the caller may keep but not change.
	Station(id string) (*Station, bool)
}

// Devices finds the station of a device on another firmware's topic. The registry implements it.
type Devices interface {
	// Device returns the station that a device's message belongs to when nobody has logged in, nil for none. Where several stations name a device
	// that none has taken, it returns those.
	Device(d Device) (st *Station, contested []*Station)
	// Use is told of a message that a station has sent as a device. It must not block.
	Use(station string, d Device, loggedIn bool)
}

// Checker resolves a decoded reading's time and checks its values.
type Checker interface {
	// Check returns the reading to keep, with flags set, and what it refused. The reading has no values when there is
	// nothing to keep; duplicates is the number of values that were already known with the same value, which are
	// neither kept nor refused.
	Check(st *Station, a Arrival, r wire.Reading) (keep Reading, refused []Refusal, duplicates int)
}

// Journal stores batches durably.
type Journal interface {
	// Append returns nil only when the batch is durable.
	Append(ctx context.Context, b Batch) error
}
