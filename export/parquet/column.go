package parquet

import (
	"github.com/parquet-go/parquet-go"

	"stadtluft/export"
)

// ordered is a group whose columns keep their order; those of a parquet.Group are sorted by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the columns.
func (o ordered) Fields() []parquet.Field { return o.fields }

// schema returns the form's schema of columns.
func schema(fields []export.Field) parquet.Node {
	var o ordered
	for _, f := range fields {
		o.fields = append(o.fields, parquet.Group{f.Name: node(f)}.Fields()...)
	}
	return o
}

// node returns a column's type and encoding.
func node(f export.Field) parquet.Node {
	n := parquet.String()
	switch f.Type {
	case export.Text, export.Word, export.CellCode:
		if f.Unique { // a dictionary would only make it longer
			return n
		}
		return parquet.Encoded(n, &parquet.RLEDictionary)
	case export.Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case export.DateTime:
		return parquet.Encoded(parquet.Timestamp(parquet.Millisecond), &parquet.DeltaBinaryPacked)
	case export.Integer:
		n = parquet.Int(32)
	default:
		n = parquet.Leaf(parquet.DoubleType)
	}
	if f.Nullable() {
		n = parquet.Optional(n)
	}
	return parquet.Encoded(n, &parquet.RLEDictionary)
}

// read makes values of a column of the gathered rows. They are valid until the next column is read.
func (e *rows[R]) read(c *export.Column[R]) {
	e.values, e.text = e.values[:0], e.text[:0]
	for i := range e.rows {
		v, known := e.value(c, i)
		switch {
		case !known:
			v = parquet.NullValue()
		case c.Nullable():
			v = v.Level(0, 1, 0)
		}
		e.values = append(e.values, v)
	}
}

// value returns the column's value of a gathered row; false where there is none.
func (e *rows[R]) value(c *export.Column[R], i int) (parquet.Value, bool) {
	r, begin := &e.rows[i], len(e.text)
	switch c.Type {
	case export.Text, export.Word:
		e.text = append(e.text, c.Text(r)...)
	case export.CellCode:
		e.text = c.Cell(r).Append(e.text)
	case export.Boolean:
		return parquet.BooleanValue(c.Bool(r)), true
	case export.DateTime:
		return parquet.Int64Value(c.Time(r).UnixMilli()), true
	case export.Integer:
		n := c.Number(r)
		return parquet.Int32Value(int32(n)), n != export.None
	case export.Thousandths:
		n := c.Number(r)
		return parquet.DoubleValue(float64(n) / 1000), n != export.None
	case export.Decimal:
		return parquet.DoubleValue(c.Decimal(r)), true
	case export.Longitude:
		p := &e.places[i]
		p.point, p.known = c.At(r, e.centres)
		return parquet.DoubleValue(degrees(p.point.Lon())), p.known
	case export.Latitude:
		return parquet.DoubleValue(degrees(e.places[i].point.Lat())), e.places[i].known
	}
	return parquet.ByteArrayValue(e.text[begin:]), true
}
