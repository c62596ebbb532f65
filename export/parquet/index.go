package parquet

import (
	"io"

	"stadtluft/export"
)

// indexRow is what both indices say of a cell, with the columns of the CSV.
type indexRow struct {
	Cell          string  `parquet:"cell"`
	WindowStart   int64   `parquet:"window_start,timestamp(millisecond),delta"`
	WindowSeconds int32   `parquet:"window_seconds,dict"`
	EAQI          *int32  `parquet:"eaqi,optional,dict"`
	EAQIPollutant string  `parquet:"eaqi_pollutant,dict"`
	EAQIEN        string  `parquet:"eaqi_en,dict"`
	EAQIDE        string  `parquet:"eaqi_de,dict"`
	EAQIColour    string  `parquet:"eaqi_colour,dict"`
	LQI           *int32  `parquet:"lqi,optional,dict"`
	LQIPollutant  string  `parquet:"lqi_pollutant,dict"`
	LQIEN         string  `parquet:"lqi_en,dict"`
	LQIDE         string  `parquet:"lqi_de,dict"`
	Measured      int32   `parquet:"measured,dict"`
	Stations      int32   `parquet:"stations,dict"`
	Spread        float64 `parquet:"spread,dict"`
	Certainty     string  `parquet:"certainty,dict"`
	Lon           float64 `parquet:"lon,dict"`
	Lat           float64 `parquet:"lat,dict"`
}

// NewIndices makes an encoder of the indices of cells that writes to w.
func NewIndices(w io.Writer, meta export.Meta) export.Encoder[export.CellIndex] {
	return &structs[export.CellIndex, indexRow]{newTable[indexRow](w, meta, nil, "window_start"), indexOf}
}

func indexOf(c export.CellIndex) indexRow {
	center := c.Row.Cell.Center()
	return indexRow{
		Cell: c.Row.Cell.String(), WindowStart: c.Row.Start.UnixMilli(), WindowSeconds: int32(c.Row.Window.Seconds()),
		EAQI: class(c.European.Class), EAQIPollutant: c.European.Pollutant, EAQIEN: c.European.English, EAQIDE: c.European.German, EAQIColour: c.European.Colour,
		LQI: class(c.German.Class), LQIPollutant: c.German.Pollutant, LQIEN: c.German.English, LQIDE: c.German.German,
		Measured: int32(c.European.Measured), Stations: int32(c.Row.Stations), Spread: thousandths(c.Row.Spread), Certainty: export.Certainty(c.Row).String(),
		Lon: degrees(center.Lon()), Lat: degrees(center.Lat()),
	}
}
