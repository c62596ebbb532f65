package export

import (
	"io"
	"strconv"
	"time"
)

// degrees is a number of degrees with six decimals.
type degrees float64

// records encodes rows of a table as CSV or JSON by their values, in the order of its columns: a string, an int, a
// bool, degrees, a Milli, a time, or nil where there is none.
type records[T any] struct {
	list
	table  Table
	json   bool
	comma  byte
	values func(T) []any
}

func newRecords[T any](w io.Writer, format Format, meta Meta, table Table, values func(T) []any) Encoder[T] {
	return &records[T]{newList(w, format, meta), table, format == JSON, format.comma(), values}
}

func (e *records[T]) Begin() error {
	if e.json {
		return e.list.Begin()
	}
	e.buf = appendHeader(e.buf, e.table.Header(), e.comma)
	return nil
}

func (e *records[T]) Add(row T) error {
	if e.json {
		e.buf = append(e.table.appendMembers(append(e.next(e.buf), '{'), e.values(row)), '}')
		return e.flush(false)
	}
	for i, v := range e.values(row) {
		if i > 0 {
			e.buf = append(e.buf, e.comma)
		}
		e.buf = appendField(e.buf, v)
	}
	e.buf = append(e.buf, '\n')
	return e.flush(false)
}

func (e *records[T]) End() error {
	if e.json {
		return e.list.End()
	}
	return e.flush(true)
}

// appendMembers appends a row's values as members of an object.
func (t *Table) appendMembers(b []byte, values []any) []byte {
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), t.Columns[i].Name...), `":`...)
		switch v := v.(type) {
		case nil:
			b = append(b, "null"...)
		case string:
			b = appendString(b, v)
		case time.Time:
			b = append(appendTime(append(b, '"'), v), '"')
		default:
			b = appendField(b, v)
		}
	}
	return b
}

// appendField appends a value as a field of CSV.
func appendField(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendCell(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case bool:
		return strconv.AppendBool(b, v)
	case degrees:
		return appendDegrees(b, float64(v))
	case Milli:
		return appendMilli(b, int64(v))
	case time.Time:
		return appendTime(b, v)
	}
	return b
}

// known is what a pointer points to, or nil.
func known[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// class is a class of an index, or nil where the index says nothing.
func class(n int) any {
	if n == 0 {
		return nil
	}
	return n
}
