package quality

import (
	"math"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

const (
	stuckHours = 48 // the longest time that a value may be required not to change

	// saturated is the relative humidity in % at the end of a hygrometer's scale.
	saturated = 100
)

// steady says whether an hour's values are all the same: from the lowest bit on their number, at most maxSteady, their
// thousandths above -steadyBias, and a 1. An hour with different values is changing, one without values is 0.
type steady uint32

const (
	changing    steady = 1
	countBits          = 9
	maxSteady          = 1<<countBits - 1
	steadyBias         = 1 << 20
	milliBits          = 22
	steadyBit   steady = 1 << (countBits + milliBits)
	steadyValue        = steadyBit | (1<<milliBits-1)<<countBits
)

func steadyOf(s *StationHour) steady {
	milli := int64(math.Round(s.Mean*1000)) + steadyBias
	if !s.Steady || milli < 0 || milli >= 1<<milliBits {
		return changing
	}
	return steadyBit | steady(milli)<<countBits | steady(min(s.Count, maxSteady))
}

func (s steady) same(o steady) bool { return s&steadyBit != 0 && s&steadyValue == o&steadyValue }

func (s steady) count() int { return int(s & maxSteady) }

// stuck remembers an hour, and reports whether its values and those of the hours before have not changed for too long.
// Particles that are next to nothing may stay so.
func (c *HourChecker) stuck(r *record, s *StationHour, at int64) (bool, ingest.Result) {
	long, ok := c.stuckAfter(s)
	if !ok {
		return false, ingest.Unchecked
	}
	past := r.steady(s.Quantity)
	now := steadyOf(s)
	past.put(at, now)
	if now == changing || particles(s.Quantity) && s.Mean <= 2*s.Resolution {
		return false, ingest.Checked
	}
	readings := 0
	for hour := at; hour > at-stuckHours; hour-- {
		switch then := past.at(hour); {
		case then == 0:
			continue
		case !then.same(now):
			return false, ingest.Checked
		default:
			readings += then.count()
		}
		if float64(at-hour+1) >= long && readings >= int(c.rules.StuckReadings) {
			return true, ingest.Checked
		}
	}
	return false, ingest.NoHistory
}

// stuckAfter returns how many hours a quantity may stay the same; false for one that may for ever.
func (c *HourChecker) stuckAfter(s *StationHour) (hours float64, ok bool) {
	switch {
	case particles(s.Quantity):
		return c.rules.StuckParticles, true
	case s.Quantity == quantity.Humidity && s.Mean == saturated:
		return c.rules.StuckSaturated, true
	case s.Quantity == quantity.Temperature, s.Quantity == quantity.Humidity, s.Quantity == quantity.Pressure:
		return c.rules.StuckOthers, true
	}
	return 0, false
}

func (r *record) steady(q quantity.Quantity) *ring[steady] {
	if r.Steady == nil {
		r.Steady = map[quantity.Quantity]*ring[steady]{}
	}
	past := r.Steady[q]
	if past == nil {
		fresh := newRing[steady](stuckHours + recheckHours)
		past = &fresh
		r.Steady[q] = past
	}
	return past
}

// Resolution returns the resolution of a station's particle counter in µg/m³, by its data sheet; 1 where it is not known.
func Resolution(st *ingest.Station) float64 {
	for _, sensor := range st.Sensors {
		if resolution, ok := resolutions[sensor]; ok {
			return resolution
		}
	}
	return 1
}
