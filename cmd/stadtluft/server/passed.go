package server

import (
	"time"

	"stadtluft/ingest"
)

// waitTime is the longest that a reading may have waited between its receipt and the journal for passed to know it.
const waitTime = time.Hour

// passed remembers values that a start has passed on from the store. What another process stores while it reads comes from the
// journal as well: without that is told apart, it would count twice in a station's day.
type passed struct {
	since  time.Time // readings received before are older than the journal's part
	values map[passedKey]uint64
}

type passedKey struct {
	station string
	second  int64 // Unix time of observation
}

// newPassed returns an empty passed for a journal that is read after a position.
func newPassed(at ingest.Position) *passed {
	return &passed{since: at.Time.Add(-waitTime), values: map[passedKey]uint64{}}
}

// note remembers the values of readings.
func (p *passed) note(readings []ingest.Reading) {
	for i := range readings {
		r := &readings[i]
		if r.Received.Before(p.since) {
			continue
		}
		key := passedKey{r.Station, r.Time.Unix()}
		for _, v := range r.Values {
			p.values[key] |= 1 << v.Quantity
		}
	}
}

// rest returns the readings without values that are remembered, and without those of which none is left.
func (p *passed) rest(readings []ingest.Reading) []ingest.Reading {
	var rest []ingest.Reading
	for _, r := range readings {
		known := p.values[passedKey{r.Station, r.Time.Unix()}]
		values := make([]ingest.Value, 0, len(r.Values))
		for _, v := range r.Values {
			if known&(1<<v.Quantity) == 0 {
				values = append(values, v)
			}
		}
		if r.Values = values; len(values) > 0 {
			rest = append(rest, r)
		}
	}
	return rest
}
