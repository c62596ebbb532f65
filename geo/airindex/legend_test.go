package airindex

import (
	"math"
	"slices"
	"testing"
)

func TestBands(t *testing.T) {
	// ETC HE Report 2024/17, the row of NO2.
	want := []Band{{Good, 0, 10}, {Fair, 10, 25}, {Moderate, 25, 60}, {Poor, 60, 100}, {VeryPoor, 100, 150}, {ExtremelyPoor, 150, math.Inf(1)}}
	if got := Bands("no2"); !slices.Equal(got, want) {
		t.Errorf("Bands(no2) = %v, want %v", got, want)
	}
	if got := Bands("temperature"); got != nil {
		t.Errorf("Bands(temperature) = %v, want none", got)
	}
}

func TestLegend(t *testing.T) {
	f := func(c Class, english, german, colour string) {
		t.Helper()
		if c.String() != english || c.German() != german || c.Colour() != colour {
			t.Errorf("class %d = %q, %q, %q, want %q, %q, %q", uint8(c), c.String(), c.German(), c.Colour(), english, german, colour)
		}
	}
	f(None, "", "", "")
	f(Good, "good", "gut", "#50F0E6")
	f(ExtremelyPoor, "extremely poor", "extrem schlecht", "#7D2181")
	f(ExtremelyPoor+1, "", "", "")
}
