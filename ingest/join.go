package ingest

import (
	"slices"
	"time"

	"stadtluft/firmware-protocol/wire"
)

// joinWithin is how long after the first value further values belong to the same reading: the interval at which such
// firmware sends by default.
const joinWithin = time.Minute

// maxJoins bounds the stations whose open reading is remembered.
const maxJoins = 10_000

// joins combines the messages of firmware that sends each value by itself into readings: they get the time of receipt
// of the first of them, and so become one row wherever readings are kept. The next reading begins after a minute, or
// with a quantity that the reading has already. Messages do not wait for each other, so each is acknowledged at once.
// The zero value is ready.
type joins struct{ open map[string]*openReading }

type openReading struct {
	at     time.Time
	values []wire.Value
}

// join gives readings without a time of their own the time of their station's open reading. A message that is
// delivered again, because its acknowledgement was lost, gets the same time as before. The time of a retained message
// is unknown; the checks refuse it.
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

// takes reports whether o has none of the quantities of values; with again it may have the same value.
func (o *openReading) takes(values []wire.Value, again bool) bool {
	return !slices.ContainsFunc(values, func(v wire.Value) bool {
		return slices.ContainsFunc(o.values, func(old wire.Value) bool {
			return old.Quantity == v.Quantity && !(again && old.Value == v.Value)
		})
	})
}
