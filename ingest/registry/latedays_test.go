package registry_test

import (
	"slices"
	"testing"
	"time"

	"stadtluft/geo"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
)

// TestLateDays notes days twice, sorted and once each; what is noted while some are done stays.
func TestLateDays(t *testing.T) {
	r := registrytest.Open(t, registry.Options{Boundary: geo.CologneSketch(), Policy: registry.PolicyOpen})
	first := time.Date(2019, 4, 20, 23, 0, 0, 0, time.UTC)
	second := first.AddDate(0, 0, 1)
	f := func(what string, want ...time.Time) registry.LateDays {
		t.Helper()
		l, err := r.LateDays(t.Context())
		if err != nil || !slices.EqualFunc(l.Days, want, time.Time.Equal) {
			t.Errorf("%s: %v, %v, want %v", what, l.Days, err, want)
		}
		return l
	}
	note := func(days ...time.Time) {
		t.Helper()
		if err := r.NoteLateDays(t.Context(), days); err != nil {
			t.Fatal(err)
		}
	}
	f("at first")
	note(second)
	before := f("one day", second)
	note(first, second)
	note(second)
	now := f("two days", first, second)
	if now.Noted.IsZero() || time.Since(now.Noted) > time.Minute {
		t.Errorf("noted at %v", now.Noted)
	}
	if err := r.LateDaysDone(t.Context(), before, nil); err != nil {
		t.Fatal(err)
	}
	f("an earlier state is done", first, second)
	if err := r.LateDaysDone(t.Context(), now, nil); err != nil {
		t.Fatal(err)
	}
	done := f("done")
	note(first)
	f("noted again", first)
	if err := r.LateDaysDone(t.Context(), done, nil); err != nil {
		t.Fatal(err)
	}
	f("noted meanwhile", first)
	if err := r.LateDaysDone(t.Context(), f("to be made once more", first), []time.Time{first}); err != nil {
		t.Fatal(err)
	}
	if l := f("made again"); !slices.EqualFunc(l.Again, []time.Time{first}, time.Time.Equal) {
		t.Errorf("once more: %v, want %v", l.Again, first)
	}
	note(first) // at once, although it waits to be made once more
	if l := f("noted while it waits", first); len(l.Again) != 1 {
		t.Errorf("once more: %v, want one", l.Again)
	}
	for n := range 40 { // more than the bucket keeps of a key
		note(first.AddDate(0, 0, n))
	}
	if l, err := r.LateDays(t.Context()); err != nil || len(l.Days) != 40 {
		t.Errorf("%d days are noted, %v, want 40", len(l.Days), err)
	}
}
