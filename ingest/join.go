package ingest

import (
	"slices"
	"time"

	"stadtluft/firmware-protocol/wire"
)

// joinWithin is how long after a first value others belong to the same reading: the interval at which such
// firmware sends by default.
const joinWithin = time.Minute

// maxJoins bounds the stations whose open reading is remembered.
const maxJoins = 10_000

// joins makes one reading of the messages of a firmware that sends each value by itself: they get the time at
// which the first of them came, and thus are one row wherever readings are kept. A quantity that comes again,
// or a minute, begins the next reading. Nothing waits for the others, so that each message is acknowledged at
// once. The zero value is ready.
type joins struct{ open map[string]*openReading }

type openReading struct {
	at     time.Time
	values []wire.Value
}

// join gives readings without a time of their own the time of their station's open reading. A message that comes
// again, because its acknowledgement was lost, belongs where it was; a retained one is of no known time and is left
// for the checks to refuse.
func (j *joins) join(station string, m *Message, readings []wire.Reading) {
	if m.Retained {
		return
	}
	if j.open == nil || len(j.open) >= maxJoins {
		j.open = map[string]*openReading{}
	}
	for i := range readings {
		if r := &readings[i]; r.Time.IsZero() && !r.HasAge {
			r.Time = j.time(station, m, r.Values)
		}
	}
}

func (j *joins) time(station string, m *Message, values []wire.Value) time.Time {
	o := j.open[station]
	if o == nil || m.Received.Sub(o.at).Abs() > joinWithin || !o.takes(values, m.Redelivered) {
		o = &openReading{at: m.Received.Truncate(time.Second)}
		j.open[station] = o
	}
	o.values = append(o.values, values...)
	return o.at
}

// takes reports whether none of the quantities is there already; with again the same value may be.
func (o *openReading) takes(values []wire.Value, again bool) bool {
	return !slices.ContainsFunc(values, func(v wire.Value) bool {
		return slices.ContainsFunc(o.values, func(old wire.Value) bool {
			return old.Quantity == v.Quantity && !(again && old.Value == v.Value)
		})
	})
}
