package parquet

import (
	"io"

	"stadtluft/export"
)

// areaRow is an average of a district, with the columns of the CSV.
type areaRow struct {
	Area          string   `parquet:"area,dict"`
	WindowStart   int64    `parquet:"window_start,timestamp(millisecond),delta"`
	WindowSeconds int32    `parquet:"window_seconds,dict"`
	Quantity      string   `parquet:"quantity,dict"`
	Unit          string   `parquet:"unit,dict"`
	Mean          float64  `parquet:"mean,dict"`
	Min           float64  `parquet:"min,dict"`
	Max           float64  `parquet:"max,dict"`
	Cells         int32    `parquet:"cells,dict"`
	AllCells      int32    `parquet:"all_cells,dict"`
	Share         float64  `parquet:"share,dict"`
	Stations      int32    `parquet:"stations,dict"`
	Readings      int32    `parquet:"readings,dict"`
	EAQI          *int32   `parquet:"eaqi,optional,dict"`
	LQI           *int32   `parquet:"lqi,optional,dict"`
	PeopleShare   *float64 `parquet:"people_share,optional,dict"`
	Spread        float64  `parquet:"spread,dict"`
	Certainty     string   `parquet:"certainty,dict"`
}

type areas struct{ table[areaRow] }

// NewAreas makes an encoder of averages of districts that writes to w.
func NewAreas(w io.Writer, meta export.Meta) export.Encoder[export.AreaRow] {
	return &areas{newTable[areaRow](w, meta, nil, "window_start")}
}

// Add writes a row.
func (e *areas) Add(r export.AreaRow) error {
	row := areaRow{
		Area: r.Area, WindowStart: r.Start.UnixMilli(), WindowSeconds: int32(r.Window.Seconds()), Quantity: r.Quantity, Unit: r.Unit,
		Mean: thousandths(int64(r.Mean)), Min: thousandths(int64(r.Min)), Max: thousandths(int64(r.Max)), Cells: int32(r.Cells), AllCells: int32(r.AllCells),
		Share: thousandths(int64(r.Share)), Stations: int32(r.Stations), Readings: int32(r.Readings), EAQI: index(r.EAQI), LQI: index(r.LQI), Spread: thousandths(int64(r.Spread)), Certainty: r.Certainty,
	}
	if r.PeopleShare != nil {
		share := thousandths(int64(*r.PeopleShare))
		row.PeopleShare = &share
	}
	return e.add(row)
}

// index is a class, or none where it is 0.
func index(n int) *int32 {
	if n == 0 {
		return nil
	}
	number := int32(n)
	return &number
}
