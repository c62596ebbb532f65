package comparison

import (
	"math"
	"time"
)

// Statistics compares the city's stations with an official instrument over hours. Differences are the stations' value
// minus the instrument's.
type Statistics struct {
	N         int     `json:"n"`    // hours
	Days      int     `json:"days"` // on which they lie
	Mean      float64 `json:"mean"` // of the stations
	Official  float64 `json:"official"`
	Bias      float64 `json:"bias"`      // mean difference
	BiasLow   float64 `json:"bias_low"`  // 95 % confidence interval of the bias; days are taken as independent, hours are not
	BiasHigh  float64 `json:"bias_high"` // both are the bias where fewer than three days are compared
	SD        float64 `json:"sd"`        // standard deviation of the differences: two of three hours are within it of the bias
	RMSE      float64 `json:"rmse"`
	NRMSE     float64 `json:"nrmse"`     // RMSE as a share of the instrument's mean
	R         float64 `json:"r"`         // Pearson's; 0 where one of both does not vary
	Slope     float64 `json:"slope"`     // of the stations on the instrument
	Intercept float64 `json:"intercept"` // 0 where the instrument does not vary, as the slope
}

// sums are those from which statistics follow.
type sums struct {
	n, x, y, xx, yy, xy float64

	// Of the days before the current one: sums of n², of n times the day's sum of differences, and of its square.
	day              int64
	dayN, dayE       float64
	days, nn, nd, dd float64
}

// add adds an hour: x of the stations, y of the instrument. Hours of one day follow each other.
func (s *sums) add(at time.Time, x, y float64) {
	s.n++
	s.x += x
	s.y += y
	s.xx += x * x
	s.yy += y * y
	s.xy += x * y
	if day := at.Unix() / (24 * 60 * 60); day != s.day || s.dayN == 0 {
		s.turn()
		s.day = day
	}
	s.dayN++
	s.dayE += x - y
}

// turn ends the current day.
func (s *sums) turn() {
	if s.dayN == 0 {
		return
	}
	s.days++
	s.nn += s.dayN * s.dayN
	s.nd += s.dayN * s.dayE
	s.dd += s.dayE * s.dayE
	s.dayN, s.dayE = 0, 0
}

// statistics returns the comparison of what was added, at least one hour.
func (s *sums) statistics() Statistics {
	s.turn()
	n := s.n
	t := Statistics{N: int(n), Days: int(s.days), Mean: s.x / n, Official: s.y / n, Bias: (s.x - s.y) / n}
	squares := math.Max(0, s.xx-2*s.xy+s.yy)
	t.RMSE = math.Sqrt(squares / n)
	if t.Official > 0 {
		t.NRMSE = t.RMSE / t.Official
	}
	if n > 1 {
		t.SD = math.Sqrt(math.Max(0, squares-n*t.Bias*t.Bias) / (n - 1))
	}
	sxx, syy, sxy := s.xx-s.x*s.x/n, s.yy-s.y*s.y/n, s.xy-s.x*s.y/n
	if varies(syy, s.yy) {
		t.Slope = sxy / syy
		t.Intercept = t.Mean - t.Slope*t.Official
		if varies(sxx, s.xx) {
			t.R = sxy / math.Sqrt(sxx*syy)
		}
	}
	half := s.half(t.Bias)
	t.BiasLow, t.BiasHigh = t.Bias-half, t.Bias+half
	return t
}

// varies reports whether a sum of squared deviations is more than the rounding of the sum of squares.
func varies(deviations, squares float64) bool { return deviations > 1e-12*squares }

// leastDays is the number of days below which a confidence interval says nothing.
const leastDays = 3

// half returns half the width of the 95 % confidence interval of the bias: hours of a day depend on each other, so that the
// days are its sample (linearised ratio estimator over clusters, Cochran, Sampling Techniques, 1977, section 9A.2).
func (s *sums) half(bias float64) float64 {
	d := s.days
	if d < leastDays {
		return 0
	}
	squares := math.Max(0, s.dd-2*bias*s.nd+bias*bias*s.nn)
	return student(d-1) * math.Sqrt(d/(d-1)*squares) / s.n
}

// student returns the 97.5 % quantile of Student's distribution by its expansion around the normal one (Abramowitz and
// Stegun, 26.7.5); for two degrees of freedom, the fewest here, it is 0.8 % too small.
func student(freedom float64) float64 {
	const z = 1.959963984540054
	z2 := z * z
	g1 := z * (z2 + 1) / 4
	g2 := z * (5*z2*z2 + 16*z2 + 3) / 96
	g3 := z * (3*z2*z2*z2 + 19*z2*z2 + 17*z2 - 15) / 384
	g4 := z * (79*z2*z2*z2*z2 + 776*z2*z2*z2 + 1482*z2*z2 - 1920*z2 - 945) / 92160
	return z + g1/freedom + g2/math.Pow(freedom, 2) + g3/math.Pow(freedom, 3) + g4/math.Pow(freedom, 4)
}
