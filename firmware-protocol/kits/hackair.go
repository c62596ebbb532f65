package kits

import (
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

var hackairNames = map[string]quantity.Quantity{"PM2.5_AirPollutantValue": quantity.PM2_5, "PM10_AirPollutantValue": quantity.PM10}

// hackair decodes a hackAIR node:
//
//	{"reading":{"PM2.5_AirPollutantValue":"6.10","PM10_AirPollutantValue":"14.20"},"battery":"5.80"}
func hackair(payload []byte, _ Settings) Message {
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	var d draft
	for name, value := range top.Members() {
		switch {
		case name == "reading" && value.IsObject():
			for pollutant, value := range value.Members() {
				if q, ok := hackairNames[pollutant]; ok {
					d.json(meaning{quantity: q}, pollutant, value)
				} else {
					d.ignore(pollutant)
				}
			}
		case name == "battery":
			d.json(meaning{quantity: quantity.Battery}, name, value)
		default:
			d.ignore(name)
		}
	}
	d.end(wire.Reading{})
	return d.done()
}
