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

// coverageRow is a cell of the city, with the columns of the CSV.
type coverageRow struct {
	Cell      string  `parquet:"cell"`
	Lon       float64 `parquet:"lon,dict"`
	Lat       float64 `parquet:"lat,dict"`
	Covered   bool    `parquet:"covered"`
	Stations  int32   `parquet:"stations,dict"`
	People    *int32  `parquet:"people,optional,dict"`
	Rank      *int32  `parquet:"rank,optional,dict"`
	DistanceM *int32  `parquet:"distance_m,optional,dict"`
	ReasonEN  string  `parquet:"reason_en,dict"`
	ReasonDE  string  `parquet:"reason_de,dict"`
}

// historyRow is the coverage of some days, with the columns of the CSV.
type historyRow struct {
	Start         int64    `parquet:"start,timestamp(millisecond),delta"`
	Days          int32    `parquet:"days,dict"`
	Cells         int32    `parquet:"cells,dict"`
	Covered       float64  `parquet:"covered,dict"`
	Share         float64  `parquet:"share,dict"`
	People        *int32   `parquet:"people,optional,dict"`
	PeopleReached *float64 `parquet:"people_reached,optional,dict"`
	PeopleShare   *float64 `parquet:"people_share,optional,dict"`
}

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
