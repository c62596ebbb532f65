package airindex

import (
	"math"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
)

// Class is a class of an index: 1 is the best air, higher is worse; 0 makes no statement. Its name depends on the
// index.
type Class uint8

// None is the class of an index that makes no statement.
const None Class = 0

// Label is the name and colour of a class. Colour is "#RRGGBB", or empty when the index publishes none.
type Label struct {
	bilingual.Text
	Colour string
}

// noStatement is the label of None.
var noStatement = Label{Text: bilingual.Of("no statement", "keine Aussage")}

// Index is an air quality index.
type Index uint8

const (
	European Index = iota // European Air Quality Index of the European Environment Agency
	German                // Luftqualitätsindex of the Umweltbundesamt
)

// definition holds the figures of an index: for each pollutant the upper bounds of all classes but the last, in µg/m³
// of an hourly mean. A bound belongs to its class.
type definition struct {
	name   string
	bounds map[quantity.Quantity][]float64
	round  func(float64) float64
	labels []Label // labels[0] is noStatement
}

func (x Index) definition() *definition {
	if x == German {
		return &lqi
	}
	return &eaqi
}

// Pollutants returns the pollutants of the indices, in the order in which they decide when several are in the worst
// class.
func Pollutants() []quantity.Quantity {
	return []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.NO2, quantity.O3, quantity.SO2}
}

// String returns the short name of x in files and routes: "eaqi" or "lqi".
func (x Index) String() string { return x.definition().name }

// Class returns the class of an hourly mean in µg/m³ of one of Pollutants; None and false for anything else and for
// NaN. A value below 0 is noise around 0 and counts as the best air.
func (x Index) Class(pollutant quantity.Quantity, mean float64) (Class, bool) {
	d := x.definition()
	bounds, ok := d.bounds[pollutant]
	if !ok || math.IsNaN(mean) {
		return None, false
	}
	mean = d.round(mean)
	for i, bound := range bounds {
		if mean <= bound {
			return Class(i + 1), true
		}
	}
	return Class(len(bounds) + 1), true
}

// Classes returns the number of classes of x.
func (x Index) Classes() int { return len(x.definition().labels) - 1 }

// Label returns the label of a class; that of None for a class that x does not have.
func (x Index) Label(c Class) Label {
	labels := x.definition().labels
	if int(c) >= len(labels) {
		return noStatement
	}
	return labels[c]
}

// Value is the value of an index for one hour. The zero Value is a European one that makes no statement.
type Value struct {
	Index     Index
	Class     Class             // None makes no statement
	Pollutant quantity.Quantity // the one that decides; 0 for None
	Measured  int               // how many of Pollutants were known; show it when it is fewer than all
}

// Of returns the index for hourly means in µg/m³ by pollutant: the worst pollutant decides, and of several in the
// worst class the first of Pollutants. It ignores other quantities and NaN.
//
// Without PM2.5 and PM10 there are too few data. This rule is ours: nearly every station counts particles and few
// measure gases, so an index of a gas alone would call the air good in the middle of smoke. The Umweltbundesamt needs
// only one pollutant, at stations that are sited for it, and marks an index of fewer than five as incomplete;
// Measured allows the same.
func (x Index) Of(means map[quantity.Quantity]float64) Value {
	v := Value{Index: x}
	particles := false
	for _, pollutant := range Pollutants() {
		mean, ok := means[pollutant]
		if !ok {
			continue
		}
		class, ok := x.Class(pollutant, mean)
		if !ok {
			continue
		}
		v.Measured++
		particles = particles || pollutant == quantity.PM2_5 || pollutant == quantity.PM10
		if class > v.Class {
			v.Class, v.Pollutant = class, pollutant
		}
	}
	if !particles {
		v.Class, v.Pollutant = None, 0
	}
	return v
}

// Label returns the label of v.
func (v Value) Label() Label { return v.Index.Label(v.Class) }
