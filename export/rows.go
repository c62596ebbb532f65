package export

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"github.com/paulmach/orb"

	"stadtluft/geo"
)

// rows encodes the rows of a table as CSV, JSON or GeoJSON.
type rows[R any] struct {
	list
	csv     bool
	comma   byte // between fields of CSV
	german  bool // CSV with decimal commas and a byte order mark
	columns Columns[R]
	feature func(b []byte, r *R) []byte // appends the beginning of a feature of GeoJSON, with its geometry
	row     R                           // that is being written: the getters of columns take its address
	scratch scratch
}

// newRows makes an encoder that writes to w. Features of GeoJSON have their geometry in place of lon and lat.
func newRows[R any](w io.Writer, format Format, meta Meta, columns Columns[R], feature func(b []byte, r *R) []byte) *rows[R] {
	if format == GeoJSON {
		columns = columns.Without("lon", "lat")
	}
	return &rows[R]{list: newList(w, format, meta), csv: format.csv(), comma: format.comma(), german: format == German, columns: columns, feature: feature, scratch: scratch{centres: Centres{}}}
}

// Begin writes the head.
func (e *rows[R]) Begin() error {
	if !e.csv {
		return e.list.Begin()
	}
	if e.german {
		e.buf = append(e.buf, byteOrderMark...)
	}
	for i := range e.columns {
		e.buf = append(append(e.buf, e.columns[i].Name...), e.comma)
	}
	e.buf = e.close(e.buf)
	return nil
}

// Add writes a row.
func (e *rows[R]) Add(r R) error {
	e.row, e.scratch.read = r, false
	e.buf = e.close(e.appendColumns(e.open(e.next(e.buf)), e.columns))
	return e.flush(false)
}

// End closes the document.
func (e *rows[R]) End() error {
	if e.csv {
		return e.flush(true)
	}
	return e.list.End()
}

// next appends what stands between the row and the one before.
func (e *rows[R]) next(b []byte) []byte {
	if e.csv {
		return b
	}
	return e.list.next(b)
}

// open appends what stands before the row's first column.
func (e *rows[R]) open(b []byte) []byte {
	if e.geojson {
		b = append(e.feature(b, &e.row), `,"properties":`...)
	}
	if !e.csv {
		b = append(b, '{')
	}
	return b
}

// appendColumns appends some of the row's columns, each with a comma behind it; CSV has nothing where there is none.
func (e *rows[R]) appendColumns(b []byte, columns Columns[R]) []byte {
	if !e.csv {
		return columns.appendMembers(b, &e.row, &e.scratch)
	}
	for i := range columns {
		begin := len(b)
		switch c := &columns[i]; c.Type {
		case Text:
			b = appendCell(b, c.Text(&e.row))
		case Word:
			b = append(b, c.Text(&e.row)...)
		case CellCode:
			b = c.Cell(&e.row).Append(b)
		case DateTime:
			if at := c.Time(&e.row); !c.Empty || !at.IsZero() {
				b = e.scratch.clock.append(b, at)
			}
		case Decimal:
			b = appendValue(b, c.Decimal(&e.row))
		default:
			b = c.appendNumber(b, &e.row, &e.scratch)
		}
		if e.german && columns[i].Type >= Thousandths {
			if point := bytes.IndexByte(b[begin:], '.'); point >= 0 {
				b[begin+point] = ','
			}
		}
		b = append(b, e.comma)
	}
	return b
}

// close ends the row in place of the last column's comma.
func (e *rows[R]) close(b []byte) []byte {
	last := len(b) - 1
	if e.csv {
		b[last] = '\n'
		return b
	}
	b[last] = '}'
	if e.geojson {
		b = append(b, '}')
	}
	return b
}

// AppendObject appends a row as a JSON object with a member for each column.
func (cs Columns[R]) AppendObject(b []byte, r *R) []byte {
	b = cs.appendMembers(append(b, '{'), r, &scratch{})
	return append(b[:len(b)-1], '}')
}

