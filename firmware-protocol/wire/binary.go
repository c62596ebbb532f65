package wire

import (
	"errors"
	"fmt"
	"math"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

const (
	// MaxBinary bounds the binary payload in bytes. It is the smallest maximum of LoRaWAN in Europe, at the slowest
	// data rates (RP002 LoRaWAN Regional Parameters, EU863-870, maximum payload size N of DR0 to DR2).
	MaxBinary = 51
	// BinaryVersion is the first byte of a binary payload.
	BinaryVersion = 1

	maxBinaryAge = 1<<24 - 1 // seconds

	ageCode = 0x00 // not a quantity: an age follows
	wideBit = 0x80 // set in a code that three bytes follow instead of two
)

// binaryTable holds how the values of a quantity are encoded. The code is the quantity's number, with wideBit for
// three bytes; the whole number after it is divided by scale, a power of ten.
var binaryTable = [quantity.Len]struct {
	code   byte
	scale  float64
	signed bool
}{
	quantity.PM1:         {0x01, 10, false},
	quantity.PM2_5:       {0x02, 10, false},
	quantity.PM4:         {0x03, 10, false},
	quantity.PM10:        {0x04, 10, false},
	quantity.NO2:         {0x05, 10, true},
	quantity.NO:          {0x06, 10, true},
	quantity.O3:          {0x07, 10, true},
	quantity.SO2:         {0x08, 10, true},
	quantity.CO:          {0x09, 100, true},
	quantity.CO2:         {0x0a, 1, false},
	quantity.VOCIndex:    {0x0b, 10, false},
	quantity.NOxIndex:    {0x0c, 10, false},
	quantity.Temperature: {0x0d, 100, true},
	quantity.Humidity:    {0x0e, 100, false},
	quantity.Pressure:    {0x8f, 100, false},
	quantity.NoiseLAeq:   {0x10, 10, false},
	quantity.Battery:     {0x11, 1000, false},
	quantity.RSSI:        {0x12, 1, true},
}

// binaryRange returns the smallest and the largest whole number that can encode a value of q.
func binaryRange(q quantity.Quantity) (low, high float64) {
	values := math.Exp2(float64(8 * width(binaryTable[q].code)))
	if binaryTable[q].signed {
		return -values / 2, values/2 - 1
	}
	return 0, values - 1
}

// DecodeBinary decodes a binary payload of LoRaWAN. It judges each value by itself: one of an unknown code is skipped
// and refused with the code as its field, such as "0x13". A payload of another version, or longer than MaxBinary, is
// refused as a whole.
func DecodeBinary(payload []byte) Message {
	switch {
	case len(payload) > MaxBinary:
		return whole(TooLarge, fmt.Sprintf("the payload has %d bytes, at most %d are taken", len(payload), MaxBinary))
	case len(payload) == 0:
		return whole(Malformed, "the payload is empty")
	case payload[0] != BinaryVersion:
		return whole(Unsupported, fmt.Sprintf("the payload begins with %#02x, not with version %#02x", payload[0], BinaryVersion))
	}
	readings := splitBinary(payload[1:])
	var d Decoder // collects the refusals
	var m Message
	for i, items := range readings {
		if len(readings) == 1 {
			i = -1
		}
		if r := d.binaryReading(i, items); len(r.Values) > 0 {
			m.Readings = append(m.Readings, r)
		}
	}
	m.Refusals = d.refusals
	return m
}

// width returns how many bytes follow a code.
func width(code byte) int {
	if code&wideBit != 0 {
		return 3
	}
	return 2
}

// splitBinary cuts a payload before each age.
func splitBinary(payload []byte) [][]byte {
	var readings [][]byte
	from := 0
	for pos := 0; pos < len(payload); pos += 1 + width(payload[pos]) {
		if payload[pos]&^wideBit == ageCode && pos > from {
			readings = append(readings, payload[from:pos])
			from = pos
		}
	}
	return append(readings, payload[from:])
}

// binaryReading decodes the values of one age. index is the reading's place in the payload, -1 when it is the only
// one.
func (d *Decoder) binaryReading(index int, items []byte) Reading {
	r := Reading{Values: make([]Value, 0, len(items)/3)}
	var seen [quantity.Len]bool
	refusedBefore := d.refused
	for len(items) > 0 {
		code, size := items[0], 1+width(items[0])
		if len(items) < size {
			reason, field := Malformed, binaryField(code)
			if field == "age" {
				reason = BadTime
			}
			d.refuse(index, reason, field, fmt.Sprintf("%d bytes follow %#02x, not %d", size-1, code, len(items)-1))
			break
		}
		raw := 0
		for _, b := range items[1:size] {
			raw = raw<<8 | int(b)
		}
		items = items[size:]
		q := quantity.Quantity(code &^ wideBit)
		switch {
		case q == ageCode:
			r.HasAge, r.Age = true, time.Duration(raw)*time.Second
		case !q.Valid() || binaryTable[q].code != code:
			d.refuse(index, UnknownMember, binaryField(code), fmt.Sprintf("%#02x is no quantity's code", code))
		case seen[q]:
			d.refuse(index, RepeatedMember, q.String(), fmt.Sprintf("the first %q counts", q.String()))
		default:
			seen[q] = true
			if bits := 8 * (size - 1); binaryTable[q].signed && raw >= 1<<(bits-1) {
				raw -= 1 << bits
			}
			r.Values = append(r.Values, Value{q, float64(raw) / binaryTable[q].scale})
		}
	}
	if len(r.Values) == 0 && d.refused == refusedBefore {
		d.refuse(index, NoValues, "", "the reading has no value")
	}
	return r
}

// binaryField returns the name of the quantity or age that a code stands for, or the code itself, such as "0x13".
func binaryField(code byte) string {
	switch q := quantity.Quantity(code &^ wideBit); {
	case q == ageCode:
		return "age"
	case q.Valid() && binaryTable[q].code == code:
		return q.String()
	}
	return fmt.Sprintf("%#02x", code)
}

// AppendBinary appends the binary payload of readings to dst. A reading has an Age of whole seconds below 2^24, or
// none; only the first may have none. Values are written in the order of their numbers, rounded to the quantity's
// resolution, half away from zero. It returns an error, and dst unchanged, for readings that cannot be encoded so or
// take more than MaxBinary bytes.
func AppendBinary(dst []byte, readings []Reading) ([]byte, error) {
	out := append(dst, BinaryVersion)
	for i, r := range readings {
		var err error
		if out, err = appendBinaryReading(out, r, i == 0); err != nil {
			return dst, fmt.Errorf("encode reading %d: %w", i, err)
		}
	}
	switch size := len(out) - len(dst); {
	case size == 1:
		return dst, errors.New("encode: there is no reading")
	case size > MaxBinary:
		return dst, fmt.Errorf("encode: %d bytes, at most %d are taken", size, MaxBinary)
	}
	return out, nil
}

func appendBinaryReading(dst []byte, r Reading, first bool) ([]byte, error) {
	switch age := r.Age / time.Second; {
	case !r.Time.IsZero():
		return nil, errors.New("the binary payload has ages, not times")
	case !r.HasAge && !first:
		return nil, errors.New("only the first reading may be without an age")
	case !r.HasAge:
	case r.Age < 0 || age > maxBinaryAge:
		return nil, fmt.Errorf("age %v outside 0 to %d s", r.Age, maxBinaryAge)
	case age > math.MaxUint16:
		dst = append(dst, ageCode|wideBit, byte(age>>16), byte(age>>8), byte(age))
	default:
		dst = append(dst, ageCode, byte(age>>8), byte(age))
	}
	if len(r.Values) == 0 {
		return nil, errors.New("the reading has no value")
	}
	previous := quantity.Quantity(0)
	for _, v := range inOrder(r.Values) {
		if !v.Quantity.Valid() {
			return nil, fmt.Errorf("%d is no quantity", v.Quantity)
		}
		if v.Quantity == previous {
			return nil, fmt.Errorf("%s stands twice", v.Quantity)
		}
		previous = v.Quantity
		var err error
		if dst, err = appendBinaryValue(dst, v); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendBinaryValue(dst []byte, v Value) ([]byte, error) {
	how := binaryTable[v.Quantity]
	low, high := binaryRange(v.Quantity)
	scaled := math.Round(v.Value * how.scale)
	if !(scaled >= low && scaled <= high) { // true for NaN as well
		return nil, fmt.Errorf("%s %v outside %v to %v", v.Quantity, v.Value, low/how.scale, high/how.scale)
	}
	raw := int32(scaled)
	dst = append(dst, how.code)
	if how.code&wideBit != 0 {
		dst = append(dst, byte(raw>>16))
	}
	return append(dst, byte(raw>>8), byte(raw)), nil
}
