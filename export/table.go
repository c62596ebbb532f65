package export

import (
	"slices"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// Table is what a kind of rows looks like: what CSV, JSON and Parquet have in common.
type Table struct {
	Name    string // as in /api/v1/schema/{name}.json
	About   bilingual.Text
	Columns []Field
	Key     []string // columns that together name a row; none where a row of a moved station would break it
}

// Header is the first line of the CSV, without its end.
func (t Table) Header() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ",")
}

// Tables are all there are.
func Tables() []Table {
	return []Table{ReadingsTable, meansTable, GridTable, districtsTable, indexTable, coverageTable, historyTable}
}

var (
	quantityNames = func() (names []string) {
		for _, q := range quantity.All() {
			names = append(names, q.String())
		}
		return names
	}()
	certainties = []string{"single station", "few", "good"}
	window      = []Field{
		{Name: "window_start", Type: DateTime, About: bilingual.Text{EN: "start of the window"}},
		{Name: "window_seconds", Type: Integer, About: bilingual.Text{EN: "length of the window"}},
	}
)

// Descriptions that several tables have.
var (
	stationID            = about("the station's id", "Kennung der Station")
	publicLongitude      = about("longitude of the public place, degrees", "geografische Länge des öffentlichen Orts, Grad")
	publicLatitude       = about("latitude of the public place, degrees", "geografische Breite des öffentlichen Orts, Grad")
	startOfWindow        = about("start of the window", "Beginn des Fensters")
	lengthOfWindow       = about("length of the window", "Länge des Fensters")
	whatWasMeasured      = about("what was measured", "was gemessen wurde")
	howManyStations      = about("how many stations count", "wie viele Stationen zählen")
	howManyOfTheirValues = about("how many of their values", "wie viele ihrer Werte")
)

func centreLongitude[R any](get func(*R) geo.Cell) Column[R] {
	return longitudeColumn[R](about("longitude of the cell's centre", "geografische Länge der Mitte der Zelle")).ofCell(get)
}

func centreLatitude[R any](get func(*R) geo.Cell) Column[R] {
	return latitudeColumn[R](about("latitude of the cell's centre", "geografische Breite der Mitte der Zelle")).ofCell(get)
}

var indexTable = Table{Name: "index", About: bilingual.Text{EN: "Both air quality indices of each cell over a window."}, Key: []string{"cell", "window_start", "window_seconds"}, Columns: append(append([]Field{
	{Name: "cell", Type: Word, About: bilingual.Text{EN: "code of the cell in the European statistical grid (EPSG:3035)"}},
}, window...),
	Field{Name: "eaqi", Type: Integer, About: bilingual.Text{EN: "class of the European index, 1 good to 6 extremely poor; empty where it makes no statement"}, Empty: true},
	Field{Name: "eaqi_pollutant", Type: Word, About: bilingual.Text{EN: "the pollutant that decides the European index; empty where it makes no statement"}, Empty: true},
	Field{Name: "eaqi_en", Type: Word, About: bilingual.Text{EN: "name of its class in English"}},
	Field{Name: "eaqi_de", Type: Word, About: bilingual.Text{EN: "name of its class in German"}},
	Field{Name: "eaqi_colour", Type: Word, About: bilingual.Text{EN: "the index's own colour of the class; empty where it makes no statement"}, Empty: true},
	Field{Name: "lqi", Type: Integer, About: bilingual.Text{EN: "class of the German index, 1 very good to 5 very poor; empty where it makes no statement"}, Empty: true},
	Field{Name: "lqi_pollutant", Type: Word, About: bilingual.Text{EN: "the pollutant that decides the German index; empty where it makes no statement"}, Empty: true},
	Field{Name: "lqi_en", Type: Word, About: bilingual.Text{EN: "name of its class in English"}},
	Field{Name: "lqi_de", Type: Word, About: bilingual.Text{EN: "name of its class in German"}},
	Field{Name: "measured", Type: Integer, About: bilingual.Text{EN: "how many of the five pollutants (PM2.5, PM10, NO2, O3, SO2) are known"}},
	Field{Name: "stations", Type: Integer, About: bilingual.Text{EN: "how many stations count for the pollutant that decides the European index"}},
	Field{Name: "spread", Type: Thousandths, About: bilingual.Text{EN: "sample standard deviation between their means"}},
	Field{Name: "certainty", Type: Word, About: bilingual.Text{EN: "of their mean, as in the grid"}, Among: []string{"single station", "few", "good"}},
	Field{Name: "lon", Type: Thousandths, About: bilingual.Text{EN: "longitude of the cell's centre"}},
	Field{Name: "lat", Type: Thousandths, About: bilingual.Text{EN: "latitude of the cell's centre"}},
)}

