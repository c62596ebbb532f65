package ingest

import "testing"

// TestResultsOfChecks writes results beside flags: neither shows in the other.
func TestResultsOfChecks(t *testing.T) {
	f := func(flags Flags, words string) {
		t.Helper()
		got, ok := ParseChecks(words)
		if flags.Checks() != words || !ok || got != flags&^flags.Found() {
			t.Errorf("%#x: %q, and back %#x, %v; want %q", uint32(flags), flags.Checks(), uint32(got), ok, words)
		}
		if back := JoinFlags(flags.Split()); back != flags {
			t.Errorf("%#x split and joined is %#x", uint32(flags), uint32(back))
		}
	}
	f(0, "")
	f(Spike|Humid, "")
	all := Range | Moved
	for i, c := range AllChecks() {
		all = all.With(c, Result(1+i%3))
	}
	f(all, "stuck|spike:neighbours|outlier:history|moved|indoor:neighbours|uncorrelated:history")
	if all.String() != "range|moved" || all.Good() || all.Unchecked() || len(all.Each()) != 2 {
		t.Errorf("beside results the flags are %q", all)
	}
	if ran := Flags(0).With(SpikeCheck, Checked); !ran.Good() || ran.String() != "" || ran.With(SpikeCheck, Unchecked) != 0 {
		t.Errorf("a check that ran: %q, %q", ran, ran.Checks())
	}
	for _, bad := range []string{"spike:", "spike:rain", "range", "spike|", "|spike", "spike:unchecked", "unchecked"} {
		if flags, ok := ParseChecks(bad); ok {
			t.Errorf("%q is read as %#x", bad, uint32(flags))
		}
	}
}
