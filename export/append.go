package export

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// appendTime appends RFC 3339 in UTC with whole seconds.
func appendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, time.RFC3339) }

// clock appends times like appendTime. It keeps the last minute, in which the next time is likely to lie.
type clock struct {
	minute int64  // since 1970
	text   []byte // of its times, up to the seconds; nil before the first
}

func (c *clock) append(b []byte, t time.Time) []byte {
	seconds := t.Unix()
	minute := seconds / 60
	rest := seconds - minute*60
	if rest < 0 {
		return appendTime(b, t) // before 1970
	}
	if c.text == nil || minute != c.minute {
		c.minute, c.text = minute, appendTime(c.text[:0], t)
		c.text = c.text[:len(c.text)-len("00Z")]
	}
	return append(append(b, c.text...), byte('0'+rest/10), byte('0'+rest%10), 'Z')
}

// appendValue appends the shortest decimal that is the same float64 again, never with an exponent
// between 1e-6 and 1e21, as JavaScript and most people write numbers.
func appendValue(b []byte, v float64) []byte {
	if milli := math.RoundToEven(v * 1000); milli/1000 == v && milli != 0 && math.Abs(milli) < exactMilli {
		return appendShortMilli(b, int64(milli))
	}
	format := byte('f')
	if abs := max(v, -v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}

// AppendNumber appends a finite number as encoding/json does.
func AppendNumber(b []byte, v float64) []byte {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		b, _ = AppendJSON(b, v)
		return b
	}
	return appendValue(b, v)
}

// exactMilli bounds the thousandths that need no search for the shortest decimal: of those with at most 15 digits no two
// are the same float64 (IEEE 754: 53 bits hold every decimal of 15 digits), so the one that was found is the only one.
const exactMilli = 1e15

// appendShortMilli appends thousandths as a decimal without zeros at its end.
func appendShortMilli(b []byte, milli int64) []byte {
	b, rest := appendWhole(b, milli)
	if rest == 0 {
		return b
	}
	b = append(b, '.', byte('0'+rest/100))
	if rest %= 100; rest == 0 {
		return b
	}
	b = append(b, byte('0'+rest/10))
	if rest %= 10; rest == 0 {
		return b
	}
	return append(b, byte('0'+rest))
}

// appendMilli appends thousandths as a decimal with three places, without floating point.
func appendMilli(b []byte, milli int64) []byte {
	b, rest := appendWhole(b, milli)
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

// appendWhole appends what stands before the point of thousandths, and returns what stands behind it.
func appendWhole(b []byte, milli int64) (whole []byte, rest uint64) {
	n := uint64(milli)
	if milli < 0 {
		b, n = append(b, '-'), -n
	}
	return strconv.AppendUint(b, n/1000, 10), n % 1000
}

// appendDegrees appends degrees with six decimals.
func appendDegrees(b []byte, degrees float64) []byte {
	return strconv.AppendFloat(b, degrees, 'f', 6, 64)
}

// appendPosition appends a GeoJSON position, longitude first.
func appendPosition(b []byte, p orb.Point) []byte {
	b = append(b, '[')
	b = appendDegrees(b, p.Lon())
	b = append(b, ',')
	b = appendDegrees(b, p.Lat())
	return append(b, ']')
}

// appendPoint appends the beginning of a feature: its type and geometry, which is null where there is no place.
func appendPoint(b []byte, p orb.Point, placed bool) []byte {
	b = append(b, `{"type":"Feature","geometry":`...)
	if !placed {
		return append(b, "null"...)
	}
	b = append(b, `{"type":"Point","coordinates":`...)
	b = appendPosition(b, p)
	return append(b, '}')
}

// AppendGeometry appends a GeoJSON geometry (RFC 7946): a point, a polygon or several. Nothing else is ours.
func AppendGeometry(b []byte, g orb.Geometry) []byte {
	b = append(append(append(b, `{"type":"`...), g.GeoJSONType()...), `","coordinates":`...)
	switch g := g.(type) {
	case orb.Point:
		b = appendPosition(b, g)
	case orb.Polygon:
		b = appendPolygon(b, g)
	case orb.MultiPolygon:
		b = appendList(b, g, appendPolygon)
	default:
		b = append(b, "null"...)
	}
	return append(b, '}')
}

func appendPolygon(b []byte, p orb.Polygon) []byte { return appendList(b, p, appendRing) }

func appendList[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, item)
	}
	return append(b, ']')
}

// appendRing appends a ring of positions.
func appendRing(b []byte, ring orb.Ring) []byte { return appendList(b, ring, appendPosition) }

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // a string always marshals
			}
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// AppendJSON appends a value as JSON that people can read: an & in an address stays one.
func AppendJSON(b []byte, v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...), err
}

// appendCell appends a CSV field, quoted where RFC 4180 or a semicolon demands it. A field that a spreadsheet would take
// for a formula is only ever one of our own names.
func appendCell(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\",;\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// AppendMembers appends the foreign members that every GeoJSON and JSON document of ours carries.
func AppendMembers(b []byte, m Meta) []byte {
	b = append(b, `"licence":`...)
	b = appendString(b, m.Licence)
	b = append(b, `,"attribution":`...)
	b = appendString(b, m.Attribution)
	if !m.Generated.IsZero() {
		b = append(b, `,"generated":"`...)
		b = appendTime(b, m.Generated)
		b = append(b, '"')
	}
	b = append(b, `,"demo":`...)
	b = strconv.AppendBool(b, m.Demo)
	b = append(b, `,"notice":`...)
	b = appendString(b, Disclaimer)
	for _, member := range [...]struct{ name, text string }{{"averaging", m.Averaging}, {"quality", m.Quality}, {"next", m.Next}} {
		if member.text != "" {
			b = append(append(append(b, `,"`...), member.name...), `":`...)
			b = appendString(b, member.text)
		}
	}
	return b
}

// Envelope has the same members, for a document that encoding/json writes.
type Envelope struct {
	Licence     string     `json:"licence"`
	Attribution string     `json:"attribution"`
	Generated   *time.Time `json:"generated,omitempty"`
	Demo        bool       `json:"demo"`
	Notice      string     `json:"notice"`
	Averaging   string     `json:"averaging,omitempty"`
	Quality     string     `json:"quality,omitempty"`
}

// Envelope returns what a document says of itself.
func (m Meta) Envelope() Envelope {
	envelope := Envelope{Licence: m.Licence, Attribution: m.Attribution, Demo: m.Demo, Notice: Disclaimer, Averaging: m.Averaging, Quality: m.Quality}
	if !m.Generated.IsZero() {
		envelope.Generated = new(m.Generated.UTC().Truncate(time.Second))
	}
	return envelope
}

// Milli is a number of thousandths that becomes a JSON number with three decimals.
type Milli int64

// String is the decimal.
func (m Milli) String() string { return string(m.Append(nil)) }

// Append appends the decimal.
func (m Milli) Append(b []byte) []byte { return appendMilli(b, int64(m)) }

// MarshalJSON writes a number with three decimals.
func (m Milli) MarshalJSON() ([]byte, error) { return m.Append(nil), nil }
