package kits

import (
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// airgradientNames maps the device's names to quantities. pm02 is the atmospheric PM2.5. Values that the device has
// corrected itself ("…Compensated") and raw signals ("…Raw") are ignored, and the factory's series ("…Standard") unless it
// is asked for.
var airgradientNames = map[string]quantity.Quantity{
	"pm01": quantity.PM1, "pm02": quantity.PM2_5, "pm10": quantity.PM10, "rco2": quantity.CO2, "atmp": quantity.Temperature, "rhum": quantity.Humidity,
	"tvocIndex": quantity.VOCIndex, "tvoc_index": quantity.VOCIndex, "noxIndex": quantity.NOxIndex, "nox_index": quantity.NOxIndex, "wifi": quantity.RSSI,
}

// airgradientCF1 maps the atmospheric series' names to those of the factory's.
var airgradientCF1 = map[string]string{"pm01": "pm01Standard", "pm02": "pm02Standard", "pm10": "pm10Standard"}

// airgradientQuantity returns the quantity that a name stands for; false for none, and for the series that is not taken.
func airgradientQuantity(name string, cf1 bool) (quantity.Quantity, bool) {
	if cf1 {
		if airgradientCF1[name] != "" {
			return 0, false
		}
		for atmospheric, factory := range airgradientCF1 {
			if name == factory {
				name = atmospheric
			}
		}
	}
	q, ok := airgradientNames[name]
	return q, ok
}

// airgradient decodes a message on airgradient/readings/{serial}, the same as the device's /measures/current:
//
//	{"wifi":-60,"rco2":512,"pm01":4,"pm02":9,"pm10":12,"atmp":19.5,"rhum":55,…}
//
// A fault of its serial line shows as −1 and −1000.99; the quality checks know these marks.
func airgradient(payload []byte, s Settings) Message {
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	var d draft
	for name, value := range top.Members() {
		if q, ok := airgradientQuantity(name, s.CF1); ok {
			d.json(meaning{quantity: q}, name, value)
		} else {
			d.ignore(name)
		}
	}
	d.end(wire.Reading{})
	return d.done()
}
