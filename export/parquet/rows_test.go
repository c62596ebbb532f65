package parquet

// Rows as others read them.

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
