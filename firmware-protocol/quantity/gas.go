package quantity

// gases holds the µg/m³ of one ppb of a gas, and the mg/m³ of one ppm of carbon monoxide: M/24.055 with the molar mass
// M in g/mol, at 20 °C and 1,013 hPa (Directive (EU) 2024/2881: gases are given at 293 K and 101.3 kPa).
var gases = map[Quantity]float64{NO2: 1.9125, NO: 1.2474, O3: 1.9954, SO2: 2.6633, CO: 1.1644}

// FromPPB returns a gas's mixing ratio in ppb in its unit, as it is at 20 °C and 1,013 hPa; false for what is not a gas
// with a mass concentration.
func FromPPB(q Quantity, ppb float64) (float64, bool) {
	factor, ok := gases[q]
	if q == CO {
		ppb /= 1000
	}
	return ppb * factor, ok
}

// Convert returns a value of q in q's unit from another unit: a concentration in "µg/m³" or "mg/m³" (also written "ug/m3"
// and "ug.m-3"), a gas in "ppb" or "ppm". Empty is q's own unit. It returns false for a unit that does not fit q.
func Convert(q Quantity, unit string, value float64) (float64, bool) {
	switch {
	case unit == "" || unit == q.Unit():
		return value, q.Valid()
	case unit == "ppb":
		return FromPPB(q, value)
	case unit == "ppm":
		return FromPPB(q, 1000*value)
	}
	micro, milli := microgram[unit], milligram[unit]
	switch {
	case micro && q.Unit() == "µg/m³", milli && q.Unit() == "mg/m³":
		return value, true
	case micro && q.Unit() == "mg/m³":
		return value / 1000, true
	case milli && q.Unit() == "µg/m³":
		return value * 1000, true
	}
	return 0, false
}

// microgram and milligram hold the ways in which agencies and firmware write those units; µ is U+00B5 or U+03BC.
var (
	microgram = map[string]bool{"µg/m³": true, "μg/m³": true, "µg/m3": true, "ug/m3": true, "ug.m-3": true, "ug/m³": true}
	milligram = map[string]bool{"mg/m³": true, "mg/m3": true, "mg.m-3": true}
)
