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
	for i := range values {
		v := &values[i]
		if v.Flags&ingest.Sentinel != 0 {
			continue
		}
		sensor := sensorOf(st, v.Quantity)
		if outside(sensors[sensor], *v) {
			v.Flags |= ingest.Range
			flagSiblings(st, sensor, values)
		} else if outside(unknownSensor, *v) {
			v.Flags |= ingest.Range
		}
	}
}

// flagSiblings flags what a sensor sent in a reading, marks for "no value" aside.
func flagSiblings(st *ingest.Station, sensor string, values []ingest.Value) {
	for i := range values {
		if v := &values[i]; v.Flags&ingest.Sentinel == 0 && sensorOf(st, v.Quantity) == sensor {
			v.Flags |= ingest.Range
		}
	}
}

// sensorOf is the station's first sensor that measures q; empty when none of them is in the table.
func sensorOf(st *ingest.Station, q quantity.Quantity) string {
	for _, sensor := range st.Sensors {
		if _, ok := sensors[sensor][q]; ok {
			return sensor
		}
	}
	return ""
}

// outside reports whether a value is outside the range of its quantity; some quantities have none.
func outside(ranges map[quantity.Quantity]limits, v ingest.Value) bool {
	l, ok := ranges[v.Quantity]
	return ok && (v.Value < l.low || v.Value > l.high)
}

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
