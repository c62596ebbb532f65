package parquet

import (
	"io"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
)

// gridRow is a row of grid averages, with the columns of the CSV.
type gridRow struct {
	Cell          string  `parquet:"cell,dict"`
	WindowStart   int64   `parquet:"window_start,timestamp(millisecond),delta"`
	WindowSeconds int32   `parquet:"window_seconds,dict"`
	Quantity      string  `parquet:"quantity,dict"`
	Unit          string  `parquet:"unit,dict"`
	Mean          float64 `parquet:"mean,dict"`
	Median        float64 `parquet:"median,dict"`
	Min           float64 `parquet:"min,dict"`
	Max           float64 `parquet:"max,dict"`
	Stations      int32   `parquet:"stations,dict"`
	Readings      int32   `parquet:"readings,dict"`
	Coverage      float64 `parquet:"coverage,dict"`
	EAQI          *int32  `parquet:"eaqi,optional,dict"`
	Lon           float64 `parquet:"lon,dict"`
	Lat           float64 `parquet:"lat,dict"`
	Revision      int32   `parquet:"revision,dict"`
	RawMean       float64 `parquet:"raw_mean,dict"`
	Uncorrected   int32   `parquet:"uncorrected,dict"`
	Spread        float64 `parquet:"spread,dict"`
	Certainty     string  `parquet:"certainty,dict"`
	LQI           *int32  `parquet:"lqi,optional,dict"`
}

// NewGrid makes an encoder that writes to w. notes are further key-value metadata; nil is none.
func NewGrid(w io.Writer, meta export.Meta, notes map[string]string) export.Grid {
	return &rows[aggregate.Row, gridRow]{newTable[gridRow](w, meta, notes, "window_start"), gridOf}
}

func gridOf(r aggregate.Row) gridRow {
	q, center := r.Quantity, r.Cell.Center()
	eaqi, _ := export.EAQI(q, r.Mean) // 0 is none
	lqi, _ := export.LQI(q, r.Mean)
	return gridRow{
		Cell: r.Cell.String(), WindowStart: r.Start.UnixMilli(), WindowSeconds: int32(r.Window.Seconds()), Quantity: q.String(), Unit: q.Unit(),
		Mean: thousandths(r.Mean), Median: thousandths(r.Median), Min: thousandths(r.Min), Max: thousandths(r.Max),
		Stations: int32(r.Stations), Readings: int32(r.Readings), Coverage: thousandths(r.Coverage), EAQI: class(int(eaqi)),
		Lon: degrees(center.Lon()), Lat: degrees(center.Lat()), Revision: int32(r.Revision),
		RawMean: thousandths(r.Raw), Uncorrected: int32(r.Uncorrected), Spread: thousandths(r.Spread),
		Certainty: export.Certainty(r).String(), LQI: class(int(lqi)),
	}
}
