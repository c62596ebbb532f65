package kits

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// draft is a message while its members are decoded.
type draft struct {
	message Message
	refused int  // including those beyond maxRefusals
	null    bool // a value was null
	reading []candidate
}

// candidate is a value with the field and the rank of the sensor that sent it.
type candidate struct {
	wire.Value
	field string
	rank  int // the lowest rank counts when several sensors measure one quantity
}

// meaning is what a name of other firmware stands for.
type meaning struct {
	quantity quantity.Quantity // 0 for a name that is known and ignored
	rank     int
	convert  func(float64) float64 // to our unit; nil for a value in our unit
}

// json takes the value of a JSON number, or of a number in quotes. null is no value.
func (d *draft) json(m meaning, field string, j wire.JSON) {
	if j.IsNull() {
		d.null = true
		return
	}
	if j.IsNotFinite() {
		d.notFinite(field, j.String())
		return
	}
	if n, ok := j.Number(); ok {
		d.put(m, field, n)
		return
	}
	if text, ok := j.Text(); ok {
		d.text(m, field, text)
	} else if !d.full() {
		d.refuse(wire.NotANumber, field, fmt.Sprintf("%s is a number, not %s", m.quantity, j))
	}
}

// notFinite refuses a number that is not finite, such as a bare nan.
func (d *draft) notFinite(field, quoted string) {
	if !d.full() {
		d.refuse(wire.NoValues, field, "the sensor had no value: "+quoted)
	}
}

// text takes the value of a number in text.
func (d *draft) text(m meaning, field, text string) {
	if n, ok := ParseNumber(text); ok {
		d.put(m, field, n)
	} else if !d.full() {
		d.refuse(wire.NotANumber, field, fmt.Sprintf("%s is a number, not %s", m.quantity, quote(text)))
	}
}

// put keeps a value, unless a sensor of lower or equal rank has sent the quantity already, or the value is not finite
// in our unit.
func (d *draft) put(m meaning, field string, v float64) {
	if m.convert != nil {
		v = m.convert(v)
	}
	field = plain(field)
	if math.IsInf(v, 0) {
		if !d.full() {
			d.refuse(wire.NotANumber, field, m.quantity.String()+" is too large in our unit")
		}
		return
	}
	next := candidate{wire.Value{Quantity: m.quantity, Value: v}, field, m.rank}
	for i := range d.reading {
		old := &d.reading[i]
		switch {
		case old.Quantity != m.quantity:
		case old.field == field:
			if !d.full() {
				d.refuse(wire.RepeatedMember, field, fmt.Sprintf("the first %q counts", field))
			}
			return
		case old.rank <= m.rank:
			d.ignore(field)
			return
		default:
			d.ignore(old.field)
			*old = next
			return
		}
	}
	d.reading = append(d.reading, next)
}

// full reports whether maxRefusals is reached, and then counts one more. Callers ask it before they build a refusal
// whose text, in a loop, could cost more than the message.
func (d *draft) full() bool {
	if d.refused < maxRefusals {
		return false
	}
	d.refused++
	return true
}

// refuse appends a refusal, or only counts it when there are maxRefusals already.
func (d *draft) refuse(reason wire.Reason, field, detail string) {
	if d.refused++; d.refused <= maxRefusals {
		d.message.Refusals = append(d.message.Refusals, wire.Refusal{Reason: reason, Field: plain(field), Detail: detail})
	}
}

// ignore adds a name to the ignored ones.
func (d *draft) ignore(name string) {
	if len(d.message.Ignored) < maxIgnored {
		d.message.Ignored = append(d.message.Ignored, plain(name))
	}
}

// ignorePart adds a name of a part of the message to the ignored ones, as "part.name".
func (d *draft) ignorePart(part, name string) {
	if len(d.message.Ignored) < maxIgnored {
		d.ignore(part + "." + name)
	}
}

// end appends the values collected so far as a reading with the time of at; it appends nothing when there are none.
func (d *draft) end(at wire.Reading) {
	if len(d.reading) == 0 {
		return
	}
	at.Values = make([]wire.Value, len(d.reading))
	for i, c := range d.reading {
		at.Values[i] = c.Value
	}
	d.message.Readings = append(d.message.Readings, at)
	d.reading = d.reading[:0]
}

// done returns the message. It refuses one that has nothing but values that are null.
func (d *draft) done() Message {
	if d.null && d.refused == 0 && len(d.message.Readings) == 0 {
		d.refuse(wire.NoValues, "", "every value is null")
	}
	if more := d.refused - len(d.message.Refusals); more > 0 {
		d.message.Refusals[maxRefusals-1].Detail += fmt.Sprintf(" (and %d more refusals)", more)
	}
	return d.message
}

// ParseNumber reads a decimal number with white space around it; false for marks such as "nan" and "none".
func ParseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// parseTime reads a time. It returns false for text that is too long, without copying it into an error.
func parseTime(layout, text string) (time.Time, bool) {
	if len(text) > maxName {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, text)
	return at, err == nil
}

// quote returns foreign text shortened and quoted for a refusal's detail.
func quote(text string) string {
	if len(text) > maxName {
		return strconv.QuoteToGraphic(text[:maxName]) + "…"
	}
	return strconv.QuoteToGraphic(text)
}

// plain returns a foreign name for fields and counters: at most maxName bytes of printable ASCII.
func plain(name string) string {
	if len(name) > maxName {
		name = name[:maxName]
	}
	return strings.Map(func(r rune) rune {
		if r < 0x21 || r > 0x7e {
			return '?'
		}
		return r
	}, name)
}
