package storetest

import (
	"errors"
	"strings"
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

// owning has two installations use one store: the first adopts it, also when it has readings, the other is refused everything by name. What is
// marked stays marked while the position moves.
func owning(t *testing.T, s store.Store) {
	if _, err := s.WriteReadings(t.Context(), []ingest.Reading{reading("A", 0, quantity.PM10, 1)}); err != nil {
		t.Fatal(err)
	}
	if id, err := s.Deployment(t.Context()); err != nil || id != "" {
		t.Fatalf("a store of an earlier version is %q's, %v", id, err)
	}
	first, second := &store.Owned{Store: s, Installation: "FIRST"}, &store.Owned{Store: s, Installation: "SECOND"}
	same(t, read(t, first, all()), []ingest.Reading{reading("A", 0, quantity.PM10, 1)})
	to := ingest.Position{Journal: "a", Seq: 1, Time: noon}
	if err := first.Advance(t.Context(), nil, ingest.Position{}, to, nil); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"ping": second.Ping(t.Context()),
		"write": func() error {
			_, err := second.WriteReadings(t.Context(), []ingest.Reading{reading("B", 0, quantity.PM10, 1)})
			return err
		}(),
		"advance":  second.Advance(t.Context(), nil, to, ingest.Position{Journal: "b", Seq: 1, Time: noon}, nil),
		"position": func() error { _, err := second.Position(t.Context()); return err }(),
		"grid":     second.WriteGrid(t.Context(), nil),
		"forget":   second.Forget(t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour)),
		"delete":   second.DeleteReadings(t.Context(), "A"),
		"readings": second.Readings(t.Context(), all(), func(ingest.Reading) error { return nil }),
	} {
		if want := "the store belongs to installation FIRST, not to SECOND"; !errors.Is(err, store.ErrForeign) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of another: %v, want %q", what, err, want)
		}
	}
	if id, err := s.Deployment(t.Context()); err != nil || id != "FIRST" {
		t.Errorf("it is %q's, %v", id, err)
	}
	if err := first.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	same(t, read(t, first, all()), []ingest.Reading{reading("A", 0, quantity.PM10, 1)})
}
