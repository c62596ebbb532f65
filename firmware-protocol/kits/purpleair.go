package kits

import (
	"fmt"
	"math"
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// Two channels contradict each other when their PM2.5 differ by more than both (Barkjohn, Gantt and Clements,
// AMT 14:4617, 2021, for 24 h means: 5 µg/m³ and 61 %; PurpleAir's own bound is 70 %).
const (
	channelsBy    = 5.0 // µg/m³
	channelsShare = 0.70
)

// purpleairAtmospheric and purpleairCF1 map the first channel's names to quantities; the second channel's end in "_b".
var (
	purpleairAtmospheric = map[string]quantity.Quantity{"pm1_0_atm": quantity.PM1, "pm2_5_atm": quantity.PM2_5, "pm10_0_atm": quantity.PM10}
	purpleairCF1         = map[string]quantity.Quantity{"pm1_0_cf_1": quantity.PM1, "pm2_5_cf_1": quantity.PM2_5, "pm10_0_cf_1": quantity.PM10}
)

var purpleairOthers = map[string]meaning{
	"current_temp_f": {quantity.Temperature, 0, fromFahrenheit}, "current_humidity": {quantity.Humidity, 0, nil},
	"pressure": {quantity.Pressure, 0, nil}, "rssi": {quantity.RSSI, 0, nil},
}

// purpleair decodes a PurpleAir's local /json. A particle value is the mean of its two channels; when they contradict
// each other no particle value is used. The other of its two series ("_atm", and "_cf_1" of the factory), the device's own
// correction and its position are ignored.
func purpleair(payload []byte, s Settings) Message {
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	var d draft
	particles, fine := purpleairAtmospheric, "pm2_5_atm"
	if s.CF1 {
		particles, fine = purpleairCF1, "pm2_5_cf_1"
	}
	first, second := channels(top, particles)
	a, aok := top.Member(fine).Number()
	b, bok := second[quantity.PM2_5]
	contradict := aok && bok && differ(a, b)
	for name, value := range top.Members() {
		bare, isSecond := strings.CutSuffix(name, "_b")
		q := particles[bare]
		switch m, other := purpleairOthers[name]; {
		case other:
			d.json(m, name, value)
		case q == 0 || isSecond && !first[q]:
			d.ignore(name)
		case isSecond: // part of the mean
		case !contradict:
			m.quantity = q
			if b, ok := second[q]; ok {
				m.convert = func(a float64) float64 { return tidy(a/2 + b/2) }
			}
			d.json(m, name, value)
		case !d.full():
			d.refuse(wire.Contradictory, name, fmt.Sprintf("PM2.5 is %v in one channel and %v in the other: one of the sensors is dirty or broken", a, b))
		}
	}
	d.end(wire.Reading{})
	return d.done()
}

// channels returns the quantities for which the first channel has a number, and the numbers of the second channel.
func channels(top wire.JSON, particles map[string]quantity.Quantity) (first map[quantity.Quantity]bool, second map[quantity.Quantity]float64) {
	first, second = map[quantity.Quantity]bool{}, map[quantity.Quantity]float64{}
	for name, q := range particles {
		if _, ok := top.Member(name).Number(); ok {
			first[q] = true
		}
		if n, ok := top.Member(name + "_b").Number(); ok {
			second[q] = n
		}
	}
	return first, second
}

func differ(a, b float64) bool {
	by := math.Abs(a - b)
	return by > channelsBy && by > channelsShare*(a+b)/2
}
