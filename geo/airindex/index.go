package airindex

import (
	"math"

	"stadtluft/firmware-protocol/quantity"
)

// Class is a class of an index: 1 is the best air, higher is worse; 0 is no statement. What a class is
// called depends on its index.
type Class uint8

// None is no statement.
const None Class = 0

// Words are a name in both languages of the pages.
type Words struct{ English, German string }

// Label is how a class is shown. Colour is "#RRGGBB", or empty where the index publishes none.
type Label struct {
	Words
	Colour string
}

// noStatement is shown where there are too few data.
var noStatement = Label{Words: Words{"no statement", "keine Aussage"}}

// Index is an air quality index.
type Index uint8

const (
	European Index = iota // European Air Quality Index of the European Environment Agency
	German                // Luftqualitätsindex of the Umweltbundesamt
)

// definition is an index in figures: for each pollutant the upper bounds of all classes but the last,
// in µg/m³ of an hourly mean. A bound belongs to its class.
type definition struct {
	name   string
	bounds map[quantity.Quantity][]float64
	round  func(float64) float64
	labels []Label // labels[0] is no statement
}

func (x Index) definition() *definition {
	if x == German {
		return &lqi
	}
	return &eaqi
}

// Pollutants are what an index looks at, in the order in which they decide when several are in the
// worst class.
func Pollutants() []quantity.Quantity {
	return []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.NO2, quantity.O3, quantity.SO2}
}

// String is the short name of x in files and routes: "eaqi" or "lqi".
func (x Index) String() string { return x.definition().name }

// Class is the class of an hourly mean in µg/m³ of one of Pollutants. It is None and false for anything
// else and for NaN. A value below 0 is noise around nothing and counts as the best air.
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

// Classes is the number of classes of x.
func (x Index) Classes() int { return len(x.definition().labels) - 1 }

// Label is how x shows a class; a class it does not have is no statement.
func (x Index) Label(c Class) Label {
	labels := x.definition().labels
	if int(c) >= len(labels) {
		return noStatement
	}
	return labels[c]
}

// Value is what an index says of one hour. The zero Value is no statement of the European one.
type Value struct {
	Index     Index
	Class     Class             // None is no statement
	Pollutant quantity.Quantity // the one that decides; 0 where there is no statement
	Measured  int               // how many of Pollutants were known; fewer than all is worth a remark
}

// Of is the index of hourly means in µg/m³ by pollutant: the worst decides, and of several in the worst
// class the first of Pollutants. Other quantities and NaN are passed over.
//
// Without PM2.5 and PM10 there are too few data. This rule is ours: nearly every station counts
// particles and few measure gases, so an index of a gas alone would call the air good in the middle of
// smoke. The Umweltbundesamt is content with any one pollutant, at stations that are sited for it, and
// marks an index of fewer than five as incomplete, as one can by Measured.
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

// Label is how v is shown.
func (v Value) Label() Label { return v.Index.Label(v.Class) }
