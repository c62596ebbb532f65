package export

import (
	"io"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo/aggregate"
)

// AreaColumns are averages of districts and of the city: a row an area, window and quantity.
var AreaColumns = Columns[AreaRow]{
	textColumn("area", bilingual.Of("name of the district, or of the city", "Name des Stadtteils oder der Stadt"), func(r *AreaRow) string { return r.Area }),
	timeColumn("window_start", startOfWindow, func(r *AreaRow) time.Time { return r.Start }),
	integerColumn("window_seconds", "s", lengthOfWindow, func(r *AreaRow) int64 { return int64(r.Window.Seconds()) }),
	wordColumn("quantity", whatWasMeasured, func(r *AreaRow) string { return r.Quantity }).among(quantityNames...),
	wordColumn("unit", bilingual.Of("unit of mean, min and max", "Einheit von mean, min und max"), func(r *AreaRow) string { return r.Unit }),
	thousandthsColumn("mean", InUnit, bilingual.Of("mean of the cells' means", "Mittel der Mittel der Zellen"), func(r *AreaRow) int64 { return int64(r.Mean) }),
	thousandthsColumn("min", InUnit, bilingual.Of("smallest of the cells' means", "kleinstes der Mittel der Zellen"), func(r *AreaRow) int64 { return int64(r.Min) }),
	thousandthsColumn("max", InUnit, bilingual.Of("largest of the cells' means", "größtes der Mittel der Zellen"), func(r *AreaRow) int64 { return int64(r.Max) }),
	countColumn("cells", bilingual.Of("how many cells have a value", "wie viele Zellen einen Wert haben"), func(r *AreaRow) int64 { return int64(r.Cells) }),
	countColumn("all_cells", bilingual.Of("how many cells there are: those whose centre lies in the district", "wie viele Zellen es gibt: die, deren Mitte im Stadtteil liegt"), func(r *AreaRow) int64 { return int64(r.AllCells) }),
	shareColumn("share", bilingual.Of("of the cells those that have a value, 0 to 1", "Anteil der Zellen, die einen Wert haben, 0 bis 1"), func(r *AreaRow) int64 { return int64(r.Share) }),
	countColumn("stations", howManyStations, func(r *AreaRow) int64 { return int64(r.Stations) }),
	countColumn("readings", howManyOfTheirValues, func(r *AreaRow) int64 { return int64(r.Readings) }),
	classColumn("eaqi", 6, bilingual.Of("class of the mean of this quantity alone in the European index; empty where it has none, as for days, and of the city with fewer than three stations in three cells", "Klasse des Mittels dieser Größe allein im europäischen Index; leer, wo er keine hat, so für Tage, und für die Stadt bei weniger als drei Stationen in drei Zellen"), func(r *AreaRow) int64 { return orNoClass(r.EAQI) }),
	classColumn("lqi", 5, bilingual.Of("the same in the German index", "dasselbe im deutschen Index"), func(r *AreaRow) int64 { return orNoClass(r.LQI) }),
	shareColumn("people_share", bilingual.Of("of the area's inhabitants those of the cells that have a value, 0 to 1; empty without a census table",
		"Anteil der Menschen, die in Zellen mit einem Wert wohnen, 0 bis 1; leer ohne Einwohnertabelle"), func(r *AreaRow) int64 { return orNone(r.PeopleShare) }).optional(),
	thousandthsColumn("spread", InUnit, bilingual.Of("sample standard deviation between the cells' means; of an area with one cell that of its stations",
		"Standardabweichung zwischen den Mitteln der Zellen; bei einer einzigen Zelle die ihrer Stationen"), func(r *AreaRow) int64 { return int64(r.Spread) }).from(0),
	wordColumn("certainty", bilingual.Of("as in the grid, with cells for stations; `good` only where at least a quarter of the cells have a value", "wie im Raster, mit Zellen statt Stationen; `good` nur, wo mindestens ein Viertel der Zellen einen Wert hat"), func(r *AreaRow) string { return r.Certainty }).among(certainties...),
}

// AreaValueColumns are those of AreaColumns that tell an area's average, and not of what it is.
var AreaValueColumns = AreaColumns.Without("area", "window_start", "window_seconds")

var districtsTable = Table{Name: "districts", About: bilingual.Of("Averages of parts of the city: means over their cells that have a value.", "Mittel von Teilen der Stadt: über ihre Zellen, die einen Wert haben."),
	Key: []string{"area", "window_start", "window_seconds", "quantity"}, Columns: AreaColumns.Fields()}

// AreaRow is an area's average of one quantity over one window.
type AreaRow struct {
	Area   string // its name
	Start  time.Time
	Window aggregate.Window
	AreaValue
}

// RowsOf are the rows of areas over the window that starts at start, by the areas' order, then quantity.
func RowsOf(start time.Time, window aggregate.Window, areas []Area) []AreaRow {
	var rows []AreaRow
	for _, a := range areas {
		for _, v := range a.Values() {
			rows = append(rows, AreaRow{a.Name, start, window, v})
		}
	}
	return rows
}

// NewAreas makes an encoder that writes to w, as CSV or JSON. GeoJSON has an area's quantities together, so it is not
// made of rows.
func NewAreas(w io.Writer, format Format, meta Meta) Encoder[AreaRow] {
	return newRows(w, format, meta, AreaColumns, nil)
}

// MarshalJSON writes the average as an object. An index that says nothing is left out.
func (v AreaValue) MarshalJSON() ([]byte, error) {
	columns := AreaValueColumns
	if v.EAQI == 0 {
		columns = columns.Without("eaqi")
	}
	if v.LQI == 0 {
		columns = columns.Without("lqi")
	}
	return columns.AppendObject(nil, &AreaRow{AreaValue: v}), nil
}
