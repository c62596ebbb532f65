package export

import (
	"io"
	"stadtluft/geo/aggregate"
	"strconv"
)

// MeanColumns are the columns of means of stations as CSV, one row a station, window and quantity.
const MeanColumns = "window_start,window_seconds,station,lon,lat,quantity,unit,mean,raw_mean,corrected,readings,coverage"

// NewMeans makes an encoder of means of stations that writes to w.
func NewMeans(w io.Writer, format Format, meta Meta) Encoder[aggregate.StationWindow] {
	if format == GeoJSON || format == JSON {
		return &meansJSON{newList(w, format, meta)}
	}
	return &meansCSV{document{w: w}, format.comma()}
}

type meansCSV struct {
	document
	comma byte
}

func (e *meansCSV) Begin() error {
	e.buf = appendHeader(e.buf, MeanColumns, e.comma)
	return nil
}

func (e *meansCSV) Add(m aggregate.StationWindow) error {
	q := m.Quantity
	b := appendTime(e.buf, m.Start)
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(m.Window.Seconds()), 10)
	b = append(b, e.comma)
	b = appendCell(b, m.Station)
	b = append(b, e.comma)
	if m.Cell.IsZero() {
		b = append(b, e.comma)
	} else {
		center := m.Cell.Center()
		b = appendDegrees(b, center.Lon())
		b = append(b, e.comma)
		b = appendDegrees(b, center.Lat())
	}
	b = append(b, e.comma)
	b = append(b, q.String()...)
	b = append(b, e.comma)
	b = append(b, q.Unit()...)
	b = append(b, e.comma)
	b = appendMilli(b, m.Mean)
	b = append(b, e.comma)
	b = appendMilli(b, m.Raw)
	b = append(b, e.comma)
	b = strconv.AppendBool(b, m.Corrected)
	b = append(b, e.comma)
	b = strconv.AppendInt(b, int64(m.Readings), 10)
	b = append(b, e.comma)
	b = appendMilli(b, m.Coverage)
	e.buf = append(b, '\n')
	return e.flush(false)
}

func (e *meansCSV) End() error { return e.flush(true) }

type meansJSON struct{ list }

func (e *meansJSON) Add(m aggregate.StationWindow) error {
	q, placed := m.Quantity, !m.Cell.IsZero()
	center := m.Cell.Center()
	b := e.next(e.buf)
	if e.geojson {
		b = appendPoint(b, center, placed)
		b = append(b, `,"properties":{`...)
	} else {
		b = append(b, '{')
	}
	b = append(b, `"window_start":"`...)
	b = appendTime(b, m.Start)
	b = append(b, `","window_seconds":`...)
	b = strconv.AppendInt(b, int64(m.Window.Seconds()), 10)
	b = append(b, `,"station":`...)
	b = appendString(b, m.Station)
	if !e.geojson {
		b = appendLonLat(b, center, placed)
	}
	b = append(b, `,"quantity":"`...)
	b = append(b, q.String()...)
	b = append(b, `","unit":`...)
	b = appendString(b, q.Unit())
	b = append(b, `,"mean":`...)
	b = appendMilli(b, m.Mean)
	b = append(b, `,"raw_mean":`...)
	b = appendMilli(b, m.Raw)
	b = append(b, `,"corrected":`...)
	b = strconv.AppendBool(b, m.Corrected)
	b = append(b, `,"readings":`...)
	b = strconv.AppendInt(b, int64(m.Readings), 10)
	b = append(b, `,"coverage":`...)
	b = appendMilli(b, m.Coverage)
	if e.geojson {
		b = append(b, '}')
	}
	e.buf = append(b, '}')
	return e.flush(false)
}
