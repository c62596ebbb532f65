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
