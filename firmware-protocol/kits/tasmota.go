package kits

import (
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// clockTolerance is how far a station's local time may be from receipt. Beyond it the clock or the zone is wrong, and
// the time of receipt counts.
const clockTolerance = 5 * time.Minute

// tasmotaSensors are the sensors whose values are used, by the beginning of their name. Of several sensors for one
// quantity the one with the lowest rank counts. ENERGY, ANALOG, ESP32 (the chip's own temperature) and the like are
// ignored.
var tasmotaSensors = []struct {
	prefix string
	rank   int
}{
	{"BME280", 0}, {"BME680", 1}, {"SHT", 2}, {"SI7021", 3}, {"HTU21", 3}, {"HDC", 3}, {"AHT", 3}, {"BMP", 4}, {"AM2301", 5}, {"DHT", 5},
	{"MCP9808", 4}, {"SONOFFSC", 5}, {"SCD", 6}, {"STCC4", 6}, {sen5x, 6}, {sen6x, 6}, {"MHZ19", 7}, {"SENSEAIR", 7}, {"HC8", 7}, {"DS18B20", 8}, {"DS18S20", 8},
	{"SDS0", 0}, {"SPS30", 1}, {"PMS", 2}, {"HPMA", 3}, {"HM330", 3}, {"VINDRIKTNING", 4},
}

// The beginnings of the names of Sensirion's SEN50 to SEN55 and SEN62 to SEN69C.
const (
	sen5x = "SEN5"
	sen6x = "SEN6"
)

// tasmotaIndices maps names of these sensors alone: with other sensors they are not Sensirion's indices.
var tasmotaIndices = map[string]quantity.Quantity{"VOC": quantity.VOCIndex, "NOx": quantity.NOxIndex}

// tasmotaFlat maps names that a Sonoff SC writes beside the time, not below a sensor's name.
var tasmotaFlat = map[string]quantity.Quantity{
	"Temperature": quantity.Temperature, "Humidity": quantity.Humidity, "Light": 0, "Noise": 0, "AirQuality": 0,
}

// tasmotaFlatRank is the rank of a Sonoff SC's values beside the time.
const tasmotaFlatRank = 9

// tasmotaNames maps names to quantities: PM… is the atmospheric series; CF…, the factory's, is in tasmotaCF1. The names
// with an underscore come from other drivers.
var tasmotaNames = map[string]quantity.Quantity{
	"Temperature": quantity.Temperature, "Humidity": quantity.Humidity, "Pressure": quantity.Pressure, "CarbonDioxide": quantity.CO2,
	"PM1": quantity.PM1, "PM2.5": quantity.PM2_5, "PM4": quantity.PM4, "PM10": quantity.PM10,
	"PM1_0": quantity.PM1, "PM2_5": quantity.PM2_5, "PM4_0": quantity.PM4,
	"pm1": quantity.PM1, "pm2_5": quantity.PM2_5, "pm10": quantity.PM10,
	"VOCIndex": quantity.VOCIndex, "NOxIndex": quantity.NOxIndex,
}

// tasmotaCF1 maps the factory's series to quantities, which then stands for tasmotaNames' particles.
var tasmotaCF1 = map[string]quantity.Quantity{
	"CF1": quantity.PM1, "CF2.5": quantity.PM2_5, "CF10": quantity.PM10, "pm1cf1": quantity.PM1, "pm2_5cf1": quantity.PM2_5, "pm10cf1": quantity.PM10,
}

// tasmotaQuantity returns the quantity that a name stands for; 0 for none, and for particles of the series that is not taken.
func tasmotaQuantity(name string, cf1 bool) quantity.Quantity {
	q := tasmotaNames[name]
	if !cf1 {
		return q
	}
	switch q {
	case quantity.PM1, quantity.PM2_5, quantity.PM10:
		return 0
	case 0:
		return tasmotaCF1[name]
	}
	return q
}

// tasmota decodes a message on tele/{device}/SENSOR:
//
//	{"Time":"2026-05-01T10:00:00","BME280":{"Temperature":18.2,…},"TempUnit":"C"}
//
// Its time is local and has no zone. Messages on STATE, LWT and the like have no reading.
func tasmota(payload []byte, s Settings) Message {
	if last := s.Part[strings.LastIndexByte(s.Part, '/')+1:]; last != "" && last != "SENSOR" && last != "STATUS8" && last != "STATUS10" {
		return Message{}
	}
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	if status := top.Member("StatusSNS"); status.IsObject() { // the answer to the command STATUS 10
		top = status
	}
	var d draft
	units := tasmotaUnitsOf(top)
	for sensor, values := range top.Members() {
		if values.IsObject() {
			d.tasmotaSensor(sensor, values, units, s.CF1)
		} else if q, ok := tasmotaFlat[sensor]; !ok {
			continue // Time, units and switches
		} else if q == 0 {
			d.ignore(sensor)
		} else {
			d.tasmotaValue(meaning{quantity: q, rank: tasmotaFlatRank}, sensor, values, units)
		}
	}
	at := wire.Reading{}
	if text, ok := top.Member("Time").Text(); ok {
		at.Time = localTime(text, s)
	}
	d.end(at)
	return d.done()
}

// tasmotaSensor takes the values of one sensor.
func (d *draft) tasmotaSensor(sensor string, values wire.JSON, units tasmotaUnits, cf1 bool) {
	rank, known := tasmotaRank(sensor)
	indices := strings.HasPrefix(sensor, sen5x) || strings.HasPrefix(sensor, sen6x)
	sensor = plain(sensor)
	cf1 = cf1 && strings.HasPrefix(strings.ToUpper(sensor), "PMS") // no other has two series
	for name, value := range values.Members() {
		q := tasmotaQuantity(name, cf1)
		if q == 0 && indices {
			q = tasmotaIndices[name]
		}
		if !known || q == 0 {
			d.ignorePart(sensor, name)
		} else {
			d.tasmotaValue(meaning{quantity: q, rank: rank}, sensor+"."+name, value, units)
		}
	}
}

// tasmotaValue takes a value in the unit that the message names.
func (d *draft) tasmotaValue(m meaning, field string, value wire.JSON, units tasmotaUnits) {
	if unit, bad := units.unknown[m.quantity]; !bad {
		m.convert = units.convert[m.quantity]
		d.json(m, field, value)
	} else if !d.full() {
		d.refuse(wire.Unsupported, field, "the unit "+quote(unit)+" is not known")
	}
}

// tasmotaRank returns the rank of a sensor; false for one whose values are not used.
func tasmotaRank(name string) (rank int, known bool) {
	for _, s := range tasmotaSensors {
		if len(name) >= len(s.prefix) && strings.EqualFold(name[:len(s.prefix)], s.prefix) {
			return s.rank, true
		}
	}
	return 0, false
}

// tasmotaKnownUnits maps the members that name a unit to the units that are known. Without such a member values are
// in our unit.
var tasmotaKnownUnits = map[string]struct {
	quantity quantity.Quantity
	convert  map[string]func(float64) float64
}{
	"TempUnit":     {quantity.Temperature, map[string]func(float64) float64{"C": nil, "F": fromFahrenheit}},
	"PressureUnit": {quantity.Pressure, map[string]func(float64) float64{"hPa": nil, "mbar": nil, "mmHg": fromMillimetres, "inHg": fromInches}},
}

// tasmotaUnits are the units that a message names: the conversions for those that are known, and those that are not.
type tasmotaUnits struct {
	convert map[quantity.Quantity]func(float64) float64
	unknown map[quantity.Quantity]string
}

func tasmotaUnitsOf(top wire.JSON) tasmotaUnits {
	u := tasmotaUnits{map[quantity.Quantity]func(float64) float64{}, map[quantity.Quantity]string{}}
	for member, known := range tasmotaKnownUnits {
		unit, ok := top.Member(member).Text()
		if !ok {
			continue
		}
		if u.convert[known.quantity], ok = known.convert[unit]; !ok {
			u.unknown[known.quantity] = unit
		}
	}
	return u
}

// localTime reads a time of the station's own clock, with or without a zone and fractions of a second. When clocks go
// back a local time means two moments; localTime returns the one nearer to receipt. It returns zero when the text is
// not a time or the moment is more than clockTolerance from receipt.
func localTime(text string, s Settings) time.Time {
	at, zoned := parseTime(time.RFC3339, text)
	if !zoned {
		wall, ok := parseTime("2006-01-02T15:04:05", text)
		if !ok {
			return time.Time{}
		}
		// The offsets of the zone a day before and after are the only ones that the clock can have used.
		const day = 24 * time.Hour
		for _, near := range []time.Time{wall.Add(-day), wall.Add(day)} {
			_, offset := near.In(s.Zone).Zone()
			if moment := wall.Add(-time.Duration(offset) * time.Second); at.IsZero() || distance(moment, s.Received) < distance(at, s.Received) {
				at = moment
			}
		}
	}
	if distance(at, s.Received) > clockTolerance {
		return time.Time{}
	}
	return at.UTC().Truncate(time.Second)
}

func distance(a, b time.Time) time.Duration { return a.Sub(b).Abs() }
