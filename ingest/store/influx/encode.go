package influx

import (
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// tagEscapes are those of tags in the line protocol.
var tagEscapes = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)

// fieldNames are the names of a quantity's fields with what stands before and after them, so that a line is made without a search for
// characters to escape: their names have none.
type fieldNames struct{ value, flags, checks, none string }

// fieldsOf returns the names of each quantity's fields.
func fieldsOf() (list [quantity.Len]fieldNames) {
	for _, q := range quantity.All() {
		name := q.String()
		list[q] = fieldNames{name + "=", ",flags_" + name + "=", "i,checks_" + name + "=", ",flags_" + name + "=0i,checks_" + name + "=0i,"}
	}
	return list
}

var fields = fieldsOf()

// appendReading appends a reading as a line: what lineprotocol.Encoder makes of it, at a fifth of the cost.
func appendReading(dst []byte, r *ingest.Reading) []byte {
	dst = append(dst, "reading,station="...)
	dst = append(dst, tagEscapes.Replace(r.Station)...)
	dst = append(dst, ' ')
	for _, v := range r.Values {
		names := &fields[v.Quantity]
		dst = append(dst, names.value...)
		dst = strconv.AppendFloat(dst, v.Value, 'g', -1, 64)
		// What was set before must be removed when the value is written again without it.
		if v.Flags == 0 {
			dst = append(dst, names.none...)
			continue
		}
		flags, checks := v.Flags.Split()
		dst = append(dst, names.flags...)
		dst = strconv.AppendInt(dst, int64(flags), 10)
		dst = append(dst, names.checks...)
		dst = strconv.AppendInt(dst, int64(checks), 10)
		dst = append(dst, 'i', ',')
	}
	dst = append(dst, "received="...)
	dst = strconv.AppendInt(dst, r.Received.UnixMilli(), 10)
	dst = append(dst, "i,time_source="...)
	dst = strconv.AppendInt(dst, int64(r.TimeSource), 10)
	dst = append(dst, 'i', ' ')
	dst = strconv.AppendInt(dst, r.Time.Unix(), 10)
	return append(dst, '\n')
}
