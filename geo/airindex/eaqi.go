// Package airindex turns hourly means into classes of an air quality index: the European one in its
// revision of 2024.
//
// An index of values from low-cost sensors is indicative; whoever shows one says so.
package airindex

import "math"

// Class is a class of the European Air Quality Index: 1 good to 6 extremely poor; 0 is no statement.
type Class uint8

// The classes of the European Air Quality Index.
const (
	None Class = iota
	Good
	Fair
	Moderate
	Poor
	VeryPoor
	ExtremelyPoor
)

// eaqi are the upper bounds of the classes good to very poor in µg/m³; a bound belongs to its class.
// Source: ETC HE Report 2024/17, hourly means for all pollutants. The 24 h bands of 10/20/25/50/75 for
// PM2.5 that are still widely quoted are the previous revision's.
var eaqi = map[string][5]float64{
	"pm2_5": {5, 15, 50, 90, 140},
	"pm10":  {15, 45, 120, 195, 270},
	"no2":   {10, 25, 60, 100, 150},
	"o3":    {60, 100, 120, 160, 180},
	"so2":   {20, 40, 125, 190, 275},
}

// EAQI is the class of an hourly mean in µg/m³ of pm2_5, pm10, no2, o3 or so2. It is None and false
// for anything else and for NaN. A value below 0 is noise around nothing and counts as good.
func EAQI(pollutant string, mean float64) (Class, bool) {
	bounds, ok := eaqi[pollutant]
	if !ok || math.IsNaN(mean) {
		return None, false
	}
	for i, bound := range bounds {
		if mean <= bound {
			return Good + Class(i), true
		}
	}
	return ExtremelyPoor, true
}
