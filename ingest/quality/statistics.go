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

// robustZ is by how many robust standard deviations v lies above (or, negative, below) the median of values; the median absolute
// deviation counts as at least least. It sorts and changes values.
func robustZ(v float64, values []float64, least float64) float64 {
	middle := median(values)
	for i := range values {
		values[i] = math.Abs(values[i] - middle)
	}
	return (v - middle) / (sigmas * math.Max(median(values), least))
}

// pearson gathers a correlation.
type pearson struct{ n, x, y, xx, yy, xy float64 }

func (p *pearson) add(x, y float64) {
	p.n++
	p.x += x
	p.y += y
	p.xx += x * x
	p.yy += y * y
	p.xy += x * y
}

// r is the coefficient of correlation; NaN when one of the two never changes.
func (p *pearson) r() float64 {
	return (p.n*p.xy - p.x*p.y) / math.Sqrt((p.n*p.xx-p.x*p.x)*(p.n*p.yy-p.y*p.y))
}
