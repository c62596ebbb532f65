package sqlite

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
)

// key is what the records of readings are ordered by.
type key struct {
	time    int64 // Unix seconds
	station []byte
}

func (k key) compare(o key) int {
	if k.time != o.time {
		return cmp.Compare(k.time, o.time)
	}
	return bytes.Compare(k.station, o.station)
}

// fields are those of a record that are not read yet. A record begins with the types of its fields
// (https://www.sqlite.org/fileformat2.html#record_format).
type fields struct {
	record []byte
	kind   int // where the next one's type is
	kinds  int // where the types end
	value  int // where the next one's bytes begin
}

// Types of fields. Between the first two are integers of the sizes below; blobs and texts of more bytes have larger ones.
const (
	typeNull  = 0
	typeFloat = 7
	typeZero  = 8 // the integer 0
	typeOne   = 9
	typeBlob  = 12
	typeText  = 13
)

// sizes are those of fields, in bytes, by type.
var sizes = [typeBlob]uint8{0, 1, 2, 3, 4, 6, 8, 8}

// openRecord returns the key of a record, its first two fields, and the others; ok is false when it is not valid.
func openRecord(b []byte) (k key, f fields, ok bool) {
	size, n := varint(b)
	if n == 0 || size < uint64(n) || size > uint64(len(b)) {
		return key{}, fields{}, false
	}
	f = fields{b, n, int(size), int(size)}
	time, isInteger := f.integer()
	station, isText := f.text()
	return key{time, station}, f, isInteger && isText
}

// next returns the type and the bytes of the next field; ok is false when there is none.
func (f *fields) next() (kind uint64, value []byte, ok bool) {
	kind, n := varint(f.record[f.kind:f.kinds])
	if n == 0 {
		return 0, nil, false
	}
	size := (kind - typeBlob) / 2
	if kind < typeBlob {
		size = uint64(sizes[kind])
	}
	if size > uint64(len(f.record)-f.value) {
		return 0, nil, false
	}
	begin := f.value
	f.kind, f.value = f.kind+n, f.value+int(size)
	return kind, f.record[begin:f.value], true
}

func (f *fields) integer() (n int64, ok bool) {
	kind, value, ok := f.next()
	return integer(kind, value), ok && kind != typeNull && kind != typeFloat && kind <= typeOne
}

func (f *fields) text() (text []byte, ok bool) {
	kind, text, ok := f.next()
	return text, ok && kind >= typeText && kind%2 == typeText%2
}

// integer returns the value of a field that is an integer.
func integer(kind uint64, value []byte) (n int64) {
	if kind >= typeZero {
		return int64(kind - typeZero)
	}
	for i, b := range value {
		if n = n<<8 | int64(b); i == 0 {
			n = int64(int8(b))
		}
	}
	return n
}

// float returns the value of a field of a REAL column: SQLite stores whole numbers as integers.
func float(kind uint64, value []byte) float64 {
	if kind == typeFloat {
		return math.Float64frombits(binary.BigEndian.Uint64(value))
	}
	return float64(integer(kind, value))
}

// varint returns an integer of variable length at the beginning of b and its length, which is 0 when b is too short.
func varint(b []byte) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 { // as most
		return uint64(b[0]), 1
	}
	for i, c := range b[:min(len(b), 9)] {
		if i == 8 {
			return v<<8 | uint64(c), 9
		}
		if v = v<<7 | uint64(c&0x7f); c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
