package kits

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// smartcitizenIDs maps the numbers of the Smart Citizen Kit's sensors, as in its firmware's list (Sensors.h,
// smartcitizen-kit-21); 12, 13 and 29 are those of the first kits. 112 and 113 (a CCS811's eCO2 and VOC) are
// estimates and ignored, as are raw gas signals. Of several sensors for one quantity the one with the lowest rank
// counts.
var smartcitizenIDs = map[int]meaning{
	10: {}, // the battery in percent, not volts
	12: {quantity.Temperature, 4, nil},
	13: {quantity.Humidity, 3, nil},
	14: {}, // light
	29: {quantity.NoiseLAeq, 1, nil},
	53: {quantity.NoiseLAeq, 0, nil},
	55: {quantity.Temperature, 0, nil},
	56: {quantity.Humidity, 0, nil},
	79: {quantity.Temperature, 2, nil}, 80: {quantity.Humidity, 2, nil}, 96: {quantity.Temperature, 3, nil}, // external: SHT31, DS18B20
	58:  {quantity.Pressure, 0, fromKilopascal},
	227: {quantity.Pressure, 1, fromKilopascal},
	89:  {quantity.PM1, 2, nil}, 87: {quantity.PM2_5, 2, nil}, 88: {quantity.PM10, 2, nil}, // PMS5003
	182: {quantity.PM1, 0, nil}, 183: {quantity.PM2_5, 0, nil}, 184: {quantity.PM4, 0, nil}, 185: {quantity.PM10, 0, nil}, // SPS30
	193: {quantity.PM1, 1, nil}, 194: {quantity.PM2_5, 1, nil}, 195: {quantity.PM4, 1, nil}, 196: {quantity.PM10, 1, nil}, // SEN5x
	203: {quantity.Humidity, 1, nil}, 204: {quantity.Temperature, 1, nil}, 205: {quantity.VOCIndex, 0, nil}, 206: {quantity.NOxIndex, 0, nil},
	220: {quantity.RSSI, 0, nil}, 222: {quantity.Battery, 0, nil},
}

// smartcitizen decodes both forms of the Smart Citizen Kit:
//
//	{"data":[{"recorded_at":"2026-05-01 10:00:00","sensors":[{"id":55,"value":18.2}]}]}
//	{t:2026-05-01T10:00:00Z,55:18.2,56:60}
//
// The second is not JSON. A time without a zone is UTC. Messages on info and hello have no reading, and neither has {}.
func smartcitizen(payload []byte, s Settings) Message {
	if last := s.Part[strings.LastIndexByte(s.Part, '/')+1:]; last == "info" || last == "hello" {
		return Message{}
	}
	if !bytes.ContainsRune(payload, '"') {
		return smartcitizenRaw(payload)
	}
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	data := top.Member("data")
	if !data.IsArray() {
		return malformed(`"data" is missing`)
	}
	var d draft
	for i, element := range data.Elements() {
		where := fmt.Sprintf("data[%d]", i)
		if i == maxReadings {
			d.refuse(wire.TooMany, where, fmt.Sprintf("more than %d readings", maxReadings))
			break
		}
		at, ok := recordedAt(element.Member("recorded_at"))
		if !ok {
			d.refuse(wire.BadTime, where+".recorded_at", "a time such as 2026-05-01 10:00:00 is needed, not "+element.Member("recorded_at").String())
			continue
		}
		for _, sensor := range element.Member("sensors").Elements() {
			id, ok := sensor.Member("id").Number()
			if !ok {
				if !d.full() {
					d.refuse(wire.Malformed, where, `a sensor is {"id":…,"value":…}, not `+sensor.String())
				}
				continue
			}
			name := strconv.FormatFloat(id, 'g', -1, 64)
			if m := smartcitizenIDs[int(id)]; m.quantity != 0 && id == float64(int(id)) {
				d.json(m, name, sensor.Member("value"))
			} else {
				d.ignore(name)
			}
		}
		d.end(at)
	}
	d.null = false // a kit says null for each sensor that is not plugged in
	return d.done()
}

