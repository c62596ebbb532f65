package kits

import "stadtluft/firmware-protocol/wire"

var hackairNames = map[string]wire.Quantity{"PM2.5_AirPollutantValue": wire.PM2_5, "PM10_AirPollutantValue": wire.PM10}

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
					d.leave(pollutant)
				}
			}
		case name == "battery":
			d.json(meaning{quantity: wire.Battery}, name, value)
		default:
			d.leave(name)
		}
	}
	d.end(wire.Reading{})
	return d.done()
}
