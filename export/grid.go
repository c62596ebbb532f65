package export

import (
	"io"
	"strconv"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
)

// GridColumns are the columns of grid averages as CSV, one row a cell, window and quantity.
const GridColumns = "cell,window_start,window_seconds,quantity,unit,mean,median,min,max,stations,readings,coverage,eaqi,lon,lat,revision,raw_mean,uncorrected,spread,certainty,lqi"

// Grid encodes grid rows as they come.
type Grid = Encoder[aggregate.Row]

// NewGrid makes an encoder that writes to w.
func NewGrid(w io.Writer, format Format, meta Meta) Grid {
	if format == GeoJSON || format == JSON {
		return &gridJSON{newList(w, format, meta)}
	}
	return &gridCSV{document{w: w}, format.comma()}
}

// EAQI is a row's class of the European Air Quality Index, 1 to 6; false when the index has none for it.
func EAQI(q quantity.Quantity, milli int64) (airindex.Class, bool) {
	return airindex.EAQI(q, float64(milli)/1000)
}

// LQI is a row's class of the German Luftqualitätsindex, 1 to 5; false when the index has none for it.
func LQI(q quantity.Quantity, milli int64) (airindex.Class, bool) {
	return airindex.LQI(q, float64(milli)/1000)
}

// Certainty is how far a row's mean can be trusted, by its stations and the spread between them.
func Certainty(r aggregate.Row) airindex.Certainty {
	mean := float64(r.Mean) / 1000
	if _, concentration := EAQI(r.Quantity, r.Mean); !concentration {
		mean = 0 // the zero of a temperature is arbitrary
	}
	return airindex.CertaintyOf(r.Stations, float64(r.Spread)/1000, mean)
}

type gridCSV struct {
	document
	comma byte
}

func (e *gridCSV) Begin() error {
	e.buf = appendHeader(e.buf, GridColumns, e.comma)
	return nil
}

func (e *gridCSV) Add(r aggregate.Row) error {
	q := r.Quantity
	b := r.Cell.Append(e.buf)
	b = append(b, e.comma)
	b = appendTime(b, r.Start)
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(r.Window.Seconds()), 10)
	b = append(b, e.comma)
	b = append(b, q.String()...)
	b = append(b, e.comma)
	b = append(b, q.Unit()...)
	for _, milli := range [...]int64{r.Mean, r.Median, r.Min, r.Max} {
		b = append(b, e.comma)
		b = appendMilli(b, milli)
	}
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(r.Stations), 10)
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(r.Readings), 10)
	b = append(b, e.comma)
	b = appendMilli(b, r.Coverage)
	b = append(b, e.comma)
	if class, ok := EAQI(q, r.Mean); ok {
		b = strconv.AppendInt(b, int64(class), 10)
	}
	center := r.Cell.Center()
	b = append(b, e.comma)
	b = appendDegrees(b, center.Lon())
	b = append(b, e.comma)
	b = appendDegrees(b, center.Lat())
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(r.Revision), 10)
	b = append(b, e.comma)
	b = appendMilli(b, r.Raw)
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(r.Uncorrected), 10)
	b = append(b, e.comma)
	b = appendMilli(b, r.Spread)
	b = append(b, e.comma)
	b = append(b, Certainty(r).String()...)
	b = append(b, e.comma)
	if class, ok := LQI(q, r.Mean); ok {
		b = strconv.AppendInt(b, int64(class), 10)
	}
	e.buf = append(b, '\n')
	return e.flush(false)
}

func (e *gridCSV) End() error { return e.flush(true) }

type gridJSON struct{ list }

func (e *gridJSON) Add(r aggregate.Row) error {
	b := e.next()
	if !e.geojson {
		e.buf = appendRow(b, r, true)
		return e.flush(false)
	}
	b = append(appendCellOutline(b, r.Cell), `,"properties":`...)
	b = AppendRow(b, r)
	e.buf = append(b, '}')
	return e.flush(false)
}

// AppendRow appends a row as a JSON object: the columns of the CSV but lon and lat.
func AppendRow(b []byte, r aggregate.Row) []byte { return appendRow(b, r, false) }

// appendRow appends a row as a JSON object, with the place of the cell's centre or without it.
func appendRow(b []byte, r aggregate.Row, placed bool) []byte {
	q := r.Quantity
	b = append(b, `{"cell":"`...)
	b = r.Cell.Append(b)
	b = append(b, `","window_start":"`...)
	b = appendTime(b, r.Start)
	b = append(b, `","window_seconds":`...)
	b = strconv.AppendInt(b, int64(r.Window.Seconds()), 10)
	b = append(b, `,"quantity":"`...)
	b = append(b, q.String()...)
	b = append(b, `","unit":`...)
	b = appendString(b, q.Unit())
	for _, m := range [...]struct {
		name  string
		milli int64
	}{{"mean", r.Mean}, {"median", r.Median}, {"min", r.Min}, {"max", r.Max}} {
		b = append(b, `,"`...)
		b = append(b, m.name...)
		b = append(b, `":`...)
		b = appendMilli(b, m.milli)
	}
	b = append(b, `,"stations":`...)
	b = strconv.AppendInt(b, int64(r.Stations), 10)
	b = append(b, `,"readings":`...)
	b = strconv.AppendInt(b, int64(r.Readings), 10)
	b = append(b, `,"coverage":`...)
	b = appendMilli(b, r.Coverage)
	b = append(b, `,"eaqi":`...)
	class, ok := EAQI(q, r.Mean)
	b = appendClass(b, class, ok)
	if placed {
		b = appendLonLat(b, r.Cell.Center(), true)
	}
	b = append(b, `,"revision":`...)
	b = strconv.AppendInt(b, int64(r.Revision), 10)
	b = append(b, `,"raw_mean":`...)
	b = appendMilli(b, r.Raw)
	b = append(b, `,"uncorrected":`...)
	b = strconv.AppendInt(b, int64(r.Uncorrected), 10)
	b = append(b, `,"spread":`...)
	b = appendMilli(b, r.Spread)
	b = append(b, `,"certainty":`...)
	b = appendString(b, Certainty(r).String())
	b = append(b, `,"lqi":`...)
	class, ok = LQI(q, r.Mean)
	b = appendClass(b, class, ok)
	return append(b, '}')
}

// appendClass appends an index's class, or null where the index says nothing.
func appendClass(b []byte, class airindex.Class, ok bool) []byte {
	if !ok {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(class), 10)
}
