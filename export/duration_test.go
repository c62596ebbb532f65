package export

import (
	"testing"
	"time"
)

// ISO 8601, without years, months and weeks, whose length is no number of seconds.
func TestParseDuration(t *testing.T) {
	f := func(text string, want time.Duration) {
		t.Helper()
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	f("P2D", 48*time.Hour)
	f("PT1H", time.Hour)
	f("P1DT12H30M1.5S", 36*time.Hour+30*time.Minute+1500*time.Millisecond)
	f("-PT5M", -5*time.Minute)
	for _, text := range []string{"", "P", "PT", "1H", "P1H", "PT1D", "PT1S2M", "P1Y", "P-1D", "P1DT", "P9999999999D", "PT1e3S"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}
