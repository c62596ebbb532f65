package aggregate

import (
	"cmp"
	"math"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

// HumidityRadius is the largest distance in metres at which another station's humidity corrects a station without its
// own.
const HumidityRadius = 5000

// Correction computes what enters an average from a station's mean as measured. The zero Correction changes nothing.
//
// A mean with a calibration on record (see Calibrate) becomes the calibrated value. A mean of any other quantity that
// humidity affects is corrected with the mean relative humidity over the same window at the same station, else at the
// nearest station within 5 km. Places are those of base cells; of two equally near stations the one whose name comes
// first counts. Without a humidity the mean stays as measured and is counted as uncorrected.
type Correction struct {
	// Correct corrects a mean of a quantity for a mean humidity, both in thousandths; false when humidity does not affect
	// the quantity. It must be a pure function.
	Correct func(q quantity.Quantity, milli, humidity int64) (int64, bool)
	// Special returns another correction of a station's means of a quantity at a time, for those that Correct corrects, or
	// nil for Correct. It must be a pure function, as what it returns. Nil means that no station has one.
	Special func(station string, q quantity.Quantity, at time.Time) func(milli, humidity int64) int64
	// IsSignal reports whether a quantity is only a sensor's signal until it is calibrated: without a calibration it
	// does not enter an average. Nil means that no quantity is.
	IsSignal func(q quantity.Quantity) bool
}

// Calibration converts a station's mean of a quantity to the value of a reference instrument: Intercept + Slope·mean
// + Humidity·rh + Temperature·t, in the quantity's unit, % and °C. A window needs the station's own humidity and
// temperature when their terms are not 0; without them the calibration does not apply.
type Calibration struct {
	Quantity    quantity.Quantity
	From, To    time.Time // whole hours; To is not included, and zero means no end
	Intercept   float64
	Slope       float64
	Humidity    float64 // per %; 0 without the term
	Temperature float64 // per °C; 0 without the term
}

// valid returns the calibration of a quantity at a time, the one that begins last if there are several.
func (st *station) valid(q quantity.Quantity, at time.Time) (found Calibration, ok bool) {
	for _, c := range st.calibrations {
		if c.Quantity == q && !at.Before(c.From) && (c.To.IsZero() || at.Before(c.To)) && (!ok || c.From.After(found.From)) {
			found, ok = c, true
		}
	}
	return found, ok
}

// apply returns the calibrated mean in thousandths. It rounds each product by itself, so that every machine computes
// the same.
func (c *Calibration) apply(milli, humidity, temperature int64) int64 {
	value := c.Intercept*1000 + float64(c.Slope*float64(milli))
	value += float64(c.Humidity * float64(humidity))
	value += float64(c.Temperature * float64(temperature))
	return int64(math.Round(value))
}

// window holds what corrects the stations' means of one window.
type window struct {
	a    *Aggregate
	part part
	at   time.Time // the time whose calibrations apply
	near map[[2]int32][]hygrometer
}

// hygrometer is a station that measured humidity in a window.
type hygrometer struct {
	station string
	cell    geo.Cell
	milli   int64
}

// correct returns the mean that enters an average for a station's measured mean. When counts is false it enters none;
// when done is false it should have been corrected and could not be. It needs mu.
func (w *window) correct(st *station, s *series, measured int64) (corrected int64, done, counts bool) {
	c := &w.a.Correction
	particles := false
	if c.Correct != nil && s.quantity != quantity.Humidity {
		_, particles = c.Correct(s.quantity, measured, 0)
	}
	if calibrated, ok := w.calibrated(st, s, measured); ok {
		if particles {
			calibrated = max(0, calibrated) // a linear correction turns a small value negative
		}
		return calibrated, true, true
	}
	if c.IsSignal != nil && c.IsSignal(s.quantity) {
		return 0, true, false
	}
	if !particles {
		return measured, true, true
	}
	humidity, known := w.own(st, s.cell, quantity.Humidity)
	if !known {
		if humidity, known = w.nearest(s.cell); !known {
			return measured, false, true
		}
	}
	if c.Special != nil {
		if special := c.Special(st.name, s.quantity, w.at); special != nil {
			return special(measured, humidity), true, true
		}
	}
	corrected, _ = c.Correct(s.quantity, measured, humidity)
	return corrected, true, true
}

// calibrated returns the calibrated mean; false without a calibration, or without the humidity or temperature that it
// needs.
func (w *window) calibrated(st *station, s *series, measured int64) (int64, bool) {
	if len(st.calibrations) == 0 {
		return 0, false
	}
	c, ok := st.valid(s.quantity, w.at)
	if !ok {
		return 0, false
	}
	var humidity, temperature int64
	if c.Humidity != 0 {
		if humidity, ok = w.own(st, s.cell, quantity.Humidity); !ok {
			return 0, false
		}
	}
	if c.Temperature != 0 {
		if temperature, ok = w.own(st, s.cell, quantity.Temperature); !ok {
			return 0, false
		}
	}
	return c.apply(measured, humidity, temperature), true
}

// own returns the mean of another quantity of the same station at the same place.
func (w *window) own(st *station, cell geo.Cell, q quantity.Quantity) (int64, bool) {
	s := st.find(cell, q)
	if s == nil {
		return 0, false
	}
	m, _ := w.part(st, s)
	if m.count == 0 {
		return 0, false
	}
	return divide(m.sum, int64(m.count)), true
}

func bucket(c geo.Cell) [2]int32 { return [2]int32{c.North / HumidityRadius, c.East / HumidityRadius} }

// nearest returns the humidity of the hygrometer nearest to a cell.
func (w *window) nearest(cell geo.Cell) (int64, bool) {
	if w.near == nil {
		w.gather()
	}
	var best hygrometer
	least := int64(math.MaxInt64)
	middle := bucket(cell)
	for north := middle[0] - 1; north <= middle[0]+1; north++ {
		for east := middle[1] - 1; east <= middle[1]+1; east++ {
			for _, c := range w.near[[2]int32{north, east}] {
				dn, de := int64(c.cell.North-cell.North), int64(c.cell.East-cell.East)
				d := dn*dn + de*de
				if d <= HumidityRadius*HumidityRadius && cmp.Or(cmp.Compare(d, least), cmp.Compare(c.station, best.station), c.cell.Compare(best.cell)) < 0 {
					best, least = c, d
				}
			}
		}
	}
	return best.milli, least < math.MaxInt64
}

// gather finds the window's hygrometers.
func (w *window) gather() {
	w.near = map[[2]int32][]hygrometer{}
	for _, st := range w.a.list {
		for i := range st.series {
			s := &st.series[i]
			if s.quantity != quantity.Humidity {
				continue
			}
			if m, _ := w.part(st, s); m.count > 0 {
				b := bucket(s.cell)
				w.near[b] = append(w.near[b], hygrometer{st.name, s.cell, divide(m.sum, int64(m.count))})
			}
		}
	}
}
