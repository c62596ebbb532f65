package ingest

import (
	"testing"
	"time"
)

func TestInstalledSince(t *testing.T) {
	first := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	second := first.Add(30 * 24 * time.Hour)
	f := func(at, want time.Time, installations ...Installation) {
		t.Helper()
		if got := (&Station{Installations: installations}).InstalledSince(at); !got.Equal(want) {
			t.Errorf("InstalledSince(%v) = %v, want %v", at, got, want)
		}
	}
	unknown := time.Time{}
	f(first, unknown)
	one, two := Installation{From: first, Sensors: []string{"sds011"}}, Installation{From: second, Sensors: []string{"sps30"}}
	f(first.Add(-time.Second), unknown, one, two)
	f(first, first, one, two)
	f(second.Add(-time.Second), first, one, two)
	f(second, second, one, two)
	f(second.Add(time.Hour), second, one, two)
}
