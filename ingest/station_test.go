package ingest

import (
	"testing"
	"time"
)

func TestInstallationAt(t *testing.T) {
	first := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	second := first.Add(30 * 24 * time.Hour)
	f := func(at time.Time, want int, installations ...Installation) {
		t.Helper()
		if got := (&Station{Installations: installations}).InstallationAt(at); got != want {
			t.Errorf("InstallationAt(%v) = %v, want %v", at, got, want)
		}
	}
	f(first, 0)
	one, two := Installation{From: first, Sensors: []string{"sds011"}}, Installation{From: second, Sensors: []string{"sps30"}}
	f(first.Add(-time.Second), 0, one, two)
	f(first, 0, one, two)
	f(second.Add(-time.Second), 0, one, two)
	f(second, 1, one, two)
	f(second.Add(time.Hour), 1, one, two)
}
