package calibration

import "math"

// Performance compares a sensor with a reference: the sensor's hours regressed on the reference's, as the US EPA does
// it, not the other way round as in a calibration.
type Performance struct {
	N         int
	Slope     float64 // of the sensor on the reference; 1 is perfect
	Intercept float64 // in the sensor's unit; 0 is perfect
	R2        float64 // squared correlation, 0 to 1
	RMSE      float64 // root of the mean squared difference between both, in their unit
}

// The US EPA's targets for PM2.5 sensors: Performance Testing Protocols, Metrics, and Target Values for Fine
// Particulate Matter Air Sensors, EPA/600/R-20/280 (2021), for use in addition to, not instead of, official stations.
// The report evaluates daily means of a month; hours scatter more, so they are the stricter test.
const (
	TargetR2       = 0.70 // at least
	TargetSlopeLow = 0.65 // at least
	TargetSlopeTop = 1.35 // at most
	TargetRMSE     = 7.0  // µg/m³, at most
)

// Target is one figure of a sensor and the target for it.
type Target struct {
	Name      string  // "R2", "slope" or "RMSE"
	Value     float64 // the sensor's figure
	Low, High float64 // the target, both included
	Met       bool
}

// Targets compares a sensor of PM2.5 with each of the US EPA's targets.
func (p Performance) Targets() []Target {
	all := []Target{
		{Name: "R2", Value: p.R2, Low: TargetR2, High: 1},
		{Name: "slope", Value: p.Slope, Low: TargetSlopeLow, High: TargetSlopeTop},
		{Name: "RMSE", Value: p.RMSE, Low: 0, High: TargetRMSE},
	}
	for i, t := range all {
		all[i].Met = t.Value >= t.Low && t.Value <= t.High
	}
	return all
}

// Meets reports whether a sensor of PM2.5 meets all of the US EPA's targets.
func (p Performance) Meets() bool {
	for _, t := range p.Targets() {
		if !t.Met {
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
	if yy > 0 {
		p.R2 = math.Min(1, xy/xx*xy/yy)
	}
	return p
}
