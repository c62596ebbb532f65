package store

import (
	"errors"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// ErrRejected is the error for rows that the store rejects because of their content or their age, while it accepts
// others: other rows need not wait for them.
var ErrRejected = errors.New("rejected by the store")

// Rejected holds the values of one reading that a store rejects.
type Rejected struct {
	Reading ingest.Reading // with only the rejected values
	Detail  string         // the store's error message
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
