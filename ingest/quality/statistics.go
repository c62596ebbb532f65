package quality

import (
	"math"
	"slices"
)

// sigmas makes a median absolute deviation comparable with a standard deviation of normal values.
const sigmas = 1.4826

// median sorts values and returns their median; NaN of none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// deviation is the median absolute deviation of values from a middle. It changes values.
func deviation(values []float64, middle float64) float64 {
	for i := range values {
		values[i] = math.Abs(values[i] - middle)
	}
	return median(values)
}

// fewer is by what the median absolute deviation of n values is too small on average (Croux and Rousseeuw, Computational
// Statistics 1:411, 1992).
func fewer(n int) float64 {
	if small := [...]float64{1, 1, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107}; n < len(small) {
		return small[n]
	}
	return float64(n) / (float64(n) - 0.8)
}

// score is by how many robust standard deviations v lies above (or, negative, below) middle.
func score(v, middle, deviation float64) float64 { return (v - middle) / (sigmas * deviation) }

// pearson is a correlation over days of which each has its own sums; NaN when one of the two never changes.
func pearson(days []sums) float64 {
	var n, x, y float64
	for _, d := range days {
		n, x, y = n+float64(d.N), x+float64(d.X), y+float64(d.Y)
	}
	x, y = x/n, y/n
	var xx, yy, xy float64
	for _, d := range days {
		if d.N == 0 {
			continue
		}
		count := float64(d.N)
		dx, dy := float64(d.X)/count-x, float64(d.Y)/count-y
		xx += float64(d.XX) + float64(count*dx*dx)
		yy += float64(d.YY) + float64(count*dy*dy)
		xy += float64(d.XY) + float64(count*dx*dy)
	}
	return xy / math.Sqrt(xx*yy)
}
