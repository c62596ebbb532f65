package airindex

import "math"

// legend is the look of each class: the European index's own English names and colours, and the names
// in German.
var legend = [...]struct{ english, german, colour string }{
	Good:          {"good", "gut", "#50F0E6"},
	Fair:          {"fair", "ausreichend", "#50CCAA"},
	Moderate:      {"moderate", "mäßig", "#F0E641"},
	Poor:          {"poor", "schlecht", "#FF5050"},
	VeryPoor:      {"very poor", "sehr schlecht", "#960032"},
	ExtremelyPoor: {"extremely poor", "extrem schlecht", "#7D2181"},
}

// String is the English name of c; empty for None and for what is no class.
func (c Class) String() string {
	if c > ExtremelyPoor {
		return ""
	}
	return legend[c].english
}

// German is the German name of c; empty for None and for what is no class.
func (c Class) German() string {
	if c > ExtremelyPoor {
		return ""
	}
	return legend[c].german
}

// Colour is the European index's colour of c as #RRGGBB; empty for None and for what is no class.
func (c Class) Colour() string {
	if c > ExtremelyPoor {
		return ""
	}
	return legend[c].colour
}

// Band is the range of hourly means, in µg/m³, of one class: above Over, up to and including UpTo.
type Band struct {
	Class Class
	Over  float64 // 0 for Good, which also holds 0 and what is below
	UpTo  float64 // +Inf for ExtremelyPoor
}

// Bands are the six bands of a pollutant from good to extremely poor; none for an unknown pollutant.
func Bands(pollutant string) []Band {
	bounds, ok := eaqi[pollutant]
	if !ok {
		return nil
	}
	bands := make([]Band, 0, len(bounds)+1)
	over := 0.0
	for i, bound := range bounds {
		bands = append(bands, Band{Good + Class(i), over, bound})
		over = bound
	}
	return append(bands, Band{ExtremelyPoor, over, math.Inf(1)})
}
