package parquet

import (
	"io"

	"stadtluft/export"
)

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

// NewCoverage makes an encoder of the city's cells that writes to w.
func NewCoverage(w io.Writer, meta export.Meta) export.Encoder[export.CoverageRow] {
	return &structs[export.CoverageRow, coverageRow]{newTable[coverageRow](w, meta, nil), coverageOf}
}

func coverageOf(r export.CoverageRow) coverageRow {
	center := r.Cell.Center()
	return coverageRow{
		Cell: r.Cell.String(), Lon: degrees(center.Lon()), Lat: degrees(center.Lat()), Covered: r.Stations > 0, Stations: int32(r.Stations),
		People: whole(r.People), Rank: class(r.Rank), DistanceM: whole(r.Distance), ReasonEN: r.English, ReasonDE: r.German,
	}
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

// NewHistory makes an encoder of the coverage over time that writes to w.
func NewHistory(w io.Writer, meta export.Meta) export.Encoder[export.CoveredThen] {
	return &structs[export.CoveredThen, historyRow]{newTable[historyRow](w, meta, nil, "start"), historyOf}
}

func historyOf(r export.CoveredThen) historyRow {
	return historyRow{
		Start: r.Start.UnixMilli(), Days: int32(r.Days), Cells: int32(r.Cells), Covered: thousandths(int64(r.Covered)), Share: thousandths(int64(r.Share)),
		People: whole(r.People), PeopleReached: decimal(r.PeopleReached), PeopleShare: decimal(r.PeopleShare),
	}
}
