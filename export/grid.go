package export

import (
	"io"
	"slices"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
)

// GridColumns are the grid: a row a cell, window and quantity.
var GridColumns = Columns[aggregate.Row]{
	cellColumn("cell", bilingual.Of("code of the cell in the European statistical grid (EPSG:3035), such as CRS3035RES1000mN3096000E4107000",
		"Code der Zelle im europäischen statistischen Raster (EPSG:3035), etwa CRS3035RES1000mN3096000E4107000"), func(r *aggregate.Row) geo.Cell { return r.Cell }),
	timeColumn("window_start", startOfWindow, func(r *aggregate.Row) time.Time { return r.Start }),
	integerColumn("window_seconds", "s", lengthOfWindow, func(r *aggregate.Row) int64 { return int64(r.Window.Seconds()) }),
	wordColumn("quantity", whatWasMeasured, func(r *aggregate.Row) string { return r.Quantity.String() }).among(quantityNames...),
	wordColumn("unit", bilingual.Of("unit of mean, median, min and max", "Einheit von mean, median, min und max"), func(r *aggregate.Row) string { return r.Quantity.Unit() }),
	thousandthsColumn("mean", InUnit, bilingual.Of("mean of the stations' means, particles corrected for humidity", "Mittel der Mittel der Stationen, Feinstaub um die Feuchte korrigiert"), func(r *aggregate.Row) int64 { return r.Mean }),
	thousandthsColumn("median", InUnit, bilingual.Of("median of the stations' means", "Median der Mittel der Stationen"), func(r *aggregate.Row) int64 { return r.Median }),
	thousandthsColumn("min", InUnit, bilingual.Of("smallest of the stations' means", "kleinstes der Mittel der Stationen"), func(r *aggregate.Row) int64 { return r.Min }),
	thousandthsColumn("max", InUnit, bilingual.Of("largest of the stations' means", "größtes der Mittel der Stationen"), func(r *aggregate.Row) int64 { return r.Max }),
	countColumn("stations", howManyStations, func(r *aggregate.Row) int64 { return int64(r.Stations) }),
	countColumn("readings", howManyOfTheirValues, func(r *aggregate.Row) int64 { return int64(r.Readings) }),
	shareColumn("coverage", bilingual.Of("mean over the stations of the share of the time that their values cover, 0 to 1; of a day the share of its hours that count",
		"Mittel über die Stationen: Anteil der Zeit, den ihre Werte abdecken, 0 bis 1; am Tag der Anteil der Stunden, die zählen"), func(r *aggregate.Row) int64 { return r.Coverage }),
	classColumn("eaqi", 6, bilingual.Of("class of the mean of this quantity alone in the European Air Quality Index (ETC HE Report 2024/17), 1 good to 6 extremely poor; empty where it has none, as for days",
		"Klasse des Mittels dieser Größe allein im europäischen Luftqualitätsindex (ETC HE Report 2024/17), 1 gut bis 6 äußerst schlecht; leer, wo er keine hat, so für Tage"), func(r *aggregate.Row) int64 { return orNoClass(class(airindex.European, r.Window, r.Quantity, r.Mean)) }),
	centreLongitude(func(r *aggregate.Row) geo.Cell { return r.Cell }),
	centreLatitude(func(r *aggregate.Row) geo.Cell { return r.Cell }),
	countColumn("revision", bilingual.Of("how many of the values came after the hour was first published, which is 5 minutes after its end; 0 = never corrected",
		"wie viele der Werte kamen, nachdem die Stunde 5 Minuten nach ihrem Ende zuerst veröffentlicht war; 0 = nie berichtigt"), func(r *aggregate.Row) int64 { return int64(r.Revision) }),
	thousandthsColumn("raw_mean", InUnit, bilingual.Of("mean of the stations' means as they measured", "Mittel der Mittel der Stationen, wie sie gemessen haben"), func(r *aggregate.Row) int64 { return r.Raw }),
	countColumn("uncorrected", bilingual.Of("how many of the stations had no humidity to correct with and count as they measured",
		"wie viele der Stationen keine Feuchte zum Korrigieren hatten und zählen, wie sie gemessen haben"), func(r *aggregate.Row) int64 { return int64(r.Uncorrected) }),
	thousandthsColumn("spread", InUnit, bilingual.Of("sample standard deviation between the stations' means; 0 for one station", "Standardabweichung zwischen den Mitteln der Stationen; 0 bei einer Station"), func(r *aggregate.Row) int64 { return r.Spread }).from(0),
	wordColumn("certainty", bilingual.Of("`single station`, `few` (two or three, or more that disagree), `good` (four or more whose mean is known to 50 % or 3 of the unit)",
		"`single station`: eine Station, `few`: zwei oder drei, oder mehr, die einander widersprechen, `good`: vier oder mehr, deren Mittel auf 50 % oder 3 Einheiten bekannt ist"),
		func(r *aggregate.Row) string { return Certainty(*r).String() }).among(certainties...),
	classColumn("lqi", 5, bilingual.Of("class of the mean of this quantity alone in the German Luftqualitätsindex (UBA 2025), 1 very good to 5 very poor; empty where it has none, as for days",
		"Klasse des Mittels dieser Größe allein im deutschen Luftqualitätsindex (UBA 2025), 1 sehr gut bis 5 sehr schlecht; leer, wo er keine hat, so für Tage"), func(r *aggregate.Row) int64 { return orNoClass(class(airindex.German, r.Window, r.Quantity, r.Mean)) }),
}

// GridTable are averages of cells.
var GridTable = Table{Name: "grid", About: bilingual.Of("Averages of the cells of the European statistical grid.", "Mittel der Zellen des europäischen statistischen Rasters."),
	Key: []string{"cell", "window_start", "window_seconds", "quantity"}, Columns: GridColumns.Fields()}

// placelessGrid are the columns but those of the cell's centre.
var placelessGrid = GridColumns.Without("lon", "lat")

// Grid encodes grid rows as they come.
type Grid = Encoder[aggregate.Row]

// NewGrid makes an encoder that writes to w.
func NewGrid(w io.Writer, format Format, meta Meta) Grid {
	return newRows(w, format, meta, GridColumns, func(b []byte, r *aggregate.Row) []byte { return appendCellOutline(b, r.Cell) })
}

// class returns the class of a single quantity's mean over a window in an index, from 1; 0 where the index has none for it.
func class(x airindex.Index, window aggregate.Window, q quantity.Quantity, milli int64) int {
	if !hourly(window) {
		return 0
	}
	c, _ := x.Class(q, float64(milli)/1000)
	return int(c)
}

// Certainty is how far a row's mean can be trusted, by its stations and the spread between them.
func Certainty(r aggregate.Row) airindex.Certainty {
	mean := float64(r.Mean) / 1000
	if !slices.Contains(airindex.Pollutants(), r.Quantity) {
		mean = 0 // the zero of a temperature is arbitrary
	}
	return airindex.CertaintyOf(r.Stations, float64(r.Spread)/1000, mean)
}

// AppendRow appends a row as a JSON object: the columns of the CSV but lon and lat.
func AppendRow(b []byte, r aggregate.Row) []byte { return placelessGrid.AppendObject(b, &r) }
