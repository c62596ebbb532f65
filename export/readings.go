package export

import (
	"io"

	"stadtluft/ingest"
)

// ReadingColumns are the columns of readings as CSV, one row a value.
const ReadingColumns = "time,station,lon,lat,quantity,value,unit,flags"

// Readings encodes readings as they come: Begin, Add for each, End. Not safe for concurrent use.
type Readings interface {
	Begin() error
	Add(r ingest.Reading) error
	End() error
}

// NewReadings makes an encoder that writes to w. Places of stations come from stations; a station that
// is not there has none.
func NewReadings(w io.Writer, format Format, stations ingest.Stations, meta Meta) Readings {
	e := readings{document: document{w: w}, stations: stations, meta: meta}
	if format == GeoJSON {
		return &readingsGeoJSON{readings: e}
	}
	return &readingsCSV{readings: e}
}

type readings struct {
	document
	stations ingest.Stations
	meta     Meta
}

// place is where the station publicly stood.
func (e *readings) place(r *ingest.Reading) (p ingest.Place, ok bool) {
	station, ok := e.stations.Station(r.Station)
	if !ok {
		return ingest.Place{}, false
	}
	return station.PlaceAt(r.Time), true
}

type readingsCSV struct{ readings }

func (e *readingsCSV) Begin() error {
	e.buf = append(append(e.buf, ReadingColumns...), '\n')
	return nil
}

func (e *readingsCSV) Add(r ingest.Reading) error {
	place, placed := e.place(&r)
	for _, v := range r.Values {
		b := appendTime(e.buf, r.Time)
		b = append(b, ',')
		b = appendCell(b, r.Station)
		b = append(b, ',')
		if placed {
			b = appendDegrees(b, place.Public.Lon())
			b = append(b, ',')
			b = appendDegrees(b, place.Public.Lat())
		} else {
			b = append(b, ',')
		}
		b = append(b, ',')
		b = append(b, v.Quantity.String()...)
		b = append(b, ',')
		b = appendValue(b, v.Value)
		b = append(b, ',')
		b = append(b, v.Quantity.Unit()...)
		b = append(b, ',')
		if v.Flags != 0 {
			b = append(b, v.Flags.String()...)
		}
		e.buf = append(b, '\n')
	}
	return e.flush(false)
}

func (e *readingsCSV) End() error { return e.flush(true) }

type readingsGeoJSON struct {
	readings
	more bool
}

func (e *readingsGeoJSON) Begin() error {
	e.buf = append(e.buf, `{"type":"FeatureCollection",`...)
	e.buf = AppendMembers(e.buf, e.meta)
	e.buf = append(e.buf, `,"features":[`...)
	return nil
}

func (e *readingsGeoJSON) Add(r ingest.Reading) error {
	place, placed := e.place(&r)
	for _, v := range r.Values {
		b := e.buf
		if e.more {
			b = append(b, ',')
		}
		e.more = true
		b = append(b, "\n"+`{"type":"Feature","geometry":`...)
		if placed {
			b = append(b, `{"type":"Point","coordinates":`...)
			b = appendPosition(b, place.Public)
			b = append(b, '}')
		} else {
			b = append(b, "null"...)
		}
		b = append(b, `,"properties":{"time":"`...)
		b = appendTime(b, r.Time)
		b = append(b, `","station":`...)
		b = appendString(b, r.Station)
		b = append(b, `,"quantity":"`...)
		b = append(b, v.Quantity.String()...)
		b = append(b, `","value":`...)
		b = appendValue(b, v.Value)
		b = append(b, `,"unit":`...)
		b = appendString(b, v.Quantity.Unit())
		b = append(b, `,"flags":`...)
		b = appendString(b, v.Flags.String())
		e.buf = append(b, "}}"...)
	}
	return e.flush(false)
}

func (e *readingsGeoJSON) End() error {
	e.buf = append(e.buf, "\n]}\n"...)
	return e.flush(true)
}
