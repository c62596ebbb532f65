package airindex

import (
	"math"
	"testing"

	"stadtluft/firmware-protocol/bilingual"
)

func TestCertainty(t *testing.T) {
	f := func(stations int, spread, mean float64, want Certainty) {
		t.Helper()
		if got := CertaintyOf(stations, spread, mean); got != want {
			t.Errorf("CertaintyOf(%d, %v, %v) = %v, want %v", stations, spread, mean, got, want)
		}
	}
	f(-1, 0, 10, NoStation)
	f(0, 0, 10, NoStation)
	f(1, 0, 10, SingleStation)
	f(2, 0, 10, Few)
	f(3, 0, 10, Few)
	f(4, 0, 10, Certain)
	f(4, 10, 20, Certain) // 2·10/√4 is half of 20
	f(4, 10.001, 20, Few)
	f(16, 20, 20, Certain) // more stations make the mean more certain
	f(16, 20.001, 20, Few)
	f(4, 3, 1, Certain) // clean air
	f(4, 3.001, 1, Few)
	f(4, 10, -20, Certain)
	f(4, math.NaN(), 20, Few)
	f(4, 1, math.NaN(), Few)
	f(4, math.Inf(1), 20, Few)
}

func TestCertaintyWords(t *testing.T) {
	f := func(c Certainty, english, german string) {
		t.Helper()
		if got := c.Words(); got != (bilingual.Of(english, german)) || c.String() != english {
			t.Errorf("words of %d = %v", c, got)
		}
	}
	f(NoStation, "no station", "keine Station")
	f(SingleStation, "single station", "eine Station")
	f(Few, "few", "wenige")
	f(Certain, "good", "gut")
}
