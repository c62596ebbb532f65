package wire

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

const (
	// MaxRefusals bounds the refusals of one message; the last one then says how many more there were.
	MaxRefusals = 100
	maxDepth    = 16 // nesting of JSON in members that begin with "x_"
	maxTime     = 253402300799
	maxAge      = 366 * 24 * 3600 // seconds; more is a mistake
	maxQuoted   = 40              // bytes of foreign text in a detail
)

// Decoder decodes native payloads. The zero value is ready; it is not safe for concurrent use. It reuses its buffers:
// a Message is valid until the next Decode.
type Decoder struct {
	readings []Reading
	values   []Value
	spans    []span
	refusals []Refusal
	refused  int // including those beyond MaxRefusals

	scan scanner
	name []byte // the current member's name, copied because skipping its value overwrites the scanner's buffer
}

// span is the part of Decoder.values that belongs to one reading. Slices are cut only when values no longer grows.
type span struct{ from, to int }

// Decode decodes a payload of JSON (RFC 8259): one object or an array of objects. It judges each value by itself; the
// Message has what is usable and what is refused. null is no value, and a bare nan costs its value. A payload that is not JSON, is longer than MaxMessage
// or holds more than MaxReadings is refused as a whole.
func (d *Decoder) Decode(payload []byte) Message {
	d.readings, d.values, d.spans, d.refusals, d.refused = d.readings[:0], d.values[:0], d.spans[:0], d.refusals[:0], 0
	if len(payload) > MaxMessage {
		return whole(TooLarge, tooLarge(payload))
	}
	d.scan = scanner{data: payload, scratch: d.scan.scratch}
	if err := d.message(); err != nil {
		return whole(err.reason, err.detail)
	}
	for i, s := range d.spans {
		d.readings[i].Values = d.values[s.from:s.to:s.to]
	}
	if more := d.refused - len(d.refusals); more > 0 {
		last := &d.refusals[len(d.refusals)-1]
		last.Detail += fmt.Sprintf(" (and %d more refusals)", more)
	}
	return Message{Readings: d.readings, Refusals: d.refusals}
}

func tooLarge(payload []byte) string {
	return fmt.Sprintf("the message has %d bytes, at most %d are taken", len(payload), MaxMessage)
}

func whole(reason Reason, detail string) Message {
	return Message{Refusals: []Refusal{{Reason: reason, Detail: detail}}}
}

// failure is the reason why the whole message is refused.
type failure struct {
	reason Reason
	detail string
}

func (d *Decoder) message() *failure {
	s := &d.scan
	s.space()
	switch s.peek() {
	case '{':
		if err := d.object(-1); err != nil {
			return err
		}
	case '[':
		if err := d.array(); err != nil {
			return err
		}
	default:
		return s.unexpected("an object or an array of objects")
	}
	s.space()
	if s.pos != len(s.data) {
		return s.unexpected("nothing more")
	}
	return nil
}

func (d *Decoder) array() *failure {
	s := &d.scan
	s.pos++
	s.space()
	if s.peek() == ']' {
		s.pos++
		d.refuse(-1, NoValues, "", "the array is empty")
		return nil
	}
	for i := 0; ; i++ {
		if i == MaxReadings {
			return &failure{TooMany, fmt.Sprintf("the array holds more than %d readings", MaxReadings)}
		}
		s.space()
		if s.peek() == '{' {
			if err := d.object(i); err != nil {
				return err
			}
		} else {
			text, err := s.skip(0)
			if err != nil {
				return err
			}
			d.refuse(i, Malformed, "", "a reading is an object, not "+quote(text))
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.unexpected("',' or ']'")
		}
	}
}

// draft is a reading while its members are decoded.
type draft struct {
	seen         [quantity.Len]bool // also those whose value was refused
	t, age       bool               // seen
	bad          bool               // the time is already refused
	seconds      int64
	agoInSeconds int64
}

// object decodes one reading. index is its place in the array, -1 when the message is a single object.
func (d *Decoder) object(index int) *failure {
	s := &d.scan
	s.pos++
	from, refusedBefore := len(d.values), d.refused
	var at draft
	s.space()
	if s.peek() == '}' {
		s.pos++
	} else if err := d.members(index, &at); err != nil {
		return err
	}
	if at.t && at.age && !at.bad {
		at.bad = true
		d.refuse(index, BadTime, "age", `a reading has "t" or "age", not both`)
	}
	switch {
	case at.bad: // a wrong time makes every value unusable
		d.values = d.values[:from]
	case len(d.values) > from:
		d.keep(from, at)
	case d.refused == refusedBefore:
		d.refuse(index, NoValues, "", "the reading has no value")
	}
	return nil
}

