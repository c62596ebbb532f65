package calibration

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// The limits of a plot in characters.
const (
	minPlotWidth, maxPlotWidth   = 10, 200
	minPlotHeight, maxPlotHeight = 5, 60
)

// Plot draws the pairs for a terminal, the sensor to the right and the reference upwards, with the line of the fit at
// mean humidity and temperature. Width and height are in characters, without axes; Plot limits them to its bounds.
func Plot(w io.Writer, pairs []Pair, fit Calibration, width, height int) error {
	if len(pairs) == 0 {
		_, err := io.WriteString(w, "no hours to draw\n")
		return err
	}
	width = min(max(width, minPlotWidth), maxPlotWidth)
	height = min(max(height, minPlotHeight), maxPlotHeight)
	x := newAxis(pairs, width, func(p Pair) float64 { return p.Sensor })
	y := newAxis(pairs, height, func(p Pair) float64 { return p.Reference })
	counts := make([]int, width*height)
	for _, p := range pairs {
		counts[y.cell(p.Reference)*width+x.cell(p.Sensor)]++
	}
	var b strings.Builder
	b.WriteString("reference\n")
	for row := height - 1; row >= 0; row-- {
		line := make([]byte, width)
		for column := range line {
			// A regression passes through the means, whatever its terms.
			value := y.mean + fit.Slope*(x.value(column)-x.mean)
			line[column] = mark(counts[row*width+column], y.within(value) && y.cell(value) == row)
		}
		label := ""
		switch row {
		case height - 1:
			label = fmt.Sprintf("%.4g", y.high)
		case 0:
			label = fmt.Sprintf("%.4g", y.low)
		}
		fmt.Fprintf(&b, "%9s |%s\n", label, strings.TrimRight(string(line), " "))
	}
	low, high := fmt.Sprintf("%.4g", x.low), fmt.Sprintf("%.4g", x.high)
	fmt.Fprintf(&b, "%9s +%s\n%9s  %s%*s sensor\n", "", strings.Repeat("-", width), "", low, width-len(low), high)
	b.WriteString("o one hour, O two to four, @ more; : the fit\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func mark(count int, line bool) byte {
	switch {
	case count >= 5:
		return '@'
	case count >= 2:
		return 'O'
	case count == 1:
		return 'o'
	case line:
		return ':'
	}
	return ' '
}

// axis maps values to characters.
type axis struct {
	low, high, mean float64
	cells           int
}

func newAxis(pairs []Pair, cells int, of func(Pair) float64) axis {
	a := axis{low: math.Inf(1), high: math.Inf(-1), cells: cells}
	for _, p := range pairs {
		v := of(p)
		a.low, a.high = math.Min(a.low, v), math.Max(a.high, v)
		a.mean += v / float64(len(pairs))
	}
	return a
}

func (a axis) within(v float64) bool { return v >= a.low && v <= a.high }

// cell returns the character of a value; values outside the axis are drawn at its end.
func (a axis) cell(v float64) int {
	if !(a.high > a.low) {
		return 0
	}
	cell := int(math.Round((v - a.low) / (a.high - a.low) * float64(a.cells-1)))
	return min(max(cell, 0), a.cells-1)
}

// value returns the value in the middle of a character.
func (a axis) value(cell int) float64 {
	return a.low + (a.high-a.low)*float64(cell)/float64(a.cells-1)
}
