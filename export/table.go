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
	return []Table{ReadingsTable, MeansTable, GridTable, districtsTable, indexTable, coverageTable, historyTable, InstallationsTable, CalibrationsTable, comparisonTable, PairsTable}
}

var (
	quantityNames = func() (names []string) {
		for _, q := range quantity.All() {
			names = append(names, q.String())
		}
		return names
	}()
	certainties = []string{"single station", "few", "good"}
)

// Descriptions that several tables have.
var (
	stationID            = bilingual.Of("the station's id", "Kennung der Station")
	publicLongitude      = bilingual.Of("longitude of the public place, degrees", "geografische Länge des öffentlichen Orts, Grad")
	publicLatitude       = bilingual.Of("latitude of the public place, degrees", "geografische Breite des öffentlichen Orts, Grad")
	codeOfCell           = bilingual.Of("code of the cell in the European statistical grid (EPSG:3035)", "Code der Zelle im europäischen statistischen Raster (EPSG:3035)")
	inhabitants          = bilingual.Of("inhabitants by the city's census table; empty where they are not known", "Menschen nach der Einwohnertabelle der Stadt; leer, wo sie nicht bekannt sind")
	startOfWindow        = bilingual.Of("start of the window", "Beginn des Fensters")
	lengthOfWindow       = bilingual.Of("length of the window", "Länge des Fensters")
	whatWasMeasured      = bilingual.Of("what was measured", "was gemessen wurde")
	howManyStations      = bilingual.Of("how many stations count", "wie viele Stationen zählen")
	howManyOfTheirValues = bilingual.Of("how many of their values", "wie viele ihrer Werte")
)

func centreLongitude[R any](get func(*R) geo.Cell) Column[R] {
	return longitudeColumn[R](bilingual.Of("longitude of the cell's centre", "geografische Länge der Mitte der Zelle")).ofCell(get)
}

func centreLatitude[R any](get func(*R) geo.Cell) Column[R] {
	return latitudeColumn[R](bilingual.Of("latitude of the cell's centre", "geografische Breite der Mitte der Zelle")).ofCell(get)
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

// Schema returns the table's Table Schema, described in a language, "en" or "de".
func (t Table) Schema(m Meta, language string) TableSchema {
	schema := TableSchema{Name: t.Name, Description: t.About.In(language), MissingValues: []string{""}, PrimaryKey: t.Key, Envelope: m.Envelope()}
	for _, c := range t.Columns {
		schema.Fields = append(schema.Fields, SchemaField{c.Name, c.Type.String(), c.Description(language), SchemaConstraints{!c.Empty, c.Among, c.Min, c.Max}})
	}
	return schema
}

// Description returns what the column is in a language, without marks of Markdown.
func (f Field) Description(language string) string {
	return withoutMarks.Replace(f.About.In(language))
}

var withoutMarks = strings.NewReplacer("`", "",
	"[specification](../firmware-protocol/README.md)", "specification of the protocol", "[Spezifikation](../firmware-protocol/README.md)", "Spezifikation des Protokolls")

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
