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

func TestCertaintyOfAnArea(t *testing.T) {
	f := func(c Certainty, covered, cells int, want Certainty) {
		t.Helper()
		if got := c.OfArea(covered, cells); got != want {
			t.Errorf("%v of %d of %d cells = %v, want %v", c, covered, cells, got, want)
		}
	}
	f(Certain, 5, 70, Few)
	f(Certain, 17, 70, Few) // 24 %
	f(Certain, 18, 70, Certain)
	f(Certain, 1, 4, Certain)
	f(Certain, 1, 5, Few) // one cell of four stations
	f(Few, 70, 70, Few)
	f(SingleStation, 1, 70, SingleStation)
	f(SingleStation, 1, 1, SingleStation)
	f(NoStation, 0, 70, NoStation)
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
