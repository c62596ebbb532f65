package quality

import (
	"cmp"
	"maps"
	"slices"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// Order returns the flags in the order of their checks.
func Order() []ingest.Flags {
	return []ingest.Flags{
		ingest.Sentinel, ingest.Range, ingest.Inconsistent, ingest.Stuck, ingest.Humid,
		ingest.Spike, ingest.Outlier, ingest.Moved, ingest.SeemsIndoor, ingest.Uncorrelated,
	}
}

// MeasuringRange is what a sensor can measure, or what is plausible outdoors.
type MeasuringRange struct {
	Sensor    string // empty for any sensor
	Quantity  quantity.Quantity
	Low, High float64 // included
}

// MeasuringRanges returns the ranges sorted by sensor and quantity.
func MeasuringRanges() []MeasuringRange {
	var list []MeasuringRange
	add := func(sensor string, r *ranges) {
		for _, q := range quantity.All() {
			if l := r[q]; l != (limits{}) {
				list = append(list, MeasuringRange{sensor, q, l.low, l.high})
			}
		}
	}
	add("", &unknownSensor)
	for _, sensor := range slices.Sorted(maps.Keys(sensors)) {
		add(sensor, sensors[sensor])
	}
	return list
}

// Mark is a value that means "no value".
type Mark struct {
	Sensor   string // empty for any
	Quantity quantity.Quantity
	Value    float64
}

// Marks returns the marks sorted by quantity, sensor and value.
func Marks() []Mark {
	var list []Mark
	for q, marks := range sentinels {
		for _, m := range marks {
			list = append(list, Mark{m.sensor, quantity.Quantity(q), m.value})
		}
	}
	slices.SortFunc(list, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Sensor, b.Sensor), cmp.Compare(a.Value, b.Value))
	})
	return list
}
