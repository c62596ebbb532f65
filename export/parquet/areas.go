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

// NewAreas makes an encoder of averages of districts that writes to w.
func NewAreas(w io.Writer, meta export.Meta) export.Encoder[export.AreaRow] {
	return &structs[export.AreaRow, areaRow]{newTable[areaRow](w, meta, nil, "window_start"), areaOf}
}

func areaOf(r export.AreaRow) areaRow {
	return areaRow{
		Area: r.Area, WindowStart: r.Start.UnixMilli(), WindowSeconds: int32(r.Window.Seconds()), Quantity: r.Quantity, Unit: r.Unit,
		Mean: thousandths(int64(r.Mean)), Min: thousandths(int64(r.Min)), Max: thousandths(int64(r.Max)), Cells: int32(r.Cells), AllCells: int32(r.AllCells),
		Share: thousandths(int64(r.Share)), Stations: int32(r.Stations), Readings: int32(r.Readings), EAQI: class(r.EAQI), LQI: class(r.LQI), PeopleShare: decimal(r.PeopleShare), Spread: thousandths(int64(r.Spread)), Certainty: r.Certainty,
	}
}
