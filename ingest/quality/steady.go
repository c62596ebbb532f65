package quality

import (
	"math"
	"slices"

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

// unchanged is whether the values of a quantity's hours were all the same.
type unchanged struct {
	Quantity quantity.Quantity
	Hours    ring[uint8] // 1 for an hour that is changing, else one more than the place in Of; 0 for none
	Of       []steady    // the first is changing
}

// mostSteady is how many Of may have before those are dropped that no hour has: more than there are hours.
const mostSteady = 200

func (r *record) steady(q quantity.Quantity) *unchanged {
	for _, u := range r.Steady {
		if u.Quantity == q {
			return u
		}
	}
	u := &unchanged{Quantity: q, Hours: newRing[uint8](stuckHours + recheckHours), Of: []steady{changing}}
	r.Steady = append(r.Steady, u)
	return u
}

// at returns an hour; 0 when it has no values.
func (u *unchanged) at(hour int64) steady {
	if n := u.Hours.at(hour); n > 0 {
		return u.Of[n-1]
	}
	return 0
}

func (u *unchanged) put(hour int64, s steady) {
	if len(u.Of) == mostSteady {
		u.compact()
	}
	n := slices.Index(u.Of, s)
	if n < 0 {
		n, u.Of = len(u.Of), append(u.Of, s)
	}
	u.Hours.put(hour, uint8(n+1))
}

// compact drops what no hour has.
func (u *unchanged) compact() {
	of := u.Of
	u.Of = []steady{changing}
	for i, n := range u.Hours.Of {
		if n > 1 {
			u.Of = append(u.Of, of[n-1])
			u.Hours.Of[i] = uint8(len(u.Of))
		}
	}
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
