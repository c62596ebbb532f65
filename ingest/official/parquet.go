package official

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"stadtluft/firmware-protocol/quantity"
)

// eeaPollutants maps the numbers of the European vocabulary of pollutants to quantities.
var eeaPollutants = map[int64]quantity.Quantity{
	1: quantity.SO2, 5: quantity.PM10, 7: quantity.O3, 8: quantity.NO2, 10: quantity.CO, 38: quantity.NO, 6001: quantity.PM2_5,
}

// eeaColumns are the columns that are read, in lower case. AggType may be missing.
var eeaColumns = []string{"samplingpoint", "pollutant", "start", "value", "unit", "validity", "aggtype"}

// parquetBatch is the number of rows that are read, and at most given to yield, together.
const parquetBatch = 1024

// ReadParquet reads a file of the European Environment Agency's downloads: a row for each hour of a sampling point, its
// times in UTC+1 without an offset. Rows that are not valid (Validity below 1), not hourly, or of a pollutant that is no
// quantity here are left out. Memory does not grow with the file.
func (t *Table) ReadParquet(r io.ReaderAt, size int64, yield Yield) error {
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	e := eea{table: t, yield: yield, stations: map[string]*Station{}}
	if err := e.bind(file.Schema()); err != nil {
		return err
	}
	for _, group := range file.RowGroups() {
		if err := e.group(group); err != nil {
			return err
		}
	}
	return nil
}

// eea reads one file.
type eea struct {
	table    *Table
	yield    Yield
	column   map[string]int // by lower-case name; -1 for a missing AggType
	tick     time.Duration  // of an integer time
	scale    int32          // of a decimal value
	stations map[string]*Station
}

func (e *eea) bind(schema *parquet.Schema) error {
	e.column = map[string]int{"aggtype": -1}
	for i, path := range schema.Columns() {
		e.column[strings.ToLower(strings.Join(path, "."))] = i
	}
	for _, name := range eeaColumns {
		if _, ok := e.column[name]; !ok {
			return fmt.Errorf("read Parquet: no column %q among %v", name, schema.Columns())
		}
	}
	for _, field := range schema.Fields() {
		logical := field.Type().LogicalType()
		if logical == nil {
			continue
		}
		switch kind := logical.Value.(type) {
		case *format.TimestampType:
			if strings.EqualFold(field.Name(), "start") && kind.Unit.Value != nil {
				e.tick = kind.Unit.Value.Duration()
			}
		case *format.DecimalType:
			if strings.EqualFold(field.Name(), "value") {
				e.scale = kind.Scale
			}
		}
	}
	return nil
}

// group yields the hours of a group of rows, batch by batch; those of a batch by station.
func (e *eea) group(group parquet.RowGroup) error {
	rows := group.Rows()
	defer rows.Close()
	batch := make([]parquet.Row, parquetBatch)
	for {
		n, err := rows.ReadRows(batch)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read Parquet: %w", err)
		}
		if err := e.batch(batch[:n]); err != nil {
			return err
		}
		if err != nil || n == 0 {
			return nil
		}
	}
}

func (e *eea) batch(rows []parquet.Row) error {
	hours, order := map[*Station][]Hour{}, []*Station(nil)
	for _, row := range rows {
		st, h, ok := e.row(row)
		if !ok {
			continue
		}
		if hours[st] == nil {
			order = append(order, st)
		}
		hours[st] = append(hours[st], h)
	}
	for _, st := range order {
		if err := e.yield(*st, hours[st]); err != nil {
			return err
		}
	}
	return nil
}

// row returns the hour of a row; false for one that is left out.
func (e *eea) row(row parquet.Row) (*Station, Hour, bool) {
	cell := func(name string) parquet.Value {
		if i := e.column[name]; i >= 0 && i < len(row) {
			return row[i]
		}
		return parquet.Value{}
	}
	q := eeaPollutants[integer(cell("pollutant"))]
	kind := cell("aggtype")
	value, ok := e.number(cell("value"))
	if q == 0 || integer(cell("validity")) < 1 || !ok || value == missing || !kind.IsNull() && kind.String() != "hour" {
		return nil, Hour{}, false
	}
	at, ok := e.time(cell("start"))
	if !ok || !at.Equal(at.Truncate(time.Hour)) {
		return nil, Hour{}, false
	}
	st := e.station(cell("samplingpoint").String())
	if value, ok = quantity.Convert(q, cell("unit").String(), value); !ok || st == nil {
		return nil, Hour{}, false
	}
	return st, Hour{at, q, value}, true
}

// station returns a sampling point's station, nil without a place; it asks the table once.
func (e *eea) station(point string) *Station {
	st, asked := e.stations[point]
	if !asked {
		if found, ok := e.table.station(point); ok {
			st = &found
		}
		e.stations[point] = st
	}
	return st
}

func integer(v parquet.Value) int64 {
	switch v.Kind() {
	case parquet.Int32:
		return int64(v.Int32())
	case parquet.Int64:
		return v.Int64()
	}
	return -1
}

// number returns a value: a float, an integer, or a decimal of 4, 8 or more bytes.
func (e *eea) number(v parquet.Value) (float64, bool) {
	if v.IsNull() {
		return 0, false
	}
	switch v.Kind() {
	case parquet.Double:
		return v.Double(), !math.IsNaN(v.Double()) && !math.IsInf(v.Double(), 0)
	case parquet.Float:
		return float64(v.Float()), v.Float() == v.Float()
	case parquet.Int32, parquet.Int64:
		return e.decimal(big.NewInt(integer(v))), true
	case parquet.FixedLenByteArray, parquet.ByteArray:
		bytes := v.ByteArray()
		unscaled := new(big.Int).SetBytes(bytes)
		if len(bytes) > 0 && bytes[0]&0x80 != 0 { // two's complement
			unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(bytes))))
		}
		return e.decimal(unscaled), true
	}
	return 0, false
}

func (e *eea) decimal(unscaled *big.Int) float64 {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e.scale)), nil)
	value, _ := new(big.Rat).SetFrac(unscaled, power).Float64()
	return value
}

// unixJulianDay is the Julian day of 1 January 1970.
const unixJulianDay = 2440588

// time returns the moment of a wall clock at UTC+1.
func (e *eea) time(v parquet.Value) (time.Time, bool) {
	var wall time.Time
	switch {
	case v.IsNull():
		return wall, false
	case v.Kind() == parquet.Int96: // nanoseconds of the day and the Julian day, as older writers have it
		i := v.Int96()
		nanos := int64(uint64(i[1])<<32 | uint64(i[0]))
		wall = time.Unix((int64(i[2])-unixJulianDay)*24*60*60, nanos)
	case v.Kind() == parquet.Int64 && e.tick > 0:
		perSecond := int64(time.Second / e.tick)
		wall = time.Unix(v.Int64()/perSecond, v.Int64()%perSecond*int64(e.tick))
	default:
		return wall, false
	}
	return wall.UTC().Add(-time.Hour), true
}
