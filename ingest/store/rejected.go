package store

import (
	"errors"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// ErrRejected marks an error of rows that the store refuses because of what they hold or when they are of, while it takes
// others: other rows need not wait for them.
var ErrRejected = errors.New("rejected by the store")

// Rejected holds what a store will not take of one reading.
type Rejected struct {
	Reading ingest.Reading // with only the values at fault
	Detail  string         // the store's own words
}

// Stored returns how many of the readings that were written have a value that was not rejected.
func Stored(readings []ingest.Reading, rejected []Rejected) int {
	type key struct {
		station string
		unix    int64
	}
	values := map[key]int{}
	for _, r := range rejected {
		values[key{r.Reading.Station, r.Reading.Time.Unix()}] += len(r.Reading.Values)
	}
	n := 0
	for _, r := range readings {
		if len(r.Values) > values[key{r.Station, r.Time.Unix()}] {
			n++
		}
	}
	return n
}

// Refusals returns a refusal for each rejected value, for its station's owner.
func Refusals(rejected []Rejected) []ingest.Refusal {
	var list []ingest.Refusal
	for _, r := range rejected {
		for _, v := range r.Reading.Values {
			list = append(list, ingest.Refusal{
				Station: r.Reading.Station, Received: r.Reading.Received, Reason: wire.Unstorable, Field: v.Quantity.String(), Detail: ingest.Clip(r.Detail),
			})
		}
	}
	return list
}
