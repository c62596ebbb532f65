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

// draft is a message while its members come in.
type draft struct {
	message Message
	refused int // including those beyond maxRefusals
	reading []candidate
}

// candidate is a value and where it came from.
type candidate struct {
	wire.Value
	field string
	rank  int // of several sensors for one quantity the lowest rank counts
}

// meaning is what a foreign name stands for.
type meaning struct {
	quantity quantity.Quantity // 0 for a name that is known and not taken
	rank     int
	convert  func(float64) float64 // to our unit; nil when it is that already
}

// json takes a value that is a number, or a number in quotes.
func (d *draft) json(m meaning, field string, j wire.JSON) {
	if n, ok := j.Number(); ok {
		d.put(m, field, n)
		return
	}
	if text, ok := j.Text(); ok {
		d.text(m, field, text)
	} else if !d.over() {
		d.refuse(wire.NotANumber, field, fmt.Sprintf("%s is a number, not %s", m.quantity, j))
	}
}

// text takes a value in text.
func (d *draft) text(m meaning, field, text string) {
	if n, ok := ParseNumber(text); ok {
		d.put(m, field, n)
	} else if !d.over() {
		d.refuse(wire.NotANumber, field, fmt.Sprintf("%s is a number, not %s", m.quantity, quote(text)))
	}
}

// put takes a finite value, unless a better sensor gave the quantity already or it is none in our unit.
func (d *draft) put(m meaning, field string, v float64) {
	if m.convert != nil {
		v = m.convert(v)
	}
	field = plain(field)
	if math.IsInf(v, 0) {
		if !d.over() {
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
			if !d.over() {
				d.refuse(wire.RepeatedMember, field, fmt.Sprintf("the first %q counts", field))
			}
			return
		case old.rank <= m.rank:
			d.leave(field)
			return
		default:
			d.leave(old.field)
			*old = next
			return
		}
	}
	d.reading = append(d.reading, next)
}

// over counts a refusal beyond the bound. It is asked before a refusal whose words would, in a loop, cost more
// than the message.
func (d *draft) over() bool {
	if d.refused < maxRefusals {
		return false
	}
	d.refused++
	return true
}

// refuse notes a refusal, unless there are too many already.
func (d *draft) refuse(reason wire.Reason, field, detail string) {
	if d.refused++; d.refused <= maxRefusals {
		d.message.Refusals = append(d.message.Refusals, wire.Refusal{Reason: reason, Field: plain(field), Detail: detail})
	}
}

// leave notes a name that is not taken.
func (d *draft) leave(name string) {
	if len(d.message.Ignored) < maxIgnored {
		d.message.Ignored = append(d.message.Ignored, plain(name))
	}
}

// leaveOf notes a name of a part of the message, "part.name", that is not taken.
func (d *draft) leaveOf(part, name string) {
	if len(d.message.Ignored) < maxIgnored {
		d.leave(part + "." + name)
	}
}

// end ends the reading at hand; at says when it was. One without a value is none.
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

// done is the message.
func (d *draft) done() Message {
	if more := d.refused - len(d.message.Refusals); more > 0 {
		d.message.Refusals[maxRefusals-1].Detail += fmt.Sprintf(" (and %d more refusals)", more)
	}
	return d.message
}

// ParseNumber reads a decimal number with white space around it. Marks such as "nan" and "none" are no numbers.
func ParseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// parseTime reads a time. What is too long for one is none, and is not copied into an error first.
func parseTime(layout, text string) (time.Time, bool) {
	if len(text) > maxName {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, text)
	return at, err == nil
}

// quote is foreign text as a detail shows it.
func quote(text string) string {
	if len(text) > maxName {
		return strconv.QuoteToGraphic(text[:maxName]) + "…"
	}
	return strconv.QuoteToGraphic(text)
}

// plain is a foreign name as fields and counters show it: at most maxName bytes of printable ASCII.
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
