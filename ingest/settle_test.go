package ingest

import (
	"context"
	"slices"
	"testing"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// behindJournal is a journal to which others have appended before the first Append.
type behindJournal struct {
	fakeJournal
	others []Batch
}

func (j *behindJournal) Append(ctx context.Context, b Batch) error {
	if others := j.others; others != nil {
		j.others = nil
		return &BehindError{Others: others}
	}
	return j.fakeJournal.Append(ctx, b)
}

// TestOthersWereFirst appends three messages after another process has appended other, equal and unrelated values.
func TestOthersWereFirst(t *testing.T) {
	f := func(what string, redelivered bool, other []Value, wantKept []Value, wantDuplicates int, wantRefused []float64) {
		t.Helper()
		j := &behindJournal{others: []Batch{{Readings: []Reading{
			{Station: "AAA", Time: receipt, Received: receipt, TimeSource: Receipt, Values: other},
			{Station: "BBB", Time: receipt, Received: receipt, Values: []Value{{Quantity: quantity.PM10, Value: 99}}},
		}}}}
		var outcomes []Outcome
		done := func(o Outcome) {
			outcomes = append(outcomes, Outcome{slices.Clone(o.Readings), slices.Clone(o.Refusals), o.Duplicates, nil})
		}
		p := newPipeline(j)
		feed(t, p,
			Message{Topic: "stadtluft/v1/ZZZ/reading", Payload: []byte(`{"pm10":1}`), Received: receipt, Done: done},
			Message{Topic: "stadtluft/v1/AAA/reading", Payload: []byte(`{"pm10":20,"pm2_5":10}`), Received: receipt, Redelivered: redelivered, Done: done},
			Message{Topic: "stadtluft/v1/AAA/reading", Payload: []byte(`{"pm10":"x"}`), Received: receipt, Done: done})
		if len(outcomes) != 3 || len(j.batches) != 1 {
			t.Fatalf("%s: %d outcomes, %d batches", what, len(outcomes), len(j.batches))
		}
		if len(outcomes[0].Refusals) != 1 || outcomes[0].Refusals[0].Reason != wire.UnknownStation || len(outcomes[2].Refusals) != 1 || outcomes[2].Refusals[0].Reason != wire.NotANumber {
			t.Errorf("%s: the other messages: %+v and %+v", what, outcomes[0], outcomes[2])
		}
		got := outcomes[1]
		var kept []Value
		for _, r := range got.Readings {
			kept = append(kept, r.Values...)
		}
		var refused []float64
		for _, r := range got.Refusals {
			if r.Reason != wire.Conflict || r.Station != "AAA" || !r.Received.Equal(receipt) {
				t.Errorf("%s: refusal %+v", what, r)
			}
			refused = append(refused, r.Value)
		}
		if !slices.Equal(kept, wantKept) || got.Duplicates != wantDuplicates || !slices.Equal(refused, wantRefused) {
			t.Errorf("%s: kept %v, %d duplicates, refused %v; want %v, %d, %v", what, kept, got.Duplicates, refused, wantKept, wantDuplicates, wantRefused)
		}
		var readings int
		for _, r := range j.batches[0].Readings {
			readings += len(r.Values)
		}
		if want := 2 + len(wantRefused); readings != len(wantKept) || len(j.batches[0].Refusals) != want {
			t.Errorf("%s: the journal has %d values and %d refusals, want %d and %d", what, readings, len(j.batches[0].Refusals), len(wantKept), want)
		}
		if c := p.Counters.Snapshot(); c.Duplicates != uint64(wantDuplicates) || c.Kept != uint64(len(wantKept)) {
			t.Errorf("%s: counted %d duplicates and %d kept", what, c.Duplicates, c.Kept)
		}
	}
	pm10, pm25 := Value{Quantity: quantity.PM10, Value: 20}, Value{Quantity: quantity.PM2_5, Value: 10}
	hot := Value{Quantity: quantity.Temperature, Value: 20}
	f("nothing of it", false, []Value{hot}, []Value{pm10, pm25}, 0, nil)
	f("all of it", false, []Value{pm10, pm25}, nil, 2, nil)
	f("a part of it", false, []Value{pm25}, []Value{pm10}, 1, nil)
	f("another value", false, []Value{{Quantity: quantity.PM10, Value: 21}}, []Value{pm25}, 0, []float64{20})
	f("other values", false, []Value{{Quantity: quantity.PM10, Value: 21}, {Quantity: quantity.PM2_5, Value: 9}}, nil, 0, []float64{20, 10})
	f("all of it, delivered again", true, []Value{pm10, pm25, hot}, nil, 2, nil)
}

// TestARedeliveryElsewhere delivers a reading without a time of its own at another process two seconds later.
func TestARedeliveryElsewhere(t *testing.T) {
	f := func(redelivered bool, wantValues, wantDuplicates int) {
		t.Helper()
		j := &behindJournal{others: []Batch{{Readings: []Reading{
			{Station: "AAA", Time: receipt, Received: receipt, TimeSource: Receipt, Values: []Value{{Quantity: quantity.PM10, Value: 20}}},
		}}}}
		p := newPipeline(j)
		feed(t, p, Message{Topic: "stadtluft/v1/AAA/reading", Payload: []byte(`{"pm10":20}`), Received: receipt.Add(2e9), Redelivered: redelivered})
		if c := p.Counters.Snapshot(); c.Kept != uint64(wantValues) || c.Duplicates != uint64(wantDuplicates) {
			t.Errorf("redelivered %v: kept %d, %d duplicates, want %d and %d", redelivered, c.Kept, c.Duplicates, wantValues, wantDuplicates)
		}
	}
	f(true, 0, 1)
	f(false, 1, 0)
}
