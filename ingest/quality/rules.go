// Package quality checks measured values. It resolves a reading's time, recognises values that are already known, and
// sets flags on values; it never changes a value.
//
// Checker has the checks of single messages, in the order of checks.go. HourChecker has those that compare with
// neighbours and past hours: they check full hours, and what they find replaces the flags of the hour. Both are functions
// of the data: the order of arrival, batches and restarts change no flag. Every threshold is in this file, with its unit and source; a city may set others, and all of them are published with the
// data. The humidity correction of particle counters is here too, as pure functions.
package quality

import (
	"errors"
	"fmt"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// Rules are the thresholds in force, in the units of Thresholds. The zero value is not usable: use DefaultRules.
type Rules struct {
	ClockAhead, ClockOld float64

	InconsistentShare, InconsistentBy, InconsistentZero float64

	StuckParticles, StuckOthers, StuckSaturated, StuckReadings float64

	Humid, HumidWithin float64

	SpikeZ, SpikePast, SpikeLeast, SpikeFloor, SpikeNeighbours float64

	OutlierZ, OutlierNeighbours, OutlierNear, OutlierFar                                 float64
	OutlierParticles, OutlierShare, OutlierTemperature, OutlierHumidity, OutlierPressure float64

	UncorrelatedR, UncorrelatedPast, UncorrelatedLeast float64

	IndoorShare, IndoorDays, IndoorOf float64

	MovedBy float64
}

// Threshold is one number of the rules.
type Threshold struct {
	Key     string // in the configuration, below "quality."
	Finding string // the flag, or the reason of refusals, that it decides on
	Default float64
	Low     float64 // what a city may set, both ends included
	High    float64
	Unit    string
	What    string
	Source  string
	Value   *float64 // the one in force
}

// ours marks thresholds that no publication gives.
const ours = "ours"

const (
	filter    = "FILTER (Hassani et al., J. Environ. Manage. 380:125100, 2025)"
	crowdQC   = "CrowdQC+ (Fenner et al., Front. Environ. Sci. 9:720747, 2021), buddy check"
	rows      = "2,087,007 real rows of SDS011, of which none breaks this rule"
	factor    = "robust standard deviations of 1.4826 MAD (median absolute deviation)"
	sds011    = "SDS011's data sheet: ±15 % and ±10 µg/m³ between healthy sensors"
	jayaratne = "Jayaratne et al., AMT 11:4883 (2018): PMS rise above about 75 %; SDS011's data sheet says 70 %"
)

// Thresholds returns all numbers of the rules in the order of the checks, with pointers to set them.
func (r *Rules) Thresholds() []Threshold {
	return []Threshold{
		{"clock.ahead", "clock", 5, 0, 60, "min", "how far in the future a reading's time may lie", "ours: clocks drift, more is a clock that was never set", &r.ClockAhead},
		{"clock.old", "clock", 30, 1, 366, "d", "how old a reading may be", "ours: a station that buffers offline delivers within a month", &r.ClockOld},

		{"inconsistent.share", "inconsistent", 0.10, 0, 1, "1", "how much a smaller particle fraction may exceed a larger one, as a share of it; only more than this and inconsistent.by is flagged", rows, &r.InconsistentShare},
		{"inconsistent.by", "inconsistent", 5, 0, 100, "µg/m³", "the same in mass", rows, &r.InconsistentBy},
		{"inconsistent.zero", "inconsistent", 10, 1, 1000, "µg/m³", "a fraction of exactly 0 is flagged beside a larger one above this", "ours: the fine particles are a part of the coarse ones, never none of so many", &r.InconsistentZero},

		{"stuck.particles", "stuck", 8, 1, 48, "h", "how many whole hours particles may not change at all, unless at or below twice the sensor's resolution", filter + ", constant values; the window is ours", &r.StuckParticles},
		{"stuck.others", "stuck", 24, 1, 48, "h", "the same of temperature, humidity and pressure", filter + ", constant values; the window is ours", &r.StuckOthers},
		{"stuck.saturated", "stuck", 12, 1, 48, "h", "how long relative humidity may be exactly 100 %, the end of a hygrometer's scale", "ours: fog that long is rare, a wet or broken hygrometer is not", &r.StuckSaturated},
		{"stuck.readings", "stuck", 20, 2, 10_000, "1", "least number of readings in that time", ours, &r.StuckReadings},

		{"humid.from", "humid", 75, 0, 100, "%", "relative humidity from which on particle counters show too much", jayaratne, &r.Humid},
		{"humid.within", "humid", 5000, 0, 20_000, "m", "distance to the nearest hygrometer where a station has none", ours, &r.HumidWithin},

		{"spike.z", "spike", 10, 3, 100, "1", "how far an hour's mean is from the station's past, in " + factor, filter + ", ±10", &r.SpikeZ},
		{"spike.past", "spike", 360, 24, spikeHours, "h", "the past that is looked at", filter + ", 360 h", &r.SpikePast},
		{"spike.least", "spike", 48, 12, spikeHours, "h", "hours of it that must have a value", ours, &r.SpikeLeast},
		{"spike.floor", "spike", 2, 0.1, 100, "µg/m³", "least MAD", ours, &r.SpikeFloor},
		{"spike.neighbours", "spike", 3, 1, mostNeighbours, "1", "least number of neighbours with a past; where half of them are half as far from theirs, it is the air", ours, &r.SpikeNeighbours},

		{"outlier.z", "outlier", 5, 2, 100, "1", "how far an hour's mean is from the neighbours' median, in " + factor, crowdQC + "; " + filter + ", spatial step", &r.OutlierZ},
		{"outlier.neighbours", "outlier", 5, 3, mostNeighbours, "1", "least number of neighbours", crowdQC + ", ≥ 5", &r.OutlierNeighbours},
		{"outlier.near", "outlier", 3000, 100, farthest, "m", "all stations within this distance are neighbours, at most the nearest 20", crowdQC + ", 3000 m", &r.OutlierNear},
		{"outlier.far", "outlier", 10_000, 100, farthest, "m", "where those are too few, the nearest within this are", "AirGradient's map, 10 km", &r.OutlierFar},
		{"outlier.particles", "outlier", 3, 0.1, 100, "µg/m³", "least MAD of particles", ours, &r.OutlierParticles},
		{"outlier.share", "outlier", 0.15, 0, 1, "1", "least MAD of particles as a share of the neighbours' median", sds011, &r.OutlierShare},
		{"outlier.temperature", "outlier", 1.5, 0.1, 20, "°C", "least MAD of temperature", ours, &r.OutlierTemperature},
		{"outlier.humidity", "outlier", 5, 0.1, 50, "%", "least MAD of relative humidity", ours, &r.OutlierHumidity},
		{"outlier.pressure", "outlier", 2, 0.1, 50, "hPa", "least MAD of pressure, brought to one height by each station's usual difference to its neighbours", ours, &r.OutlierPressure},

		{"uncorrelated.r", "uncorrelated", 0.3, -1, 1, "1", "Pearson's r of the hourly medians with the neighbours' median, below which a station does not follow", filter + ", spatial correlation", &r.UncorrelatedR},
		{"uncorrelated.past", "uncorrelated", 30, 2, pastDays, "d", "the past that is looked at", filter + ", 30 days", &r.UncorrelatedPast},
		{"uncorrelated.least", "uncorrelated", 15, 1, pastDays, "d", "how much of it must have a value, in hours of which 24 make a day", filter + ", 15 days", &r.UncorrelatedLeast},

		{"indoor.share", "indoor", 0.25, 0, 1, "1", "share of the neighbours' daily range of temperature, below which a day is one indoors", ours, &r.IndoorShare},
		{"indoor.days", "indoor", 7, 1, pastDays, "d", "so many such days make a station seem indoors", ours, &r.IndoorDays},
		{"indoor.of", "indoor", 10, 1, pastDays, "d", "of the last so many days", ours, &r.IndoorOf},

		{"moved.by", "moved", 8, 1, 100, "hPa", "how far the pressure of a whole day is from its usual difference to the neighbours; 8 hPa are about 65 m of height", ours, &r.MovedBy},
	}
}

// DefaultRules returns the rules for a city that sets no others.
func DefaultRules() Rules {
	var r Rules
	for _, t := range r.Thresholds() {
		*t.Value = t.Default
	}
	return r
}

// Validate returns everything that is wrong with the rules.
func (r *Rules) Validate() error {
	var mistakes []error
	for _, t := range r.Thresholds() {
		if !(*t.Value >= t.Low && *t.Value <= t.High) {
			mistakes = append(mistakes, fmt.Errorf("quality.%s: %v is not between %v and %v (%s)", t.Key, *t.Value, t.Low, t.High, t.Unit))
		}
	}
	for _, pair := range [][2]string{
		{"spike.least", "spike.past"}, {"outlier.near", "outlier.far"}, {"uncorrelated.least", "uncorrelated.past"}, {"indoor.days", "indoor.of"},
	} {
		if less, more := r.value(pair[0]), r.value(pair[1]); less > more {
			mistakes = append(mistakes, fmt.Errorf("quality.%s: %v is more than quality.%s, which is %v", pair[0], less, pair[1], more))
		}
	}
	return errors.Join(mistakes...)
}

// values returns all numbers of the rules.
func (r *Rules) values() (values []float64) {
	for _, t := range r.Thresholds() {
		values = append(values, *t.Value)
	}
	return values
}

func (r *Rules) value(key string) float64 {
	for _, t := range r.Thresholds() {
		if t.Key == key {
			return *t.Value
		}
	}
	panic("no threshold " + key)
}

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

// outlierFloor is the least median absolute deviation of a quantity around a middle, in its unit; false when the
// quantity is not compared.
func (r *Rules) outlierFloor(q quantity.Quantity, middle float64) (float64, bool) {
	switch {
	case particles(q):
		return max(r.OutlierParticles, r.OutlierShare*middle), true
	case q == quantity.Temperature:
		return r.OutlierTemperature, true
	case q == quantity.Humidity:
		return r.OutlierHumidity, true
	case q == quantity.Pressure:
		return r.OutlierPressure, true
	}
	return 0, false
}

func particles(q quantity.Quantity) bool {
	return q == quantity.PM1 || q == quantity.PM2_5 || q == quantity.PM4 || q == quantity.PM10
}
