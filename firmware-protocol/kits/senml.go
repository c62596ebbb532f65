package kits

import (
	"fmt"
	"math"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

const (
	// senmlVersion is the highest version of SenML (RFC 8428, 4.1).
	senmlVersion = 10
	// senmlRelative is the limit below which a time is relative to receipt (RFC 8428, 4.5.3).
	senmlRelative = 1 << 28
	senmlLatest   = 253402300799 // seconds; the year 9999
)

// senmlUnits maps the units that are accepted for each quantity to their conversions: those of RFC 8428 and RFC 8798,
// and common spellings. A value without a unit is in ours.
var senmlUnits = map[quantity.Quantity]map[string]func(float64) float64{
	quantity.Temperature: {"Cel": nil, "K": fromKelvin},
	quantity.Humidity:    {"%RH": nil, "%": nil},
	quantity.Pressure:    {"hPa": nil, "Pa": fromPascal},
	quantity.CO2:         {"ppm": nil},
	quantity.Battery:     {"V": nil, "mV": func(v float64) float64 { return tidy(v / 1000) }},
	quantity.RSSI:        {"dBm": nil, "dBW": func(v float64) float64 { return tidy(v + 30) }},
	quantity.NoiseLAeq:   {"dB": nil, "dBA": nil, "dB(A)": nil},
	quantity.VOCIndex:    {"1": nil, "/": nil},
	quantity.NOxIndex:    {"1": nil, "/": nil},
	quantity.CO:          {"mg/m3": nil, "mg/m³": nil},
	quantity.PM1:         micrograms, quantity.PM2_5: micrograms, quantity.PM4: micrograms, quantity.PM10: micrograms,
	quantity.NO2: micrograms, quantity.NO: micrograms, quantity.O3: micrograms, quantity.SO2: micrograms,
}

var micrograms = map[string]func(float64) float64{"ug/m3": nil, "µg/m3": nil, "µg/m³": nil, "μg/m³": nil}

// fromMixingRatio returns the conversion of a gas in ppb or ppm, at 20 °C and 1,013 hPa; false for other units and quantities.
func fromMixingRatio(q quantity.Quantity, unit string) (func(float64) float64, bool) {
	if _, gas := quantity.FromPPB(q, 0); !gas || unit != "ppb" && unit != "ppm" {
		return nil, false
	}
	return func(v float64) float64 {
		mass, _ := quantity.Convert(q, unit, v)
		return tidy(mass)
	}, true
}

// senmlBase holds the base values of the records so far (RFC 8428, 4.1).
type senmlBase struct {
	name, unit  string
	time, value float64
}

// senml decodes SenML JSON (RFC 8428): an array of records. The last part of a name, after ':' or '/', is the
// quantity. Records with the same time become one reading.
func senml(payload []byte, s Settings) Message {
	top, refusal := wire.ParseJSON(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	if !top.IsArray() {
		return malformed("SenML is an array of records, not " + top.String())
	}
	var d draft
	var base senmlBase
	at := wire.Reading{}
	for i, record := range top.Elements() {
		where := fmt.Sprintf("[%d]", i)
		if i == maxReadings {
			d.refuse(wire.TooMany, where, fmt.Sprintf("more than %d records", maxReadings))
			break
		}
		if problem := base.set(record); problem != "" {
			d.refuse(wire.Malformed, where, problem)
			continue
		}
		when, ok := base.when(record, s.Received)
		if !ok {
			d.refuse(wire.BadTime, where, "the time of the record is unusable")
			continue
		}
		if !when.Time.Equal(at.Time) || when.Age != at.Age {
			d.end(at)
			at = when
		}
		d.senmlValue(base, record, where)
	}
	d.end(at)
	return d.done()
}

// set takes over a record's base members and returns what is wrong with the record, or "".
func (b *senmlBase) set(record wire.JSON) string {
	if !record.IsObject() {
		return "a record is an object, not " + record.String()
	}
	for name, value := range record.Members() {
		n, isNumber := value.Number()
		text, isText := value.Text()
		switch {
		case name == "bn" && isText:
			b.name = text
		case name == "bu" && isText:
			b.unit = text
		case name == "bt" && isNumber:
			b.time = n
		case name == "bv" && isNumber:
			b.value = n
		case name == "bver" && isNumber && n <= senmlVersion:
		case name == "bn" || name == "bu" || name == "bt" || name == "bv" || name == "bver":
			return fmt.Sprintf("%q cannot be %s", name, value)
		case strings.HasSuffix(name, "_"): // RFC 8428, 4.4: must be understood or the record is not
			return fmt.Sprintf("%q is an extension that is not known here", plain(name))
		}
	}
	return ""
}

// when returns a reading with the time of a record: none, seconds before or after receipt, or a moment. It returns
// false for an unusable time.
func (b *senmlBase) when(record wire.JSON, received time.Time) (wire.Reading, bool) {
	t, ok := record.Member("t").Number()
	if !ok && !record.Member("t").IsZero() {
		return wire.Reading{}, false
	}
	t += b.time
	switch {
	case t > senmlLatest || t < -senmlRelative:
		return wire.Reading{}, false
	case t == 0:
		return wire.Reading{}, true
	case t < 0:
		return wire.Reading{HasAge: true, Age: time.Duration(-t) * time.Second}, true
	case t < senmlRelative:
		return wire.Reading{Time: received.Add(time.Duration(t) * time.Second).Truncate(time.Second)}, true
	}
	return wire.Reading{Time: time.Unix(int64(t), 0).UTC()}, true
}

func (d *draft) senmlValue(b senmlBase, record wire.JSON, where string) {
	own, _ := record.Member("n").Text()
	name := b.name + own
	value := record.Member("v")
	if value.IsZero() && own == "" {
		return // only base members
	}
	q, ok := quantity.Parse(name[strings.LastIndexAny(name, ":/")+1:])
	if !ok {
		d.ignore(own)
		return
	}
	if value.IsZero() {
		d.refuse(wire.NotANumber, where, fmt.Sprintf("%s needs a number in \"v\"", q))
		return
	}
	unit := b.unit
	if u, ok := record.Member("u").Text(); ok {
		unit = u
	}
	convert, known := senmlUnits[q][unit]
	if mixed, ok := fromMixingRatio(q, unit); ok {
		convert, known = mixed, true
	}
	if !known && unit != "" {
		d.refuse(wire.Unsupported, where+"."+q.String(), fmt.Sprintf("the unit %s is none of %s", quote(unit), q))
		return
	}
	if value.IsNull() {
		d.null = true
		return
	}
	if value.IsNotFinite() {
		d.notFinite(where+"."+q.String(), value.String())
		return
	}
	n, ok := value.Number()
	if n += b.value; !ok || math.IsInf(n, 0) {
		d.refuse(wire.NotANumber, where+"."+q.String(), fmt.Sprintf("%s is a number, not %s", q, value))
		return
	}
	d.put(meaning{quantity: q, convert: convert}, q.String(), n)
}
