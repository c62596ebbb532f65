package calibration

import (
	"fmt"
	"math"
)

// Performance compares a sensor with a reference: the sensor's hours regressed on the reference's, as the US EPA does
// it, not the other way round as in a calibration.
type Performance struct {
	N         int
	Slope     float64 // of the sensor on the reference; 1 is perfect
	Intercept float64 // in the sensor's unit; 0 is perfect
	R2        float64 // squared correlation, 0 to 1
	RMSE      float64 // root of the mean squared difference between both, in their unit
	NRMSE     float64 // RMSE as a share of the reference's mean; +Inf where that is not above 0
}

// The US EPA's targets for PM2.5 sensors: Performance Testing Protocols, Metrics, and Target Values for Fine
// Particulate Matter Air Sensors, EPA/600/R-20/280 (2021), table 2-1, for use in addition to, not instead of, official
// stations. The report evaluates daily means of a month; hours scatter more, so they are the stricter test.
const (
	TargetSlopeLow  = 0.65 // at least
	TargetSlopeTop  = 1.35 // at most
	TargetIntercept = 5.0  // µg/m³ above or below 0, at most
	TargetR2        = 0.70 // at least
	TargetRMSE      = 7.0  // µg/m³, at most; or
	TargetNRMSE     = 0.30 // at most
)

// Target is one of the targets, and the sensor's figure for it.
type Target struct {
	Name   string
	Value  string // empty when it is not judged
	Wanted string
	Judged bool // one sensor says nothing about the precision between sensors
	Met    bool
}

// Targets compares a sensor of PM2.5 with each of the US EPA's targets.
func (p Performance) Targets() []Target {
	return []Target{
		{"slope", fmt.Sprintf("%.3f", p.Slope), "0.65 to 1.35", true, p.Slope >= TargetSlopeLow && p.Slope <= TargetSlopeTop},
		{"intercept", fmt.Sprintf("%.3f µg/m³", p.Intercept), "-5 to 5 µg/m³", true, math.Abs(p.Intercept) <= TargetIntercept},
		{"R²", fmt.Sprintf("%.3f", p.R2), "0.70 or more", true, p.R2 >= TargetR2},
		{"RMSE", fmt.Sprintf("%.3f µg/m³, NRMSE %.0f %%", p.RMSE, 100*p.NRMSE), "7 µg/m³ or less, or NRMSE 30 % or less", true, p.RMSE <= TargetRMSE || p.NRMSE <= TargetNRMSE},
		{"precision", "", "SD 5 µg/m³ or less, or CV 30 % or less, between like sensors", false, false},
	}
}

// Meets reports whether a sensor of PM2.5 meets all of the US EPA's targets that can be judged.
func (p Performance) Meets() bool {
	for _, t := range p.Targets() {
		if t.Judged && !t.Met {
			return false
		}
	}
	return true
}

// performance compares value of each pair with the reference, which must vary.
func performance(pairs []Pair, value func(Pair) float64) Performance {
	n := float64(len(pairs))
	x, y := make([]float64, len(pairs)), make([]float64, len(pairs))
	squares := 0.0
	for i, p := range pairs {
		x[i], y[i] = p.Reference, value(p)
		squares += (y[i] - x[i]) * (y[i] - x[i])
	}
	x, meanX := centred(x)
	y, meanY := centred(y)
	xx, xy, yy := 0.0, 0.0, 0.0
	for i := range x {
		xx += x[i] * x[i]
		xy += x[i] * y[i]
		yy += y[i] * y[i]
	}
	p := Performance{N: len(pairs), Slope: xy / xx, RMSE: math.Sqrt(squares / n)}
	p.Intercept = meanY - p.Slope*meanX
	p.NRMSE = math.Inf(1)
	if meanX > 0 {
		p.NRMSE = p.RMSE / meanX
	}
	if yy > 0 {
		p.R2 = math.Min(1, xy/xx*xy/yy)
	}
	return p
}
