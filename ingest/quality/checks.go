package quality

import (
	"math"
	"slices"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// check sets flags on a reading's values by looking at this one reading.
type check func(rules *Rules, st *ingest.Station, values []ingest.Value)

// checks in the order in which they run. A sentinel is no measurement, so it is not out of range too, and nothing is
// compared with it.
var checks = []check{sentinelCheck, rangeCheck, consistencyCheck}

func sentinelCheck(_ *Rules, st *ingest.Station, values []ingest.Value) {
	for i := range values {
		v := &values[i]
		for _, s := range sentinels[v.Quantity] {
			if math.Abs(v.Value-s.value) <= sentinelWidth && (s.sensor == "" || slices.Contains(st.Sensors, s.sensor)) {
				v.Flags |= ingest.Sentinel
			}
		}
	}
}

// rangeCheck flags values outside the range of their sensor or what is plausible outdoors. Where one is outside its
// sensor's own range the sensor is broken, and nothing that it sent in this reading is worth anything: a dying BME280
// sends -144.7 °C, 100 % and 652 hPa.
func rangeCheck(_ *Rules, st *ingest.Station, values []ingest.Value) {
	var room [8]*ranges
	of := sensorsOf(st, room[:0])
	for i := range values {
		v := &values[i]
		if v.Flags&ingest.Sentinel != 0 {
			continue
		}
		if sensor := measuring(of, v.Quantity); sensor != nil && sensor[v.Quantity].exclude(v.Value) {
			v.Flags |= ingest.Range
			flagSiblings(of, sensor, values)
		} else if l := unknownSensor[v.Quantity]; l != (limits{}) && l.exclude(v.Value) {
			v.Flags |= ingest.Range
		}
	}
}

// flagSiblings flags what a sensor sent in a reading, marks for "no value" aside.
func flagSiblings(of []*ranges, sensor *ranges, values []ingest.Value) {
	for i := range values {
		if v := &values[i]; v.Flags&ingest.Sentinel == 0 && measuring(of, v.Quantity) == sensor {
			v.Flags |= ingest.Range
		}
	}
}

// sensorsOf appends the ranges of a station's sensors that are in the table.
func sensorsOf(st *ingest.Station, list []*ranges) []*ranges {
	for _, sensor := range st.Sensors {
		if r := sensors[sensor]; r != nil {
			list = append(list, r)
		}
	}
	return list
}

// measuring is the first of the sensors that measures q; nil when none does.
func measuring(of []*ranges, q quantity.Quantity) *ranges {
	for _, r := range of {
		if r[q] != (limits{}) {
			return r
		}
	}
	return nil
}

// exclude reports whether a value is outside.
func (l limits) exclude(v float64) bool { return v < l.low || v > l.high }

// fractions are the particle fractions, each of which is part of those after it.
var fractions = []quantity.Quantity{quantity.PM1, quantity.PM2_5, quantity.PM4, quantity.PM10}

func consistencyCheck(rules *Rules, _ *ingest.Station, values []ingest.Value) {
	for i, fine := range fractions {
		for _, coarse := range fractions[i+1:] {
			small, large := find(values, fine), find(values, coarse)
			if small == nil || large == nil || small.Flags&ingest.Sentinel != 0 || large.Flags&ingest.Sentinel != 0 {
				continue
			}
			if small.Value == 0 && large.Value > rules.InconsistentZero {
				small.Flags |= ingest.Inconsistent // of a firmware that fills in what its sensor does not measure the rest is good
			}
			over := small.Value - large.Value
			if over > rules.InconsistentBy && over > rules.InconsistentShare*large.Value {
				small.Flags |= ingest.Inconsistent
				large.Flags |= ingest.Inconsistent
			}
		}
	}
}

func find(values []ingest.Value, q quantity.Quantity) *ingest.Value {
	for i := range values {
		if values[i].Quantity == q {
			return &values[i]
		}
	}
	return nil
}
