package server

import "testing"

func TestGarbagePercent(t *testing.T) {
	f := func(live uint64, want int) {
		t.Helper()
		if got := garbagePercent(live); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", live, got, want)
		}
	}
	f(0, 100)
	f(60<<20, 100)
	f(64<<20, 100)
	f(100<<20, 60)
	f(200<<20, 50)
	f(2<<30, 50)
}
