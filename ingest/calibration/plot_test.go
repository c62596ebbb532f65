package calibration

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestPlot(t *testing.T) {
	// On y = x/2 but for one hour in the upper left corner and one below the line that keep the means on
	// it: a column is a unit of the sensor, a row one of the reference, and half rows round up.
	pairs := []Pair{{Reference: 0, Sensor: 0}, {Reference: 5, Sensor: 10}, {Reference: 5, Sensor: 0}, {Reference: 0, Sensor: 10}}
	for range 2 {
		pairs = append(pairs, Pair{Reference: 2, Sensor: 4}, Pair{Reference: 3, Sensor: 6})
	}
	for range 5 {
		pairs = append(pairs, Pair{Reference: 1, Sensor: 2}, Pair{Reference: 4, Sensor: 8})
	}
	want := strings.Join([]string{
		"reference",
		"        5 |o        :o",
		"          |       :@",
		"          |     :O",
		"          |   :O",
		"          | :@",
		"        0 |o         o",
		"          +-----------",
		"           0        10 sensor",
		"o one hour, O two to four, @ more; : the fit",
		"",
	}, "\n")
	var b strings.Builder
	if err := Plot(&b, pairs, Calibration{Slope: 0.5}, 11, 6); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPlotBounds(t *testing.T) {
	f := func(pairs []Pair, c Calibration, width, height, wantLines, wantWidth int) {
		t.Helper()
		var b strings.Builder
		if err := Plot(&b, pairs, c, width, height); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		longest := 0
		for _, line := range lines {
			longest = max(longest, strings.Count(line, "-"))
		}
		if len(lines) != wantLines || longest != wantWidth {
			t.Errorf("Plot of %v, %d by %d: %d lines, %d wide, want %d, %d:\n%s", pairs, width, height, len(lines), longest, wantLines, wantWidth, b.String())
		}
	}
	one := []Pair{{Reference: 3, Sensor: 4}}
	f(nil, Calibration{}, 30, 8, 1, 0)
	f(one, Calibration{Slope: 1}, -5, 0, minPlotHeight+4, minPlotWidth)
	f(one, Calibration{Slope: 1}, 1e9, 1e9, maxPlotHeight+4, maxPlotWidth)
	f([]Pair{{Reference: 1, Sensor: 1}, {Reference: 2, Sensor: 1}}, Calibration{Slope: math.Inf(1)}, 20, 8, 12, 20)
	f([]Pair{{Reference: math.NaN(), Sensor: math.Inf(1)}, {Reference: 2, Sensor: -math.MaxFloat64}}, Calibration{}, 20, 8, 12, 20)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPlotErrors(t *testing.T) {
	if err := Plot(full{}, []Pair{{Reference: 1, Sensor: 1}}, Calibration{}, 20, 8); err == nil {
		t.Error("a write that failed is no error")
	}
}
