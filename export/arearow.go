package export

import (
	"io"
	"strconv"
	"time"

	"stadtluft/geo/aggregate"
)

// AreaColumns are the columns of averages of districts and of the city as CSV, one row an area, window and quantity.
const AreaColumns = "area,window_start,window_seconds,quantity,unit,mean,min,max,cells,all_cells,share,stations,readings,eaqi,lqi,people_share,spread,certainty"

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
	if format == JSON {
		return &areasJSON{newList(w, format, meta)}
	}
	return &areasCSV{document{w: w}, format.comma()}
}

type areasCSV struct {
	document
	comma byte
}

func (e *areasCSV) Begin() error {
	e.buf = appendHeader(e.buf, AreaColumns, e.comma)
	return nil
}

func (e *areasCSV) Add(r AreaRow) error {
	b := appendCell(e.buf, r.Area)
	b = append(b, e.comma)
	b = appendTime(b, r.Start)
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(r.Window.Seconds()), 10)
	b = append(b, e.comma)
	b = append(b, r.Quantity...)
	b = append(b, e.comma)
	b = append(b, r.Unit...)
	for _, m := range [...]Milli{r.Mean, r.Min, r.Max} {
		b = append(b, e.comma)
		b = appendMilli(b, int64(m))
	}
	for _, n := range [...]int{r.Cells, r.AllCells} {
		b = append(b, e.comma)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	b = append(b, e.comma)
	b = appendMilli(b, int64(r.Share))
	for _, n := range [...]int{r.Stations, r.Readings} {
		b = append(b, e.comma)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	for _, class := range [...]int{r.EAQI, r.LQI} {
		b = append(b, e.comma)
		if class != 0 {
			b = strconv.AppendInt(b, int64(class), 10)
		}
	}
	b = append(b, e.comma)
	if r.PeopleShare != nil {
		b = appendMilli(b, int64(*r.PeopleShare))
	}
	b = append(b, e.comma)
	b = appendMilli(b, int64(r.Spread))
	b = append(b, e.comma)
	b = appendCell(b, r.Certainty)
	e.buf = append(b, '\n')
	return e.flush(false)
}

func (e *areasCSV) End() error { return e.flush(true) }

type areasJSON struct{ list }

func (e *areasJSON) Add(r AreaRow) error {
	b := append(e.next(e.buf), `{"area":`...)
	b = appendString(b, r.Area)
	b = append(b, `,"window_start":"`...)
	b = appendTime(b, r.Start)
	b = append(b, `","window_seconds":`...)
	b = strconv.AppendInt(b, int64(r.Window.Seconds()), 10)
	b = append(b, `,"quantity":`...)
	b = appendString(b, r.Quantity)
	b = append(b, `,"unit":`...)
	b = appendString(b, r.Unit)
	for _, m := range [...]struct {
		name  string
		value Milli
	}{{"mean", r.Mean}, {"min", r.Min}, {"max", r.Max}} {
		b = append(append(append(b, `,"`...), m.name...), `":`...)
		b = appendMilli(b, int64(m.value))
	}
	b = append(b, `,"cells":`...)
	b = strconv.AppendInt(b, int64(r.Cells), 10)
	b = append(b, `,"all_cells":`...)
	b = strconv.AppendInt(b, int64(r.AllCells), 10)
	b = append(b, `,"share":`...)
	b = appendMilli(b, int64(r.Share))
	b = append(b, `,"stations":`...)
	b = strconv.AppendInt(b, int64(r.Stations), 10)
	b = append(b, `,"readings":`...)
	b = strconv.AppendInt(b, int64(r.Readings), 10)
	b = append(b, `,"eaqi":`...)
	b = appendClassNumber(b, r.EAQI)
	b = append(b, `,"lqi":`...)
	b = appendClassNumber(b, r.LQI)
	b = append(b, `,"people_share":`...)
	if r.PeopleShare == nil {
		b = append(b, "null"...)
	} else {
		b = appendMilli(b, int64(*r.PeopleShare))
	}
	b = append(b, `,"spread":`...)
	b = appendMilli(b, int64(r.Spread))
	b = append(b, `,"certainty":`...)
	b = appendString(b, r.Certainty)
	e.buf = append(b, '}')
	return e.flush(false)
}

// appendClassNumber appends a class, or null where it is none.
func appendClassNumber(b []byte, class int) []byte {
	if class == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(class), 10)
}
