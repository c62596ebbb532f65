package airindex

import (
	"stadtluft/firmware-protocol/quantity"

	"stadtluft/firmware-protocol/bilingual"
)

// The classes of the European Air Quality Index.
const (
	Good Class = iota + 1
	Fair
	Moderate
	Poor
	VeryPoor
	ExtremelyPoor
)

// eaqi is the revision of 2024. Source: ETC HE Report 2024/17, hourly means for all pollutants, and the index's own
// colours. The 24 h bands of 10/20/25/50/75 for PM2.5 that are still widely quoted are those of the previous
// revision.
var eaqi = definition{
	name:  "eaqi",
	title: bilingual.Of("European index", "Europäischer Index"),
	bounds: map[quantity.Quantity][]float64{
		quantity.PM2_5: {5, 15, 50, 90, 140},
		quantity.PM10:  {15, 45, 120, 195, 270},
		quantity.NO2:   {10, 25, 60, 100, 150},
		quantity.O3:    {60, 100, 120, 160, 180},
		quantity.SO2:   {20, 40, 125, 190, 275},
	},
	round: func(mean float64) float64 { return mean },
	labels: []Label{
		noStatement,
		{bilingual.Of("good", "gut"), "#50F0E6"},
		{bilingual.Of("fair", "ordentlich"), "#50CCAA"},
		{bilingual.Of("moderate", "mäßig"), "#F0E641"},
		{bilingual.Of("poor", "schlecht"), "#FF5050"},
		{bilingual.Of("very poor", "sehr schlecht"), "#960032"},
		{bilingual.Of("extremely poor", "extrem schlecht"), "#7D2181"},
	},
}

// EAQI returns the class of an hourly mean in µg/m³ in the European Air Quality Index, as European.Class.
func EAQI(pollutant quantity.Quantity, mean float64) (Class, bool) {
	return European.Class(pollutant, mean)
}