func (d *Decoder) keep(from int, at draft) {
	r := Reading{HasAge: at.age, Age: time.Duration(at.agoInSeconds) * time.Second}
	if at.t {
		r.Time = time.Unix(at.seconds, 0).UTC()
	}
	d.readings = append(d.readings, r)
	d.spans = append(d.spans, span{from, len(d.values)})
}

func (d *Decoder) members(index int, at *draft) *failure {
	s := &d.scan
	for {
		s.space()
		name, err := s.text()
		if err != nil {
			return err
		}
		d.name = append(d.name[:0], name...)
		s.space()
		if s.peek() != ':' {
			return s.unexpected("':'")
		}
		s.pos++
		s.space()
		value, err := s.skip(0)
		if err != nil {
			return err
		}
		d.member(index, at, d.name, value)
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.unexpected("',' or '}'")
		}
	}
}

// member decodes or refuses one member; value is the raw JSON of its value.
func (d *Decoder) member(index int, at *draft, name, value []byte) {
	switch {
	case string(name) == "t":
		if at.t {
			d.refuse(index, RepeatedMember, "t", "the first \"t\" counts")
			return
		}
		at.t = true
		d.when(index, at, "t", value, maxTime, &at.seconds)
	case string(name) == "age":
		if at.age {
			d.refuse(index, RepeatedMember, "age", "the first \"age\" counts")
			return
		}
		at.age = true
		d.when(index, at, "age", value, maxAge, &at.agoInSeconds)
	case len(name) >= 2 && name[0] == 'x' && name[1] == '_':
	default:
		d.value(index, at, name, value)
	}
}

// when reads a time in seconds, from 0 to most; it cuts fractions off.
func (d *Decoder) when(index int, at *draft, name string, value []byte, most float64, seconds *int64) {
	n, ok := number(value)
	if !ok || n < 0 || n > most {
		at.bad = true
		d.refuse(index, BadTime, name, fmt.Sprintf("%q is seconds from 0 to %.0f, not %s", name, most, quote(value)))
		return
	}
	*seconds = int64(n)
}

func (d *Decoder) value(index int, at *draft, name, value []byte) {
	q, known := quantity.Parse(string(name))
	if !known {
		d.refuse(index, UnknownMember, quoteName(name), unknown(string(name)))
		return
	}
	if at.seen[q] {
		d.refuse(index, RepeatedMember, q.String(), fmt.Sprintf("the first %q counts", q.String()))
		return
	}
	at.seen[q] = true
	if string(value) == "null" {
		return
	}
	n, ok := number(value)
	if !ok && IsNotFinite(value) {
		d.refuse(index, NoValues, q.String(), "the sensor had no value: "+quote(value))
		return
	} else if !ok {
		d.refuse(index, NotANumber, q.String(), fmt.Sprintf("%q is a finite number, not %s", q.String(), quote(value)))
		return
	}
	d.values = append(d.values, Value{Quantity: q, Value: n})
}

// refuse appends a refusal, or only counts it when there are MaxRefusals already.
func (d *Decoder) refuse(index int, reason Reason, field, detail string) {
	d.refused++
	if len(d.refusals) == MaxRefusals {
		return
	}
	if index >= 0 {
		prefix := "[" + strconv.Itoa(index) + "]"
		if field != "" {
			prefix += "."
		}
		field = prefix + field
	}
	d.refusals = append(d.refusals, Refusal{Reason: reason, Field: field, Detail: detail})
}

// number returns the value of a raw JSON number; false for anything else and for numbers outside float64.
func number(raw []byte) (float64, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// quote returns foreign text shortened and quoted for a refusal's detail.
func quote(raw []byte) string {
	if len(raw) > maxQuoted {
		return strconv.QuoteToGraphic(string(raw[:maxQuoted])) + "…"
	}
	return strconv.QuoteToGraphic(string(raw))
}

// quoteName returns a foreign member's name for a refusal's field: unchanged when it is short and plain, else quoted.
func quoteName(name []byte) string {
	if len(name) > maxQuoted {
		name = name[:maxQuoted]
	}
	for _, c := range name {
		if c < 0x21 || c > 0x7e {
			return strconv.QuoteToASCII(string(name))
		}
	}
	return string(name)
}
