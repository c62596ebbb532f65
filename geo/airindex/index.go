package airindex

import (
	"math"
	"slices"
	"strings"
	"time"

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

// Averaging is the averaging time of both indices: neither ETC HE Report 2024/17 nor the Umweltbundesamt's table of 2025
// has classes of daily means. The limits of a day in Directive (EU) 2024/2881, Annex I, are limits, not classes.
const Averaging = time.Hour

// ForCity is how many stations, and how many cells, a pollutant needs before an index speaks of a whole city: with two, one
// faulty station decides. The rule is ours.
const ForCity = 3

// Reason says why an index makes no statement; empty when it makes one.
type Reason string

// The reasons.
const (
	NoParticles    Reason = "no_particles"     // neither PM2.5 nor PM10 is known
	NotHourly      Reason = "not_hourly"       // the means are not of Averaging
	TooFewStations Reason = "too_few_stations" // see ForCity
)

// Reasons returns all reasons.
func Reasons() []Reason { return []Reason{NoParticles, NotHourly, TooFewStations} }

// Label returns the reason as the label of None.
func (r Reason) Label() Label {
	switch r {
	case NotHourly:
		return Label{Text: bilingual.Of("no index of means over this time", "kein Index für Mittel über diese Zeit")}
	case TooFewStations:
		return Label{Text: bilingual.Of("too few stations for a statement", "zu wenige Stationen für eine Aussage")}
	}
	return noStatement
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
	title  bilingual.Text
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
	Class     Class               // None makes no statement
	Pollutant quantity.Quantity   // the one that decides; 0 for None
	Measured  []quantity.Quantity // the Pollutants it is made of, in their order
	Reason    Reason              // why Class is None
}

// Of returns the index for hourly means in µg/m³ by pollutant: the worst pollutant decides, and of several in the
// worst class the first of Pollutants. It ignores other quantities and NaN.
//
// Without PM2.5 and PM10 there are too few data. This rule is ours: nearly every station counts particles and few
// measure gases, so an index of a gas alone would call the air good in the middle of smoke. The Umweltbundesamt needs
// only one pollutant, at stations that are sited for it, and marks an index of fewer than five as incomplete; Name says
// the same.
func (x Index) Of(means map[quantity.Quantity]float64) Value {
	v := Value{Index: x}
	for _, pollutant := range Pollutants() {
		mean, ok := means[pollutant]
		if !ok {
			continue
		}
		class, ok := x.Class(pollutant, mean)
		if !ok {
			continue
		}
		v.Measured = append(v.Measured, pollutant)
		if class > v.Class {
			v.Class, v.Pollutant = class, pollutant
		}
	}
	if !slices.ContainsFunc(v.Measured, isParticles) {
		return v.Without(NoParticles)
	}
	return v
}

func isParticles(q quantity.Quantity) bool { return q == quantity.PM2_5 || q == quantity.PM10 }

// Without returns v without its statement, for a reason.
func (v Value) Without(reason Reason) Value {
	v.Class, v.Pollutant, v.Reason = None, 0, reason
	return v
}

// Label returns the label of v: of its class, or of the reason why it has none.
func (v Value) Label() Label {
	if v.Class == None {
		return v.Reason.Label()
	}
	return v.Index.Label(v.Class)
}

// Name returns the name of the index, with the pollutants that it is made of where those are not enough for what the
// European Environment Agency publishes as its index: particles, NO2 and ozone (ETC HE Report 2024/17). It is the index's own
// where nothing is known.
func (v Value) Name() bilingual.Text {
	var of []string
	if slices.ContainsFunc(v.Measured, isParticles) {
		of = append(of, "PM")
	}
	for _, gas := range []quantity.Quantity{quantity.NO2, quantity.O3, quantity.SO2} {
		if slices.Contains(v.Measured, gas) {
			of = append(of, strings.ToUpper(gas.String()))
		}
	}
	title := v.Index.definition().title
	if len(of) == 0 || slices.Contains(of, "PM") && slices.Contains(of, "NO2") && slices.Contains(of, "O3") {
		return title
	}
	return bilingual.Of(title.EN+", from "+join(of, " and ")+" only", title.DE+", nur aus "+join(of, " und "))
}

// join joins words as in a sentence.
func join(words []string, and string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + and + words[last]
}
