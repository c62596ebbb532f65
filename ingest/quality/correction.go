package quality

import (
	"math"
	"strconv"
)

// The names of corrections in files.
const (
	Uncorrected = "none"
	KappaKohler = "kappa-koehler"
	EPACF1      = "us-epa-cf1"
)

const (
	// DefaultKappa is the hygroscopicity of urban particles where nothing has been compared: the low end of the
	// literature, which has 0.15 to 0.4 (0.4: Crilley et al., AMT 11:709, 2018). It depends on the place; one fit beside a
	// reference station found about 0.08, and the comparison with official stations proposes the city's own.
	DefaultKappa = 0.15
	// dryDensity is that of dry particles in g/cm³, the 1.65 of the same paper.
	dryDensity = 1.65
	// maxHumidity caps the relative humidity in %: towards saturation the growth has no bound.
	maxHumidity = 95
)

// Correction corrects a particle counter's value for humidity. The zero Correction changes nothing.
type Correction struct {
	Method string  // a name of a correction
	Kappa  float64 // hygroscopicity, for KappaKohler
}

// Apply returns pm in µg/m³ corrected for rh, the relative humidity in %, never below 0, and NaN if rh is NaN. An
// unknown method changes nothing.
func (c Correction) Apply(pm, rh float64) float64 {
	switch c.Method {
	case KappaKohler:
		return Dry(pm, rh, c.Kappa)
	case EPACF1:
		return DryCF1(pm, rh)
	}
	return pm
}

// String returns the method with all its parameters in one line, for manifests: "kappa-koehler kappa=0.15 density=1.65
// rh_max=95".
func (c Correction) String() string {
	switch c.Method {
	case KappaKohler:
		return KappaKohler + " kappa=" + number(c.Kappa) + " density=" + number(dryDensity) + " rh_max=" + number(maxHumidity)
	case EPACF1:
		return EPACF1 + " split=" + number(cf1Split)
	}
	return Uncorrected
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Growth returns the factor by which a particle counter overestimates dry mass at rh, a relative humidity in %, with
// the hygroscopicity kappa: C = 1 + (κ/1.65)/(1/aw − 1) with the water activity aw = min(rh, 95)/100 (κ-Köhler theory
// after Crilley et al., AMT 11:709, 2018). It is 1 in dry air and NaN if rh is NaN.
func Growth(rh, kappa float64) float64 {
	aw := math.Min(math.Max(rh, 0), maxHumidity) / 100
	return 1 + kappa/dryDensity/(1/aw-1)
}

// Dry returns pm in µg/m³ as it would be in dry air: pm divided by Growth, never below 0.
func Dry(pm, rh, kappa float64) float64 { return math.Max(0, pm/Growth(rh, kappa)) }

// cf1Split is the PM2.5 in µg/m³ up to which the correction of the US EPA is linear.
const cf1Split = 343

// DryCF1 returns the US EPA's correction for PM2.5 of a PMS5003 that sends its "cf_1" values, and of nothing else:
// linear in pm (µg/m³) and rh (%) up to 343 µg/m³, quadratic in pm above (Barkjohn et al., AMT 14:4617, 2021, and its
// extension for smoke). The two do not meet at 343. Small values would become negative in humid air; the result is
// never below 0.
func DryCF1(pm, rh float64) float64 {
	if pm <= cf1Split {
		return math.Max(0, 0.52*pm-0.086*rh+5.75)
	}
	return math.Max(0, 0.46*pm+0.000393*pm*pm+2.97)
}
