package aggregate

import (
	"cmp"
	"math"
	"math/bits"

	"stadtluft/geo"
)

// Reach is how far away the humidity may have been measured that a station without its own is corrected with,
// in metres.
const Reach = 5000

// Correction takes out of stations' means what humidity put in. The zero Correction changes nothing.
//
// A mean over a window is corrected with the mean relative humidity over the same window at the same station,
// else at the nearest station within 5 km; places are those of base cells, and of two equally near the station
// whose name comes first counts. Without one the mean stays as it was measured and is counted as uncorrected.
type Correction struct {
	Humidity uint8 // the quantity that is relative humidity in %
	// Of corrects a mean of a quantity for a mean humidity, both in thousandths; false when the quantity needs none.
	// It must be a pure function.
	Of func(quantity uint8, milli, humidity int64) (int64, bool)
}

// apply corrects one station's mean; done is false when it should have been and could not.
func (c *Correction) apply(key seriesKey, milli int64, humid *hygrometers) (corrected int64, done bool) {
	if c.Of == nil || key.quantity == c.Humidity {
		return milli, true
	}
	if _, needed := c.Of(key.quantity, milli, 0); !needed {
		return milli, true
	}
	humidity, known := humid.at(key)
	if !known {
		return milli, false
	}
	corrected, _ = c.Of(key.quantity, milli, humidity)
	return corrected, true
}

// mean is a station's mean over an hour, corrected.
func (c *Correction) mean(key seriesKey, m stationMean, humid *hygrometers) windowMean {
	w := windowMean{measured: divide(m.sum, int64(m.count)), readings: m.count, late: m.late, parts: bits.OnesCount16(m.slots), of: slots}
	corrected, done := c.apply(key, w.measured, humid)
	w.corrected, w.uncorrected = corrected, !done
	return w
}

// hygrometers are the stations that measured humidity in a window.
type hygrometers struct {
	own  map[seriesKey]int64 // with quantity 0
	near map[[2]int32][]hygrometer
}

type hygrometer struct {
	station string
	cell    geo.Cell
	milli   int64
}

// humidity gathers the window's hygrometers, when a row of the quantity may need them. It needs mu.
func (a *Aggregate) humidity(quantity uint8, part part) *hygrometers {
	if a.Correction.Of == nil || quantity == a.Correction.Humidity {
		return nil
	}
	if _, needed := a.Correction.Of(quantity, 0, 0); quantity != 0 && !needed {
		return nil
	}
	h := newHygrometers()
	for key, s := range a.series {
		if key.quantity != a.Correction.Humidity {
			continue
		}
		if m, _ := part(key, s); m.count > 0 {
			h.add(key, m)
		}
	}
	return h
}

func newHygrometers() *hygrometers {
	return &hygrometers{own: map[seriesKey]int64{}, near: map[[2]int32][]hygrometer{}}
}

func (h *hygrometers) add(key seriesKey, m stationMean) {
	milli := divide(m.sum, int64(m.count))
	key.quantity = 0
	h.own[key] = milli
	h.near[bucket(key.cell)] = append(h.near[bucket(key.cell)], hygrometer{key.station, key.cell, milli})
}

func bucket(c geo.Cell) [2]int32 { return [2]int32{c.North / Reach, c.East / Reach} }

// at is the humidity for a series.
func (h *hygrometers) at(key seriesKey) (int64, bool) {
	key.quantity = 0
	if milli, ok := h.own[key]; ok {
		return milli, true
	}
	var best hygrometer
	least := int64(math.MaxInt64)
	middle := bucket(key.cell)
	for north := middle[0] - 1; north <= middle[0]+1; north++ {
		for east := middle[1] - 1; east <= middle[1]+1; east++ {
			for _, c := range h.near[[2]int32{north, east}] {
				dn, de := int64(c.cell.North-key.cell.North), int64(c.cell.East-key.cell.East)
				d := dn*dn + de*de
				if d <= Reach*Reach && cmp.Or(cmp.Compare(d, least), cmp.Compare(c.station, best.station)) < 0 {
					best, least = c, d
				}
			}
		}
	}
	return best.milli, least < math.MaxInt64
}
