package airindex

import (
	"math"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
)

// The classes of the German Luftqualitätsindex.
const (
	SehrGut Class = iota + 1
	Gut
	Maessig
	Schlecht
	SehrSchlecht
)

// lqi is the index of 2025. Source: Umweltbundesamt, after Pfäfflin et al. 2025, doi 10.60810/openumwelt-7990: hourly
// means, whole numbers. We know of no published colours, so it has none.
var lqi = definition{
	name:  "lqi",
	title: bilingual.Of("German index (UBA)", "Deutscher Index (UBA)"),
	bounds: map[quantity.Quantity][]float64{
		quantity.PM2_5: {5, 15, 30, 50},
		quantity.PM10:  {9, 27, 54, 90},
		quantity.NO2:   {10, 30, 60, 100},
		quantity.O3:    {24, 72, 144, 240},
		quantity.SO2:   {10, 30, 60, 100},
	},
	round: halfUp,
	labels: []Label{
		noStatement,
		{Text: bilingual.Of("very good", "sehr gut")},
		{Text: bilingual.Of("good", "gut")},
		{Text: bilingual.Of("moderate", "mäßig")},
		{Text: bilingual.Of("poor", "schlecht")},
		{Text: bilingual.Of("very poor", "sehr schlecht")},
	},
}

// LQI returns the class of an hourly mean in µg/m³ in the German Luftqualitätsindex, as German.Class.
func LQI(pollutant quantity.Quantity, mean float64) (Class, bool) {
	return German.Class(pollutant, mean)
}

// halfUp rounds to a whole number, halves up. Adding 0.5 first would round 0.49999999999999994 to 1.
func halfUp(v float64) float64 {
	whole := math.Floor(v)
	if v-whole >= 0.5 {
		whole++
	}
	return whole
}
