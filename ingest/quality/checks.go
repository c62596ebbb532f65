package quality

import (
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// check sets flags on a reading's values by looking at this one reading.
type check func(rules *Rules, st *ingest.Station, values []ingest.Value)

// checks in the order in which they run, before stuck and humid, which look back. A sentinel is no measurement, so it is not
// out of range too,
// and nothing is compared with it.
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

// humid flags particles by the humidity of the same reading, or by one that the station sent by itself a moment ago.
func (c *Checker) humid(m *memory, r *ingest.Reading) {
	m.keepHumidity(r)
	apart := r.Time.Sub(time.Unix(int64(m.humidity.at), 0)).Abs()
	if apart > together || float64(m.humidity.percent) < c.rules.Humid {
		return
	}
	for i := range r.Values {
		if particles(r.Values[i].Quantity) {
			r.Values[i].Flags |= ingest.Humid
		}
	}
}

// saturated is the relative humidity in % at the end of a hygrometer's scale.
const saturated = 100

// stuck looks back: a value that has not changed for hours is flagged from then on. Particles that are next to nothing may
// stay so.
func (c *Checker) stuck(m *memory, st *ingest.Station, r *ingest.Reading) {
	for i := range r.Values {
		v := &r.Values[i]
		if v.Flags&ingest.Sentinel != 0 {
			continue
		}
		since, readings := m.hold(r.Time, v.Quantity, v.Value)
		if installed := st.InstalledSince(r.Time); since.Before(installed) {
			since = installed // another sensor's time does not count
		}
		long := hours(c.rules.StuckOthers)
		switch {
		case v.Quantity == quantity.Humidity && v.Value == saturated:
			long = hours(c.rules.StuckSaturated)
		case particles(v.Quantity) && v.Value <= 2*resolutionOf(st):
			continue
		case particles(v.Quantity):
			long = hours(c.rules.StuckParticles)
		case v.Quantity != quantity.Temperature && v.Quantity != quantity.Humidity && v.Quantity != quantity.Pressure:
			continue
		}
		if readings >= int(c.rules.StuckReadings) && r.Time.Sub(since) >= long {
			v.Flags |= ingest.Stuck
		}
	}
}

// resolutionOf is a particle counter's resolution in µg/m³, by its data sheet; 1 where it is not known.
func resolutionOf(st *ingest.Station) float64 {
	for _, sensor := range st.Sensors {
		if resolution, ok := resolutions[sensor]; ok {
			return resolution
		}
	}
	return 1
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
