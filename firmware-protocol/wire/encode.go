package wire

import (
	"slices"
	"strconv"
	"time"
)

// AppendReading appends the native JSON of a reading to dst: "t" or "age" first, then the quantities in
// the order of their numbers, each number in its shortest form.
func AppendReading(dst []byte, r Reading) []byte {
	dst = append(dst, '{')
	switch {
	case r.HasAge:
		dst = append(dst, `"age":`...)
		dst = strconv.AppendInt(dst, int64(r.Age/time.Second), 10)
	case !r.Time.IsZero():
		dst = append(dst, `"t":`...)
		dst = strconv.AppendInt(dst, r.Time.Unix(), 10)
	}
	for _, v := range inOrder(r.Values) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, v.Quantity.String()...)
		dst = append(dst, `":`...)
		dst = strconv.AppendFloat(dst, v.Value, 'g', -1, 64)
	}
	return append(dst, '}')
}

// inOrder returns a copy of values in the order of their quantities' numbers.
func inOrder(values []Value) []Value {
	values = slices.Clone(values)
	slices.SortFunc(values, func(a, b Value) int { return int(a.Quantity) - int(b.Quantity) })
	return values
}

// AppendReadings appends the native JSON array of readings to dst.
func AppendReadings(dst []byte, readings []Reading) []byte {
	dst = append(dst, '[')
	for i, r := range readings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendReading(dst, r)
	}
	return append(dst, ']')
}
