package ingest

import (
	"fmt"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// BehindError is the error of a Journal's Append when other processes have appended readings before. Nothing of the batch
// is in the journal, or a part that is among the others.
type BehindError struct {
	Others []Batch // what is in the journal now and was not known here, in its order
}

func (e *BehindError) Error() string { return "other processes have appended to the journal before" }

// redeliverWithin is how soon a station delivers again, at another process, what was not acknowledged.
const redeliverWithin = 10 * time.Minute

// ConflictOf returns the refusal, without station and receipt, of a value for a time and quantity that have another.
func ConflictOf(at time.Time, q quantity.Quantity, value float64, first float32) Refusal {
	return Refusal{Reason: wire.Conflict, Field: q.String(), Observed: at, Value: value, Detail: fmt.Sprintf(
		"at %s %s was %v already; %v comes too late, the first stays", at.Format(time.RFC3339), q, first, value)}
}

// settle takes out of the batch what others have appended before: the same value is a duplicate, another one for the same
// time is refused.
func (p *Pipeline) settle(messages []Message, others []Batch) {
	known := map[string][]Reading{}
	for _, b := range others {
		for _, r := range b.Readings {
			known[r.Station] = append(known[r.Station], r)
		}
	}
	if len(known) == 0 {
		return
	}
	readings, refusals := p.batch.Readings, p.batch.Refusals
	p.batch.Readings, p.batch.Refusals = nil, nil
	for i := range p.shares {
		s := &p.shares[i]
		mine := readings[:s.readings]
		p.batch.Refusals = append(p.batch.Refusals, refusals[:s.refusals]...)
		readings, refusals = readings[s.readings:], refusals[s.refusals:]
		before, refused := len(p.batch.Readings), len(p.batch.Refusals)
		duplicates := 0
		for _, r := range mine {
			duplicates += p.settleReading(r, known[r.Station], messages[i].Redelivered)
		}
		s.readings = len(p.batch.Readings) - before
		s.refusals += len(p.batch.Refusals) - refused
		s.duplicates += duplicates
		p.Counters.duplicates.Add(uint64(duplicates))
	}
	p.batch.Refusals = append(p.batch.Refusals, refusals...) // of names that nobody knows
}

// settleReading adds what is new of a reading to the batch, and what conflicts to its refusals. It returns how many values
// were known.
func (p *Pipeline) settleReading(r Reading, known []Reading, redelivered bool) (duplicates int) {
	if redelivered && (r.TimeSource == Receipt || r.TimeSource == StationAge) && receivedLately(r, known) {
		return len(r.Values)
	}
	fresh := r
	fresh.Values = nil
	for _, v := range r.Values {
		first, there := firstValue(known, r.Time, v.Quantity)
		switch {
		case !there:
			fresh.Values = append(fresh.Values, v)
		case first == float32(v.Value):
			duplicates++
		default:
			refusal := ConflictOf(r.Time, v.Quantity, v.Value, first)
			refusal.Station, refusal.Received = r.Station, r.Received
			p.batch.Refusals = append(p.batch.Refusals, refusal)
		}
	}
	if len(fresh.Values) > 0 {
		p.batch.Readings = append(p.batch.Readings, fresh)
	}
	return duplicates
}

// firstValue returns the first value of a station's readings for a time and quantity.
func firstValue(known []Reading, at time.Time, q quantity.Quantity) (value float32, there bool) {
	for _, r := range known {
		if v, there := r.value(q); there && r.Time.Equal(at) {
			return float32(v), true
		}
	}
	return 0, false
}

// receivedLately reports whether others took each value of a reading in the last minutes.
func receivedLately(r Reading, known []Reading) bool {
	for _, v := range r.Values {
		found := false
		for _, k := range known {
			value, there := k.value(v.Quantity)
			found = found || there && float32(value) == float32(v.Value) && r.Received.Sub(k.Received) <= redeliverWithin
		}
		if !found {
			return false
		}
	}
	return true
}

// value returns a reading's value of a quantity.
func (r *Reading) value(q quantity.Quantity) (value float64, there bool) {
	for _, v := range r.Values {
		if v.Quantity == q {
			return v.Value, true
		}
	}
	return 0, false
}
