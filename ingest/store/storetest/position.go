package storetest

import (
	"errors"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// advancing moves the position forward, back and to another journal. A wrong start stores nothing.
func advancing(t *testing.T, s store.Store) {
	is := func(want ingest.Position) {
		t.Helper()
		if at, err := s.Position(t.Context()); err != nil || !at.Equal(want) {
			t.Fatalf("the position is %+v, %v, want %+v", at, err, want)
		}
	}
	is(ingest.Position{})
	at := func(journal string, seq uint64) ingest.Position {
		return ingest.Position{Journal: journal, Seq: seq, Time: noon.Add(time.Duration(seq) * 1_000_000_001)}
	}
	last := ingest.Position{}
	var want []ingest.Reading
	for i, to := range []ingest.Position{at("a", 7), at("a", 1<<40), at("a", 3), at(`b "c"\`, 5), at(`b "c"\`, 0)} {
		r := reading("A", i, quantity.PM10, float64(i))
		for _, wrong := range []ingest.Position{at("a", 9), {Journal: last.Journal, Seq: last.Seq, Time: last.Time.Add(1)}} {
			if err := s.Advance(t.Context(), []ingest.Reading{reading("WRONG", i, quantity.PM10, 1)}, wrong, to, nil); !errors.Is(err, ingest.ErrPosition) {
				t.Fatalf("from %+v instead of %+v: %v, want %v", wrong, last, err, ingest.ErrPosition)
			}
			is(last)
		}
		if err := s.Advance(t.Context(), []ingest.Reading{r}, last, to, nil); err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
		same(t, read(t, s, all()), want)
		is(to)
		last = to
	}
	if err := s.Advance(t.Context(), nil, last, at("d", 1), nil); err != nil {
		t.Fatal(err)
	}
	is(at("d", 1))
	if err := errors.Join(s.Forget(t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour)), s.DeleteReadings(t.Context(), "A")); err != nil {
		t.Fatal(err)
	}
	is(at("d", 1))
}
