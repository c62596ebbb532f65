package parquet

import (
	"github.com/parquet-go/parquet-go"

	"stadtluft/export"
	"stadtluft/geo"
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
		n = parquet.Timestamp(parquet.Millisecond)
		if f.Nullable() {
			n = parquet.Optional(n)
		}
		return parquet.Encoded(n, &parquet.DeltaBinaryPacked)
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

// read reads a column's value of the row under way into v. Texts are valid until the gathered rows are written.
func (e *rows[R]) read(c *export.Column[R], v *parquet.Value) {
	known := true
	switch c.Type {
	case export.Text, export.Word:
		begin := len(e.text)
		e.text = append(e.text, c.Text(&e.row)...)
		*v = parquet.ByteArrayValue(e.text[begin:])
	case export.CellCode:
		begin := len(e.text)
		e.text = c.Cell(&e.row).Append(e.text)
		*v = parquet.ByteArrayValue(e.text[begin:])
	case export.Boolean:
		*v = parquet.BooleanValue(c.Bool(&e.row))
	case export.DateTime:
		at := c.Time(&e.row)
		*v, known = parquet.Int64Value(at.UnixMilli()), !c.Nullable() || !at.IsZero()
	case export.Decimal:
		*v = parquet.DoubleValue(c.Decimal(&e.row))
	case export.Integer:
		n := c.Number(&e.row)
		*v, known = parquet.Int32Value(int32(n)), n != export.None
	case export.Thousandths:
		n := c.Number(&e.row)
		*v, known = parquet.DoubleValue(float64(n)/1000), n != export.None
	case export.Longitude:
		e.point, e.placed = c.At(&e.row, e.centres)
		*v, known = parquet.DoubleValue(geo.RoundDegrees(e.point.Lon())), e.placed
	case export.Latitude:
		*v, known = parquet.DoubleValue(geo.RoundDegrees(e.point.Lat())), e.placed
	}
	switch {
	case !known:
		*v = parquet.NullValue()
	case c.Nullable():
		*v = v.Level(0, 1, 0)
	}
}
