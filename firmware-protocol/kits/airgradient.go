package kits

import "stadtluft/firmware-protocol/wire"

// airgradientNames: pm02 is the atmospheric PM2.5. What the device has corrected itself ("…Compensated"),
// the factory's series ("…Standard") and raw signals ("…Raw") are left.
var airgradientNames = map[string]wire.Quantity{
	"pm01": wire.PM1, "pm02": wire.PM2_5, "pm10": wire.PM10, "rco2": wire.CO2, "atmp": wire.Temperature, "rhum": wire.Humidity,
	"tvocIndex": wire.VOCIndex, "tvoc_index": wire.VOCIndex, "noxIndex": wire.NOxIndex, "nox_index": wire.NOxIndex, "wifi": wire.RSSI,
}

// airgradient decodes a message on airgradient/readings/{serial}, the same as the device's /measures/current:
//
//	{"wifi":-60,"rco2":512,"pm01":4,"pm02":9,"pm10":12,"atmp":19.5,"rhum":55,…}
//
// A fault of its serial line shows as −1 and −1000.99; the checks know these marks.
func airgradient(payload []byte, _ Settings) Message {
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	var d draft
	for name, value := range top.Members() {
		if q, ok := airgradientNames[name]; ok {
			d.json(meaning{quantity: q}, name, value)
		} else {
			d.leave(name)
		}
	}
	d.end(wire.Reading{})
	return d.done()
}
