package kits

import (
	"path"
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// esphome decodes a message of ESPHome on {prefix}/sensor/{object_id}/state, a plain number. The quantity follows
// from the object's name, which its owner chose. Messages of other components have no reading.
func esphome(payload []byte, s Settings) Message {
	if s.Part == "" {
		return refused(wire.Refusal{Reason: wire.BadTopic, Detail: "what is measured stands in the topic, …/sensor/OBJECT/state, and there is none"})
	}
	object, isState := strings.CutSuffix(s.Part, "/state")
	component, name := path.Split(object)
	if !isState || component != "sensor/" && !strings.HasSuffix(component, "/sensor/") {
		return Message{} // status, debug, a switch
	}
	var d draft
	d.message.Partial = true
	if q := esphomeName(name); q == 0 {
		d.ignore(name)
	} else {
		d.text(meaning{quantity: q}, name, string(payload))
	}
	d.end(wire.Reading{})
	return d.done()
}

// esphomeEndings maps the ends of objects' names to quantities, longer ends first. The beginning of a name is the
// sensor or the place, as in "bme280_temperature".
var esphomeEndings = []struct {
	ending   string
	quantity quantity.Quantity
}{
	{"pm_10_0", quantity.PM10}, {"pm10_0", quantity.PM10}, {"pm_2_5", quantity.PM2_5}, {"pm2_5", quantity.PM2_5}, {"pm25", quantity.PM2_5}, {"pm_25", quantity.PM2_5},
	{"pm_1_0", quantity.PM1}, {"pm1_0", quantity.PM1}, {"pm_4_0", quantity.PM4}, {"pm4_0", quantity.PM4},
	{"pm_10", quantity.PM10}, {"pm10", quantity.PM10}, {"pm_1", quantity.PM1}, {"pm1", quantity.PM1}, {"pm_4", quantity.PM4}, {"pm4", quantity.PM4},
	{"temperature", quantity.Temperature}, {"humidity", quantity.Humidity}, {"pressure", quantity.Pressure}, {"co2", quantity.CO2}, {"carbon_dioxide", quantity.CO2},
	{"voc_index", quantity.VOCIndex}, {"nox_index", quantity.NOxIndex}, {"battery_voltage", quantity.Battery}, {"wifi_signal", quantity.RSSI}, {"rssi", quantity.RSSI},
	{"noise_laeq", quantity.NoiseLAeq}, {"laeq", quantity.NoiseLAeq},
}

// maxObject bounds an object's name in bytes; ESPHome's have at most 120 characters.
const maxObject = 128

// esphomeOthers are words in a name that show that it is not the quantity of its ending.
var esphomeOthers = []string{"internal", "cpu", "esp32", "esp8266", "chip", "board", "dew", "absolute", "target", "sea_level", "eco2", "raw"}

// esphomeName returns the quantity of an object's name, 0 when it is not known. It also knows ESPHome's example
// names, such as "particulate_matter_2_5um_concentration".
func esphomeName(name string) quantity.Quantity {
	if len(name) > maxObject {
		return 0
	}
	name = strings.ToLower(name)
	for _, word := range esphomeOthers {
		if strings.Contains(name, word) {
			return 0
		}
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, "_concentration"), "um")
	name = strings.ReplaceAll(strings.ReplaceAll(name, "particulate_matter", "pm"), "__", "_")
	for _, e := range esphomeEndings {
		if front, ok := strings.CutSuffix(name, e.ending); ok && (front == "" || strings.HasSuffix(front, "_")) {
			return e.quantity
		}
	}
	return 0
}
