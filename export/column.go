package export

import (
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo"
)

// Type says how the values of a column are written. The list is closed: each format has a case for each of them.
type Type uint8

// The types.
const (
	Text        Type = iota // any text
	Word                    // a text of ours that no format has to quote or escape
	CellCode                // the code of a cell of the European statistical grid
	DateTime                // RFC 3339 in UTC with whole seconds; milliseconds in Parquet
	Boolean                 // true or false
	Integer                 // a whole number
	Thousandths             // a decimal with three places
	Decimal                 // the shortest decimal that is the same float64
	Longitude               // degrees with six decimals
	Latitude                // degrees with six decimals, of the same place as the row's Longitude
)

// String returns the type's name in Table Schema (https://specs.frictionlessdata.io/table-schema/).
func (t Type) String() string {
	switch t {
	case Text, Word, CellCode:
		return "string"
	case DateTime:
		return "datetime"
	case Boolean:
		return "boolean"
	case Integer:
		return "integer"
	}
	return "number"
}

// InUnit is the unit of what is in the unit that the row's column unit names.
const InUnit = "unit"

// Field describes a column to those who read it.
type Field struct {
	Name     string
	Type     Type
	Unit     string         // a symbol, such as s or °, or InUnit; empty where there is none
	About    bilingual.Text // in Markdown
	Empty    bool           // may hold nothing
	Unique   bool           // holds nothing twice in a document
	Shared   bool           // holds the same in all rows of a reading
	Among    []string       // all that it may hold; nil is anything of the type
	Min, Max *float64       // nil is no limit
}

// Nullable reports whether JSON and Parquet have null where there is nothing; a text is empty then.
func (f *Field) Nullable() bool { return f.Empty && f.Type > CellCode }

// Column is a column of a table whose rows are of type R: its description, and how its value is had of a row. The getter that
// its type asks for is set, the others are nil.
type Column[R any] struct {
	Field
	Text    func(*R) string            // of Text and Word
	Cell    func(*R) geo.Cell          // of CellCode; of Longitude and Latitude, where they are those of a cell's centre
	Time    func(*R) time.Time         // of DateTime; the zero time where there is none
	Bool    func(*R) bool              // of Boolean
	Number  func(*R) int64             // of Integer and Thousandths; None where there is none
	Decimal func(*R) float64           // of Decimal
	Place   func(*R) (orb.Point, bool) // of Longitude and Latitude elsewhere; false where there is none
}

// None is an Integer or a number of Thousandths that is not there.
const None = math.MinInt64

// orNone returns what p points to, or None.
func orNone[N ~int | ~int64](p *N) int64 {
	if p == nil {
		return None
	}
	return int64(*p)
}

// orNoClass returns the class of an index, or None for 0, which is none.
func orNoClass(class int) int64 {
	if class == 0 {
		return None
	}
	return int64(class)
}

func textColumn[R any](name string, about bilingual.Text, get func(*R) string) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: Text, About: about}, Text: get}
}

func wordColumn[R any](name string, about bilingual.Text, get func(*R) string) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: Word, About: about}, Text: get}
}

func cellColumn[R any](name string, about bilingual.Text, get func(*R) geo.Cell) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: CellCode, About: about}, Cell: get}
}

func timeColumn[R any](name string, about bilingual.Text, get func(*R) time.Time) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: DateTime, About: about}, Time: get}
}

func boolColumn[R any](name string, about bilingual.Text, get func(*R) bool) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: Boolean, About: about}, Bool: get}
}

func integerColumn[R any](name, unit string, about bilingual.Text, get func(*R) int64) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: Integer, Unit: unit, About: about}, Number: get}
}

// countColumn is an integer from 0.
func countColumn[R any](name string, about bilingual.Text, get func(*R) int64) Column[R] {
	return integerColumn(name, "", about, get).from(0)
}

func thousandthsColumn[R any](name, unit string, about bilingual.Text, get func(*R) int64) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: Thousandths, Unit: unit, About: about}, Number: get}
}

// shareColumn is a part of a whole, 0 to 1.
func shareColumn[R any](name string, about bilingual.Text, get func(*R) int64) Column[R] {
	return thousandthsColumn(name, "", about, get).from(0).to(1)
}

// classColumn is the class of an index, from 1; empty where the index says nothing.
func classColumn[R any](name string, most float64, about bilingual.Text, get func(*R) int64) Column[R] {
	return integerColumn(name, "", about, get).from(1).to(most).optional()
}

func decimalColumn[R any](name, unit string, about bilingual.Text, get func(*R) float64) Column[R] {
	return Column[R]{Field: Field{Name: name, Type: Decimal, Unit: unit, About: about}, Decimal: get}
}

func longitudeColumn[R any](about bilingual.Text) Column[R] {
	return Column[R]{Field: Field{Name: "lon", Type: Longitude, Unit: "°", About: about}}.from(-180).to(180)
}

func latitudeColumn[R any](about bilingual.Text) Column[R] {
	return Column[R]{Field: Field{Name: "lat", Type: Latitude, Unit: "°", About: about}}.from(-90).to(90)
}

// of is a longitude or latitude of a place.
func (c Column[R]) of(get func(*R) (orb.Point, bool)) Column[R] {
	c.Place = get
	return c
}

// ofCell is a longitude or latitude of a cell's centre.
func (c Column[R]) ofCell(get func(*R) geo.Cell) Column[R] {
	c.Cell = get
	return c
}

func (c Column[R]) from(least float64) Column[R] {
	c.Min = &least
	return c
}

func (c Column[R]) to(most float64) Column[R] {
	c.Max = &most
	return c
}

func (c Column[R]) among(words ...string) Column[R] {
	c.Among = words
	return c
}

// optional is the column where it may hold nothing.
func (c Column[R]) optional() Column[R] {
	c.Empty = true
	return c
}

// unique is the column where no two rows of a document have the same in it.
func (c Column[R]) unique() Column[R] {
	c.Unique = true
	return c
}

// shared is the column where all rows of a reading have the same in it.
func (c Column[R]) shared() Column[R] {
	c.Shared = true
	return c
}

// Columns are a table: its columns in their order.
type Columns[R any] []Column[R]

// Fields returns the columns' descriptions.
func (cs Columns[R]) Fields() []Field {
	fields := make([]Field, len(cs))
	for i := range cs {
		fields[i] = cs[i].Field
	}
	return fields
}

// Without returns the columns but those named.
func (cs Columns[R]) Without(names ...string) Columns[R] {
	return slices.DeleteFunc(slices.Clone(cs), func(c Column[R]) bool { return slices.Contains(names, c.Name) })
}

// Only returns the columns named, in the order of the names.
func (cs Columns[R]) Only(names ...string) Columns[R] {
	only := make(Columns[R], len(names))
	for i, name := range names {
		only[i] = cs[slices.IndexFunc(cs, func(c Column[R]) bool { return c.Name == name })]
	}
	return only
}
