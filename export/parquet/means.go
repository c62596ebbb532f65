package parquet

import (
	"io"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
)

// meanRow is a mean of a station, with the columns of the CSV.
type meanRow struct {
	WindowStart   int64    `parquet:"window_start,timestamp(millisecond),delta"`
	WindowSeconds int32    `parquet:"window_seconds,dict"`
	Station       string   `parquet:"station,dict"`
	Lon           *float64 `parquet:"lon,optional,dict"`
	Lat           *float64 `parquet:"lat,optional,dict"`
	Quantity      string   `parquet:"quantity,dict"`
	Unit          string   `parquet:"unit,dict"`
	Mean          float64  `parquet:"mean,dict"`
	RawMean       float64  `parquet:"raw_mean,dict"`
	Corrected     bool     `parquet:"corrected"`
	Readings      int32    `parquet:"readings,dict"`
	Coverage      float64  `parquet:"coverage,dict"`
}

// NewMeans makes an encoder of means of stations that writes to w.
func NewMeans(w io.Writer, meta export.Meta) export.Encoder[aggregate.StationWindow] {
	return &structs[aggregate.StationWindow, meanRow]{newTable[meanRow](w, meta, nil, "window_start", "station"), meanOf}
}

func meanOf(m aggregate.StationWindow) meanRow {
	q := m.Quantity
	row := meanRow{
		WindowStart: m.Start.UnixMilli(), WindowSeconds: int32(m.Window.Seconds()), Station: m.Station, Quantity: q.String(), Unit: q.Unit(),
		Mean: thousandths(m.Mean), RawMean: thousandths(m.Raw), Corrected: m.Corrected, Readings: int32(m.Readings), Coverage: thousandths(m.Coverage),
	}
	if !m.Cell.IsZero() {
		center := m.Cell.Center()
		row.Lon, row.Lat = new(degrees(center.Lon())), new(degrees(center.Lat()))
	}
	return row
}