// appendMembers appends a row as members of an object, each with a comma behind it; null where there is none.
func (cs Columns[R]) appendMembers(b []byte, r *R, s *scratch) []byte {
	for i := range cs {
		c := &cs[i]
		b = append(append(append(b, '"'), c.Name...), `":`...)
		n := len(b)
		switch c.Type {
		case Text:
			b = appendString(b, c.Text(r))
		case Word:
			b = append(append(append(b, '"'), c.Text(r)...), '"')
		case CellCode:
			b = append(c.Cell(r).Append(append(b, '"')), '"')
		case DateTime:
			if at := c.Time(r); !c.Empty || !at.IsZero() {
				b = append(s.clock.append(append(b, '"'), at), '"')
			}
		case Decimal:
			b = appendValue(b, c.Decimal(r))
		default:
			b = c.appendNumber(b, r, s)
		}
		if len(b) == n {
			b = append(b, "null"...)
		}
		b = append(b, ',')
	}
	return b
}

// appendKnown appends a row as members of an object, without braces. A number that is not there is left out.
func (cs Columns[R]) appendKnown(b []byte, r *R) []byte {
	var s scratch
	for i := range cs {
		if !cs[i].Nullable() || cs[i].Value(r) != nil {
			b = cs[i:i+1].appendMembers(b, r, &s)
		}
	}
	return b[:len(b)-1]
}

// appendNumber appends a truth or a number, nothing where there is none.
func (c *Column[R]) appendNumber(b []byte, r *R, s *scratch) []byte {
	switch c.Type {
	case Boolean:
		return strconv.AppendBool(b, c.Bool(r))
	case Integer:
		if n := c.Number(r); n != None {
			return strconv.AppendInt(b, n, 10)
		}
	case Thousandths:
		if n := c.Number(r); n != None {
			return appendMilli(b, n)
		}
	case Longitude, Latitude:
		if degrees, placed := c.degrees(r, s); placed {
			return appendDegrees(b, degrees)
		}
	}
	return b
}

// Centres keeps the centres of cells: to compute one takes longer than to write a row. Nil keeps nothing.
type Centres map[geo.Cell]orb.Point

func (c Centres) of(cell geo.Cell) orb.Point {
	center, known := c[cell]
	if !known {
		center = cell.Center()
		if c != nil {
			c[cell] = center
		}
	}
	return center
}

// At returns where a row is, for a Longitude or a Latitude; false where it is nowhere.
func (c *Column[R]) At(r *R, centres Centres) (orb.Point, bool) {
	if c.Place != nil {
		return c.Place(r)
	}
	cell := c.Cell(r)
	return centres.of(cell), !cell.IsZero()
}

// scratch is what the columns of a document share: what they keep from row to row, and the place of the row under way.
type scratch struct {
	clock        clock
	centres      Centres
	point        orb.Point
	placed, read bool // read: point and placed are those of the row
}

func (c *Column[R]) degrees(r *R, s *scratch) (float64, bool) {
	if !s.read {
		s.point, s.placed = c.At(r, s.centres)
		s.read = true
	}
	if c.Type == Longitude {
		return s.point.Lon(), s.placed
	}
	return s.point.Lat(), s.placed
}

// Value returns the row's value as encoding/json takes it: a string, a bool, a json.Number, or nil where there is none.
func (c *Column[R]) Value(r *R) any {
	switch c.Type {
	case Text, Word:
		return c.Text(r)
	case CellCode:
		return c.Cell(r).String()
	case DateTime:
		if at := c.Time(r); !c.Empty || !at.IsZero() {
			return string(appendTime(nil, at))
		}
		return nil
	case Boolean:
		return c.Bool(r)
	case Decimal:
		return json.Number(appendValue(nil, c.Decimal(r)))
	}
	if b := c.appendNumber(nil, r, &scratch{}); len(b) > 0 {
		return json.Number(b)
	}
	return nil
}
