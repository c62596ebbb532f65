package export

import (
	"io"

	"github.com/paulmach/orb"

	"stadtluft/ingest"
)

// ReadingColumns are the columns of readings as CSV, one row a value.
const ReadingColumns = "time,station,lon,lat,quantity,value,unit,flags"

// Readings encodes readings as they come.
type Readings = Encoder[ingest.Reading]

// NewReadings makes an encoder that writes to w. Places of stations come from stations; a station that
// is not there has none.
func NewReadings(w io.Writer, format Format, stations ingest.Stations, meta Meta) Readings {
	if format == GeoJSON || format == JSON {
		return &readingsJSON{list: newList(w, format, meta), stations: stations}
	}
	return &readingsCSV{document: document{w: w}, stations: stations, comma: format.comma(), lastSeen: map[string]placedStation{}}
}

// placeOf is where a reading's station publicly stood.
func placeOf(stations ingest.Stations, r *ingest.Reading) (p ingest.Place, ok bool) {
	station, ok := stations.Station(r.Station)
	if !ok {
		return ingest.Place{}, false
	}
	return station.PlaceAt(r.Time), true
}

type readingsCSV struct {
	document
	stations ingest.Stations
	comma    byte
	head     []byte                   // what the lines of a reading begin with: time, station, lon, lat
	lastSeen map[string]placedStation // where each station was seen last
}

// placedStation is a station in a place, and how lines say it: station, lon, lat.
type placedStation struct {
	public orb.Point
	placed bool
	cells  []byte
}

func (e *readingsCSV) Begin() error {
	e.buf = appendHeader(e.buf, ReadingColumns, e.comma)
	return nil
}

func (e *readingsCSV) Add(r ingest.Reading) error {
	e.head = append(appendTime(e.head[:0], r.Time), e.comma)
	e.head = append(e.head, e.cells(&r)...)
	for _, v := range r.Values {
		b := append(e.buf, e.head...)
		b = append(b, v.Quantity.String()...)
		b = append(b, e.comma)
		b = appendValue(b, v.Value)
		b = append(b, e.comma)
		b = append(b, v.Quantity.Unit()...)
		b = append(b, e.comma)
		if v.Flags != 0 {
			b = append(b, v.Flags.String()...)
		}
		e.buf = append(b, '\n')
	}
	return e.flush(false)
}

// cells are the station and its place; they are written anew only when a station has moved.
func (e *readingsCSV) cells(r *ingest.Reading) []byte {
	place, placed := placeOf(e.stations, r)
	s := e.lastSeen[r.Station]
	if s.cells == nil || s.placed != placed || s.public != place.Public {
		s = placedStation{place.Public, placed, e.appendCells(nil, r.Station, place.Public, placed)}
		e.lastSeen[r.Station] = s
	}
	return s.cells
}

func (e *readingsCSV) appendCells(b []byte, station string, p orb.Point, placed bool) []byte {
	b = appendCell(b, station)
	b = append(b, e.comma)
	if placed {
		b = appendDegrees(b, p.Lon())
		b = append(b, e.comma)
		b = appendDegrees(b, p.Lat())
	} else {
		b = append(b, e.comma)
	}
	return append(b, e.comma)
}

func (e *readingsCSV) End() error { return e.flush(true) }

type readingsJSON struct {
	list
	stations ingest.Stations
}

func (e *readingsJSON) Add(r ingest.Reading) error {
	place, placed := placeOf(e.stations, &r)
	for _, v := range r.Values {
		b := e.next()
		if e.geojson {
			b = appendPoint(b, place.Public, placed)
			b = append(b, `,"properties":{`...)
		} else {
			b = append(b, '{')
		}
		b = append(b, `"time":"`...)
		b = appendTime(b, r.Time)
		b = append(b, `","station":`...)
		b = appendString(b, r.Station)
		if !e.geojson {
			b = appendLonLat(b, place.Public, placed)
		}
		b = append(b, `,"quantity":"`...)
		b = append(b, v.Quantity.String()...)
		b = append(b, `","value":`...)
		b = appendValue(b, v.Value)
		b = append(b, `,"unit":`...)
		b = appendString(b, v.Quantity.Unit())
		b = append(b, `,"flags":`...)
		b = appendString(b, v.Flags.String())
		if e.geojson {
			b = append(b, '}')
		}
		e.buf = append(b, '}')
	}
	return e.flush(false)
}
