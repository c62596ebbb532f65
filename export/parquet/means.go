package parquet

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// NewMeans makes an encoder of means of stations that writes to w.
func NewMeans(w io.Writer, meta export.Meta) export.Encoder[aggregate.StationWindow] {
	return newRows(w, meta, nil, "meanRow", export.MeanColumns, "window_start", "station")
}

// NewStationMeans is NewMeans for rows in the order of station, quantity's name and start: a station's values lie together.
func NewStationMeans(w io.Writer, meta export.Meta, notes map[string]string) export.Encoder[aggregate.StationWindow] {
	return newRows(w, meta, notes, "meanRow", export.MeanColumns, "station", "quantity", "window_start")
}

// ReadStationMeans calls yield for each mean of a station in a file of NewStationMeans over one window, in the file's order.
// The cells are those of the public places. An error from yield ends it and is returned.
func ReadStationMeans(r io.ReaderAt, size int64, window aggregate.Window, station string, yield func(aggregate.StationWindow) error) error {
	file, err := parquet.OpenFile(r, size)
	if err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	if got, want := columnsOf(file), header(export.MeanColumns.Fields()); !strings.HasPrefix(got+",", want+",") {
		return fmt.Errorf("read Parquet: the columns are %s, want %s", got, want)
	}
	for _, group := range file.RowGroups() {
		first, count, err := rowsOf(group.ColumnChunks()[meanStation], station)
		if err == nil && count > 0 {
			err = readMeans(group, first, count, window, yield)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Columns of means.
const (
	meanStart = iota
	_
	meanStation
	meanLon
	meanLat
	meanQuantity
	_
	meanMean
	meanRaw
	meanCorrected
	meanReadings
	meanCoverage
)

// milli returns a number of thousandths.
func milli(v parquet.Value) int64 { return int64(math.Round(v.Double() * 1000)) }

func header(fields []export.Field) string { return export.Table{Columns: fields}.Header() }

// rowsOf returns where the rows of a station lie in a sorted column.
func rowsOf(chunk parquet.ColumnChunk, station string) (first, count int64, err error) {
	values := parquet.NewColumnChunkValueReader(chunk)
	defer values.Close()
	c := column{reader: values, batch: make([]parquet.Value, batchRows)}
	for row := range chunk.NumValues() {
		v, err := c.next()
		if err != nil {
			return 0, 0, err
		}
		switch at := string(v.ByteArray()); {
		case at == station && count == 0:
			first, count = row, 1
		case at == station:
			count++
		case at > station:
			return first, count, nil
		}
	}
	return first, count, nil
}

func readMeans(group parquet.RowGroup, first, count int64, window aggregate.Window, yield func(aggregate.StationWindow) error) error {
	rows := group.Rows()
	defer rows.Close()
	if err := rows.SeekToRow(first); err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	batch := make([]parquet.Row, 64)
	for count > 0 {
		n, err := rows.ReadRows(batch[:min(count, int64(len(batch)))])
		if n == 0 {
			return fmt.Errorf("read Parquet: a group is too short: %w", err)
		}
		for _, row := range batch[:n] {
			m, err := meanOf(row, window)
			if err == nil {
				err = yield(m)
			}
			if err != nil {
				return err
			}
		}
		count -= int64(n)
	}
	return nil
}

func meanOf(row parquet.Row, window aggregate.Window) (m aggregate.StationWindow, err error) {
	name := string(row[meanQuantity].ByteArray())
	q, known := quantity.Parse(name)
	if !known {
		return m, fmt.Errorf("read Parquet: %q is not known to this version", name)
	}
	m = aggregate.StationWindow{Start: time.UnixMilli(row[meanStart].Int64()).UTC(), Window: window, Corrected: row[meanCorrected].Boolean()}
	m.Station, m.Quantity = string(row[meanStation].ByteArray()), q
	m.Mean, m.Raw, m.Coverage, m.Readings = milli(row[meanMean]), milli(row[meanRaw]), milli(row[meanCoverage]), int(row[meanReadings].Int32())
	if !row[meanLon].IsNull() {
		if m.Cell, err = geo.CellAt([2]float64{row[meanLon].Double(), row[meanLat].Double()}, geo.BaseSize); err != nil {
			return m, fmt.Errorf("read Parquet: %w", err)
		}
	}
	return m, nil
}