var coverageTable = Table{Name: "coverage", About: bilingual.Text{EN: "The city's cells: covered or not, and ranked where a station would help."}, Key: []string{"cell"}, Columns: []Field{
	{Name: "cell", Type: Word, About: bilingual.Text{EN: "code of the cell in the European statistical grid (EPSG:3035)"}},
	{Name: "lon", Type: Thousandths, About: bilingual.Text{EN: "longitude of the cell's centre"}},
	{Name: "lat", Type: Thousandths, About: bilingual.Text{EN: "latitude of the cell's centre"}},
	{Name: "covered", Type: Boolean, About: bilingual.Text{EN: "whether a station counts in the cell"}},
	{Name: "stations", Type: Integer, About: bilingual.Text{EN: "how many stations count"}},
	{Name: "people", Type: Integer, About: bilingual.Text{EN: "inhabitants by the city's census table; empty where they are not known"}, Empty: true},
	{Name: "rank", Type: Integer, About: bilingual.Text{EN: "1 is where a station helps most; empty for cells that are not proposed"}, Empty: true},
	{Name: "distance_m", Type: Integer, About: bilingual.Text{EN: "metres from the middle of the cell to the 100 m cell of the nearest station; empty where there is none, and for cells that are not proposed"}, Empty: true},
	{Name: "reason_en", Type: Word, About: bilingual.Text{EN: "why, in English, such as 1,840 people, 2.3 km from the nearest station; empty for cells that are not proposed"}, Empty: true},
	{Name: "reason_de", Type: Word, About: bilingual.Text{EN: "why, in German"}, Empty: true},
}}

var historyTable = Table{Name: "history", About: bilingual.Text{EN: "The city's coverage over time: means over the days that are over."}, Key: []string{"start"}, Columns: []Field{
	{Name: "start", Type: DateTime, About: bilingual.Text{EN: "start of the first day"}},
	{Name: "days", Type: Integer, About: bilingual.Text{EN: "days that are over, over which the mean is taken"}},
	{Name: "cells", Type: Integer, About: bilingual.Text{EN: "how many cells the city has"}},
	{Name: "covered", Type: Thousandths, About: bilingual.Text{EN: "how many of them are covered, the mean over the days"}},
	{Name: "share", Type: Thousandths, About: bilingual.Text{EN: "of the cells those that are covered, 0 to 1"}},
	{Name: "people", Type: Integer, About: bilingual.Text{EN: "inhabitants by the city's census table; empty where they are not known"}, Empty: true},
	{Name: "people_reached", Type: Thousandths, About: bilingual.Text{EN: "inhabitants of the covered cells, the mean over the days; empty where they are not known"}, Empty: true},
	{Name: "people_share", Type: Thousandths, About: bilingual.Text{EN: "of the inhabitants those of covered cells, 0 to 1; empty where they are not known"}, Empty: true},
}}

// limits are the least and the most that may stand in columns of a name.
var limits = func() map[string][2]*float64 {
	share, count := [2]*float64{new(0.0), new(1.0)}, [2]*float64{new(0.0)}
	return map[string][2]*float64{
		"lon": {new(-180.0), new(180.0)}, "lat": {new(-90.0), new(90.0)}, "eaqi": {new(1.0), new(6.0)}, "lqi": {new(1.0), new(5.0)},
		"coverage": share, "share": share, "people_share": share,
		"stations": count, "readings": count, "revision": count, "uncorrected": count, "spread": count, "cells": count, "all_cells": count, "people": count,
	}
}()

// With is the table with further columns at its end.
func (t Table) With(columns ...Field) Table {
	t.Columns = slices.Concat(t.Columns, columns)
	return t
}

// Without is the table without some columns.
func (t Table) Without(names ...string) Table {
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c Field) bool { return slices.Contains(names, c.Name) })
	return t
}

// TableSchema is a Table Schema (Frictionless), with what every document says of itself.
type TableSchema struct {
	Name          string        `json:"name"`
	Description   string        `json:"description"`
	Fields        []SchemaField `json:"fields"`
	MissingValues []string      `json:"missingValues"`
	PrimaryKey    []string      `json:"primaryKey,omitempty"`
	Envelope
}

// SchemaField is a column of it.
type SchemaField struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Description string            `json:"description"`
	Constraints SchemaConstraints `json:"constraints"`
}

// SchemaConstraints are what may stand in a column.
type SchemaConstraints struct {
	Required bool     `json:"required"`
	Enum     []string `json:"enum,omitempty"`
	Minimum  *float64 `json:"minimum,omitempty"`
	Maximum  *float64 `json:"maximum,omitempty"`
}

// Schema is the table's Table Schema.
func (t Table) Schema(m Meta) TableSchema {
	schema := TableSchema{Name: t.Name, Description: t.About.EN, MissingValues: []string{""}, PrimaryKey: t.Key, Envelope: m.Envelope()}
	for _, c := range t.Columns {
		limit := limits[c.Name]
		schema.Fields = append(schema.Fields, SchemaField{c.Name, c.Type.String(), plain(c.About.EN), SchemaConstraints{!c.Empty, c.Among, limit[0], limit[1]}})
	}
	return schema
}

// plain takes the marks of Markdown out.
func plain(s string) string {
	return strings.NewReplacer("`", "", "[specification](../firmware-protocol/README.md)", "specification of the protocol").Replace(s)
}

// QualityRule says which values are good.
func QualityRule() string {
	var out, in []string
	for _, f := range ingest.AllFlags() {
		if f.Good() {
			in = append(in, f.String())
		} else {
			out = append(out, f.String())
		}
	}
	return "Values with one of the flags " + strings.Join(out, ", ") + " are kept out of averages; with " + strings.Join(in, ", ") + " they stay in. Nothing is deleted."
}
