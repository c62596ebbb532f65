package kits

import (
	"fmt"
	"math"
	"strings"

	"stadtluft/firmware-protocol/wire"
)

// Two channels contradict each other when their PM2.5 differ by more than both (Barkjohn, Gantt and Clements,
// AMT 14:4617, 2021, for 24 h means: 5 µg/m³ and 61 %; PurpleAir's own bound is 70 %).
const (
	channelsBy    = 5.0 // µg/m³
	channelsShare = 0.70
)

// purpleairParticles have a second channel under the same name with "_b".
var purpleairParticles = map[string]wire.Quantity{"pm1_0_atm": wire.PM1, "pm2_5_atm": wire.PM2_5, "pm10_0_atm": wire.PM10}

var purpleairOthers = map[string]meaning{
	"current_temp_f": {wire.Temperature, 0, fromFahrenheit}, "current_humidity": {wire.Humidity, 0, nil},
	"pressure": {wire.Pressure, 0, nil}, "rssi": {wire.RSSI, 0, nil},
}

// purpleair decodes a PurpleAir's local /json. A particle value is the mean of its two channels; when they
// contradict each other no particle value is taken. The factory's series ("_cf_1"), the device's own
// correction and its position are left.
func purpleair(payload []byte, _ Settings) Message {
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	var d draft
	second := secondChannel(top)
	a, aok := top.Member("pm2_5_atm").Number()
	b, bok := second[wire.PM2_5]
	contradict := aok && bok && differ(a, b)
	for name, value := range top.Members() {
		_, secondOf := purpleairParticles[strings.TrimSuffix(name, "_b")]
		if q, ok := purpleairParticles[name]; ok {
			if contradict {
				d.refuse(wire.Contradictory, name, fmt.Sprintf("PM2.5 is %v in one channel and %v in the other: one of the sensors is dirty or broken", a, b))
				continue
			}
			m := meaning{quantity: q}
			if b, ok := second[q]; ok {
				m.convert = func(a float64) float64 { return tidy(a/2 + b/2) }
			}
			d.json(m, name, value)
		} else if m, ok := purpleairOthers[name]; ok {
			d.json(m, name, value)
		} else if !secondOf {
			d.leave(name)
		}
	}
	d.end(wire.Reading{})
	return d.done()
}

// secondChannel are its values.
func secondChannel(top wire.JSON) map[wire.Quantity]float64 {
	values := map[wire.Quantity]float64{}
	for name, value := range top.Members() {
		first, isSecond := strings.CutSuffix(name, "_b")
		q, ok := purpleairParticles[first]
		if n, isNumber := value.Number(); isSecond && ok && isNumber {
			values[q] = n
		}
	}
	return values
}

func differ(a, b float64) bool {
	by := math.Abs(a - b)
	return by > channelsBy && by > channelsShare*(a+b)/2
}
