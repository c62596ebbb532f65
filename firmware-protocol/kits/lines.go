package kits

import (
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
)

// lines decodes InfluxDB's line protocol as the airRohr firmware writes it:
//
//	feinstaub,node=esp8266-1234567 SDS_P1=12.34,SDS_P2=5.67
//
// Each line is a reading. A value that is not a number is in quotes. The firmware sends no time; a time that is there
// is in nanoseconds, InfluxDB's default.
func lines(payload []byte) Message {
	var d draft
	number := 0
	for line := range strings.Lines(string(payload)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if len(d.message.Readings) == maxReadings {
			d.refuse(wire.TooMany, "", "more than 1000 lines")
			break
		}
		_, rest, ok := cutUnescaped(line, ' ')
		if !ok {
			d.refuseLine(wire.Malformed, number, "a line is MEASUREMENT,TAGS FIELDS", line)
			continue
		}
		fields, stamp, _ := cutUnescaped(rest, ' ')
		at := wire.Reading{}
		if stamp = strings.TrimSpace(stamp); stamp != "" {
			n, err := strconv.ParseInt(stamp, 10, 64)
			if err != nil || n < 0 {
				d.refuseLine(wire.BadTime, number, "a time is whole nanoseconds", stamp)
				continue
			}
			at.Time = time.Unix(0, n).UTC()
		}
		for fields != "" {
			var field string
			field, fields, _ = cutUnescaped(fields, ',')
			d.lineField(field)
		}
		d.end(at)
	}
	if number == 0 || len(d.message.Readings) == 0 && d.refused == 0 && len(d.message.Ignored) == 0 {
		return malformed("there is no line in the message")
	}
	return d.done()
}

// refuseLine refuses a line, or the text at its end.
func (d *draft) refuseLine(reason wire.Reason, number int, want, found string) {
	if !d.full() {
		d.refuse(reason, "line["+strconv.Itoa(number)+"]", want+", not "+quote(found))
	}
}

func (d *draft) lineField(field string) {
	name, value, ok := cutUnescaped(field, '=')
	if !ok || name == "" {
		if !d.full() {
			d.refuse(wire.Malformed, field, "a field is NAME=VALUE, not "+quote(field))
		}
		return
	}
	name = strings.ReplaceAll(name, `\`, "")
	value = strings.TrimSuffix(strings.TrimSuffix(value, "i"), "u")
	if unquoted, ok := strings.CutPrefix(value, `"`); ok {
		value = strings.TrimSuffix(strings.TrimSuffix(unquoted, `"`), " dBm")
	}
	d.airrohr(UnknownSensor, name, func(m meaning) { d.text(m, name, value) })
}

// cutUnescaped cuts s at the first separator that has no backslash before it and is not in quotes.
func cutUnescaped(s string, separator byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
