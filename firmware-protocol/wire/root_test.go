package wire

import "testing"

func TestRoots(t *testing.T) {
	f := func(root, inside, outside string) {
		t.Helper()
		if got := WithRoot(root, inside); got != outside {
			t.Errorf("WithRoot(%q, %q) = %q, want %q", root, inside, got, outside)
		}
		if got := WithoutRoot(root, outside); got != inside {
			t.Errorf("WithoutRoot(%q, %q) = %q, want %q", root, outside, got, inside)
		}
	}
	f("", ReadingFilter, "stadtluft/v1/+/reading")
	f(Root, ReadingFilter, "stadtluft/v1/+/reading")
	f("stadtluft-bonn", ReadingFilter, "stadtluft-bonn/v1/+/reading")
	f("stadtluft-bonn", CityFilter, "stadtluft-bonn/v1/city/#")
	f("stadtluft-bonn", "airgradient/readings/abc", "airgradient/readings/abc")
	f("stadtluft-bonn", "stadtluft-bonner/v1/x/reading", "stadtluft-bonner/v1/x/reading")
	f("bonn", "bonn", "bonn")
	f("bonn", "bonn/v2/x", "bonn/v2/x")
}
