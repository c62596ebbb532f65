package ingest

import (
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
	at   time.Time
	seen uint32 // a bit per quantity
}

// join gives readings without a time of their own the time of their station's open reading.
func (j *joins) join(station string, received time.Time, readings []wire.Reading) {
	if j.open == nil || len(j.open) >= maxJoins {
		j.open = map[string]*openReading{}
	}
	for i := range readings {
		if r := &readings[i]; r.Time.IsZero() && !r.HasAge {
			r.Time = j.time(station, received, quantities(r.Values))
		}
	}
}

func (j *joins) time(station string, received time.Time, seen uint32) time.Time {
	o := j.open[station]
	if o == nil || o.seen&seen != 0 || received.Sub(o.at).Abs() > joinWithin {
		o = &openReading{at: received.Truncate(time.Second)}
		j.open[station] = o
	}
	o.seen |= seen
	return o.at
}

func quantities(values []wire.Value) (set uint32) {
	for _, v := range values {
		set |= 1 << v.Quantity
	}
	return set
}
