package quality

import (
	"fmt"
	"math"
	"testing"
)

func TestGrowth(t *testing.T) {
	f := func(rh, kappa, want float64) {
		t.Helper()
		if got := Growth(rh, kappa); !(math.Abs(got-want) < 0.0005) {
			t.Errorf("Growth(%v, %v) = %v, want %v", rh, kappa, got, want)
		}
	}
	// Published for κ = 0.4 with Crilley et al. 2018.
	f(50, 0.4, 1.242)
	f(80, 0.4, 1.970)
	f(95, 0.4, 5.606)
	// By hand: κ/1.65 · aw/(1 − aw) is 1/11 · 3 and 1/5 · 4.
	f(75, 0.15, 1.2727)
	f(80, 0.33, 1.8)
	// The cap, and dry air.
	f(95.1, 0.4, 5.606)
	f(100, 0.4, 5.606)
	f(150, 0.4, 5.606)
	f(94, 0.4, 4.798)
	f(0, 0.4, 1)
	f(-3, 0.4, 1)
	f(80, 0, 1)
	if got := Growth(math.NaN(), 0.4); !math.IsNaN(got) {
		t.Errorf("Growth of an unknown humidity = %v, want NaN", got)
	}
}

func TestDry(t *testing.T) {
	f := func(pm, rh, kappa, want float64) {
		t.Helper()
		if got := Dry(pm, rh, kappa); !(math.Abs(got-want) < 1e-9) {
			t.Errorf("Dry(%v, %v, %v) = %v, want %v", pm, rh, kappa, got, want)
		}
	}
	f(36, 80, 0.33, 20) // C = 1.8
	f(36, 0, 0.33, 36)
	f(0, 80, 0.33, 0)
	f(-1.8, 80, 0.33, 0)
}

func TestDryCF1(t *testing.T) {
	f := func(pm, rh, want float64) {
		t.Helper()
		if got := DryCF1(pm, rh); !(math.Abs(got-want) < 1e-9) {
			t.Errorf("DryCF1(%v, %v) = %v, want %v", pm, rh, got, want)
		}
	}
	f(100, 50, 53.45)      // 52 − 4.3 + 5.75
	f(343, 50, 179.81)     // 178.36 − 4.3 + 5.75
	f(344, 50, 207.716048) // 158.24 + 46.506048 + 2.97
	f(344, 90, 207.716048)
	f(1, 90, 0) // 0.52 − 7.74 + 5.75 is below 0
	f(0, 0, 5.75)
}

func TestCorrection(t *testing.T) {
	f := func(c Correction, want float64, wantText string) {
		t.Helper()
		if got := c.Apply(36, 80); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v applied = %v, want %v", c, got, want)
		}
		if got := c.String(); got != wantText {
			t.Errorf("String() = %q, want %q", got, wantText)
		}
	}
	f(Correction{}, 36, "none")
	f(Correction{Method: Uncorrected}, 36, "none")
	f(Correction{Method: KappaKohler, Kappa: 0.33}, 20, "kappa-koehler kappa=0.33 density=1.65 rh_max=95")
	f(Correction{Method: EPACF1}, 17.59, "us-epa-cf1 split=343") // 18.72 − 6.88 + 5.75
}

func ExampleCorrection() {
	c := Correction{Method: KappaKohler, Kappa: DefaultKappa}
	fmt.Printf("%.1f by %v\n", c.Apply(30, 80), c) // C = 1 + 0.15/1.65 / (1/0.8 − 1) = 1 + 4/11
	// Output: 22.0 by kappa-koehler kappa=0.15 density=1.65 rh_max=95
}
