package kits

import (
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// Sensor is a kind of sensor of Sensor.Community; it decides what the name of a value means.
type Sensor uint8

// The kinds of sensors.
const (
	UnknownSensor  Sensor = iota
	ParticleSensor        // laser counters such as SDS011, PMS, HPM, NPM, IPS-7100, SPS30
	PPD42NS               // its P1 and P2 are particle counts, not concentrations
	ClimateSensor
	CO2Sensor
	NoiseSensor
	Positioning // GPS; ignored, as a station's owner sets its place
)

// CommunityName returns what a name of Sensor.Community without a prefix means for a kind of sensor: the quantity and
// how to convert the value (nil leaves it as it is). The quantity is 0 for a name that is not used; unsupported is
// true for a name that is known and cannot be used.
func CommunityName(sensor Sensor, name string) (q quantity.Quantity, convert func(float64) float64, unsupported bool) {
	switch sensor {
	case ParticleSensor:
		return particles[name], nil, false
	case PPD42NS:
		return 0, nil, name == "P1" || name == "P2"
	case ClimateSensor:
		switch name {
		case "temperature":
			return quantity.Temperature, nil, false
		case "humidity":
			return quantity.Humidity, nil, false
		case "pressure":
			return quantity.Pressure, fromPascal, false
		}
	case CO2Sensor:
		if name == "co2_ppm" {
			return quantity.CO2, nil, false
		}
	case NoiseSensor:
		if name == "noise_LAeq" {
			return quantity.NoiseLAeq, nil, false
		}
	}
	return 0, nil, false
}

// particles maps the names of particle sensors: P1 is PM10 and P2 is PM2.5, in the order in which the first sensors
// sent them.
var particles = map[string]quantity.Quantity{"P0": quantity.PM1, "P1": quantity.PM10, "P2": quantity.PM2_5, "P4": quantity.PM4}

// airrohrPrefixes maps the firmware's prefixes to kinds of sensors. Of several sensors for one quantity the one with
// the lowest rank counts; a DS18B20 often measures soil or water.
var airrohrPrefixes = map[string]struct {
	sensor Sensor
	rank   int
}{
	"SDS": {ParticleSensor, 0}, "SPS30": {ParticleSensor, 1}, "NPM": {ParticleSensor, 2}, "IPS": {ParticleSensor, 3},
	"PMS": {ParticleSensor, 4}, "HPM": {ParticleSensor, 5},
	"BME280": {ClimateSensor, 0}, "SHT3X": {ClimateSensor, 1}, "HTU21D": {ClimateSensor, 2}, "BMP280": {ClimateSensor, 3},
	"BMP": {ClimateSensor, 4}, "DS18B20": {ClimateSensor, 6},
	"SCD30": {CO2Sensor, 0}, "DNMS": {NoiseSensor, 0}, "GPS": {Positioning, 0},
}

// dht22Rank is the rank of a climate value without a prefix.
const dht22Rank = 5

// pins maps the X-PIN of a push to Sensor.Community to the kind of sensor.
var pins = map[string]Sensor{
	"1": ParticleSensor, "3": ClimateSensor, "5": PPD42NS, "7": ClimateSensor, "9": Positioning, "11": ClimateSensor, "13": ClimateSensor,
	"15": NoiseSensor, "17": CO2Sensor,
}

// airrohr decodes Sensor.Community's firmware: "send data to own API", a push to Sensor.Community when the part is
// "pin/N", and "send to InfluxDB" when the part is "write".
//
//	{"esp8266id":"1234567","sensordatavalues":[{"value_type":"SDS_P1","value":"12.34"},…]}
func airrohr(payload []byte, s Settings) Message {
	if s.Part == "write" {
		return lines(payload)
	}
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	values := top.Member("sensordatavalues")
	if !values.IsArray() {
		return malformed(`"sensordatavalues" is missing: is this the firmware's own JSON?`)
	}
	var d draft
	pin, _ := strings.CutPrefix(s.Part, "pin/")
	for i, element := range values.Elements() {
		name, ok := element.Member("value_type").Text()
		if !ok && d.full() {
			continue
		} else if !ok {
			d.refuse(wire.Malformed, "sensordatavalues["+strconv.Itoa(i)+"]", `a value is {"value_type":…,"value":…}, not `+element.String())
			continue
		}
		value := element.Member("value")
		d.airrohr(pins[pin], name, func(m meaning) {
			if text, ok := value.Text(); ok && m.quantity == quantity.RSSI {
				d.text(m, name, strings.TrimSuffix(text, " dBm"))
				return
			}
			d.json(m, name, value)
		})
	}
	at, ok := airrohrTime(top)
	if !ok {
		return refused(wire.Refusal{Reason: wire.BadTime, Field: "timestamp", Detail: "a time such as 2026-05-01T10:00:00 is needed, not " + top.Member("timestamp").String()})
	}
	d.end(at)
	return d.done()
}

// airrohrTime returns a reading with the message's time: "timestamp", UTC without a zone, of a push to Sensor.Community
// by something other than the firmware, or "age" of the device's own page. It returns false for an unusable timestamp.
func airrohrTime(top wire.JSON) (wire.Reading, bool) {
	at, ok := recordedAt(top.Member("timestamp"))
	if age, aged := seconds(top.Member("age")); aged && at.Time.IsZero() {
		at.HasAge, at.Age = true, age
	}
	return at, ok
}

// airrohr finds what name means and calls take with it; it refuses or ignores a name that cannot be used.
func (d *draft) airrohr(sensor Sensor, name string, take func(meaning)) {
	m, bare := meaning{}, name
	if prefix, rest, ok := strings.Cut(name, "_"); ok && airrohrPrefixes[prefix].sensor != UnknownSensor {
		sensor, bare = airrohrPrefixes[prefix].sensor, rest
		m.rank = airrohrPrefixes[prefix].rank
	} else if sensor == UnknownSensor {
		sensor, m.rank = bareSensor(name), dht22Rank
	}
	if name == "signal" {
		take(meaning{quantity: quantity.RSSI})
		return
	}
	q, convert, unsupported := CommunityName(sensor, bare)
	switch {
	case unsupported:
		d.refuse(wire.Unsupported, name, "without a prefix this is a PPD42NS, which counts particles and does not weigh them")
	case q == 0:
		d.ignore(name)
	default:
		m.quantity, m.convert = q, convert
		take(m)
	}
}

// bareSensor returns the kind of sensor of a name that has neither a prefix nor a pin.
func bareSensor(name string) Sensor {
	switch name {
	case "P1", "P2":
		return PPD42NS
	case "temperature", "humidity", "pressure":
		return ClimateSensor
	case "co2_ppm":
		return CO2Sensor
	case "noise_LAeq":
		return NoiseSensor
	}
	return UnknownSensor
}

// seconds reads an age, 0 to a year.
func seconds(j wire.JSON) (time.Duration, bool) {
	n, ok := j.Number()
	if text, isText := j.Text(); isText {
		n, ok = ParseNumber(text)
	}
	const most = 366 * 24 * 3600
	return time.Duration(n) * time.Second, ok && n >= 0 && n <= most
}
