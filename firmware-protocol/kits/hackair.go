package kits

import (
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// hackairNames maps the beginnings of names, before "_", to quantities. Their ends and their case differ by firmware.
var hackairNames = []struct {
	name     string
	quantity quantity.Quantity
}{{"PM2.5", quantity.PM2_5}, {"PM10", quantity.PM10}, {"Temperature", quantity.Temperature}, {"Humidity", quantity.Humidity}}

// hackairName returns the quantity of a name; 0 when it has none.
func hackairName(name string) quantity.Quantity {
	name, _, _ = strings.Cut(name, "_")
	for _, known := range hackairNames {
		if strings.EqualFold(name, known.name) {
			return known.quantity
		}
	}
	return 0
}

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
				if q := hackairName(pollutant); q != 0 {
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