// recordedAt returns a reading with the time of j, or without one when j has none. It returns false for an unusable
// time.
func recordedAt(j wire.JSON) (wire.Reading, bool) {
	if j.IsZero() || j.IsNull() {
		return wire.Reading{}, true
	}
	text, ok := j.Text()
	if !ok {
		return wire.Reading{}, false
	}
	at, ok := moment(text)
	return wire.Reading{Time: at}, ok
}

// moment reads a time with or without a zone; without one it is UTC. It cuts fractions of a second off.
func moment(text string) (time.Time, bool) {
	text = strings.TrimSuffix(strings.TrimSpace(text), " UTC")
	at, ok := parseTime(momentLayout(text), text)
	if !ok || at.Year() < 1970 {
		return time.Time{}, false
	}
	return at.UTC().Truncate(time.Second), true
}

// momentLayout returns the layout that can fit a time: trying them all costs more than the time.
func momentLayout(text string) string {
	const date, offset = len("2006-01-02"), len("+07:00")
	zoned := strings.HasSuffix(text, "Z") || len(text) > offset && (text[len(text)-offset] == '+' || text[len(text)-offset] == '-')
	spaced := len(text) > date && text[date] == ' '
	switch {
	case zoned && spaced:
		return "2006-01-02 15:04:05Z07:00"
	case zoned:
		return time.RFC3339
	case spaced:
		return "2006-01-02 15:04:05"
	}
	return "2006-01-02T15:04:05"
}

// rawBetween are the characters between the members of the form that is not JSON; commas may be too many or missing.
const rawBetween = ", \t\r\n"

// smartcitizenRaw decodes the form that is not JSON: members in any order, spaces allowed, "null" for no value.
func smartcitizenRaw(payload []byte) Message {
	text := strings.TrimSpace(string(payload))
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return malformed("this is neither JSON nor {t:TIME,ID:VALUE,…}")
	}
	var d draft
	var at wire.Reading
	for text = strings.Trim(text[1:len(text)-1], rawBetween); text != ""; text = strings.TrimLeft(text, rawBetween) {
		var name, value string
		if name, text = cutAny(text, ":"+rawBetween); !strings.HasPrefix(strings.TrimLeft(text, " "), ":") {
			if !d.full() {
				d.refuse(wire.Malformed, name, "a member is ID:VALUE, not "+quote(name))
			}
			continue
		}
		text = strings.TrimLeft(strings.TrimLeft(text, " ")[1:], " ")
		if name == "t" {
			var ok bool
			if at.Time, text, ok = cutMoment(text); !ok {
				return refused(wire.Refusal{Reason: wire.BadTime, Field: "t", Detail: "a time such as 2026-05-01T10:00:00Z is needed, not " + quote(text)})
			}
			continue
		}
		value, text = cutAny(text, rawBetween)
		d.rawValue(name, value)
	}
	d.end(at)
	return d.done()
}

// cutAny cuts text before the first of the characters.
func cutAny(text, characters string) (before, after string) {
	if i := strings.IndexAny(text, characters); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// cutMoment cuts a time, which may have a space between its date and its hour, from the beginning of text. It returns
// false and the text up to the next member when there is none.
func cutMoment(text string) (at time.Time, after string, ok bool) {
	date, rest := cutAny(text, rawBetween)
	if strings.HasPrefix(rest, " ") {
		hour, after := cutAny(rest[1:], rawBetween)
		if at, ok := moment(text[:len(date)+1+len(hour)]); ok {
			return at, after, true
		}
	}
	if at, ok = moment(date); ok {
		return at, rest, true
	}
	return at, date, false
}

func (d *draft) rawValue(name, value string) {
	id, err := strconv.Atoi(name)
	switch m := smartcitizenIDs[id]; {
	case err != nil || m.quantity == 0:
		d.ignore(name)
	case value == "null":
	case wire.IsNotFinite([]byte(value)):
		d.notFinite(name, quote(value))
	default:
		d.text(m, name, value)
	}
}
