package export

import (
	"io"
	"slices"
	"strconv"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
)

// IndexColumns are the columns of the indices of cells as CSV, one row a cell and window.
const IndexColumns = "cell,window_start,window_seconds,eaqi,eaqi_pollutant,eaqi_en,eaqi_de,eaqi_colour,lqi,lqi_pollutant,lqi_en,lqi_de,measured,stations,spread,certainty,lon,lat"

// IndexClass is what an index says, in words. Class 0 is no statement.
type IndexClass struct {
	Class     int    `json:"class"`
	Pollutant string `json:"pollutant,omitempty"` // the one that decides
	English   string `json:"en"`
	German    string `json:"de"`
	Colour    string `json:"colour,omitempty"`
	Measured  int    `json:"measured"` // how many of the five pollutants are known
}

// Indices are what both indices say of hourly means by quantity, in thousandths: the worst pollutant of each decides.
func Indices(means map[string]int64) map[string]IndexClass {
	units := make(map[string]float64, len(means))
	for quantity, milli := range means {
		units[quantity] = float64(milli) / 1000
	}
	indices := map[string]IndexClass{}
	for _, index := range []airindex.Index{airindex.European, airindex.German} {
		v := index.Of(units)
		label := v.Label()
		indices[index.String()] = IndexClass{int(v.Class), v.Pollutant, label.English, label.German, label.Colour, v.Measured}
	}
	return indices
}

// CellIndex is what both indices say of a cell over one window.
type CellIndex struct {
	Row      aggregate.Row // of the pollutant that decides the European one, else of the first that is known
	European IndexClass
	German   IndexClass
}

// CellIndices are the indices of each cell of which a pollutant is known, by cell. Rows are of one window.
func CellIndices(rows []aggregate.Row) []CellIndex {
	byCell := map[geo.Cell]map[string]aggregate.Row{}
	for _, r := range rows {
		quantity := wire.Quantity(r.Quantity).String()
		if !slices.Contains(airindex.Pollutants(), quantity) {
			continue
		}
		if byCell[r.Cell] == nil {
			byCell[r.Cell] = map[string]aggregate.Row{}
		}
		byCell[r.Cell][quantity] = r
	}
	list := make([]CellIndex, 0, len(byCell))
	for _, known := range byCell {
		list = append(list, cellIndex(known))
	}
	slices.SortFunc(list, func(a, b CellIndex) int { return a.Row.Cell.Compare(b.Row.Cell) })
	return list
}

func cellIndex(known map[string]aggregate.Row) CellIndex {
	means := map[string]int64{}
	for quantity, r := range known {
		means[quantity] = r.Mean
	}
	indices := Indices(means)
	c := CellIndex{European: indices[airindex.European.String()], German: indices[airindex.German.String()]}
	for _, pollutant := range append([]string{c.European.Pollutant}, airindex.Pollutants()...) {
		if r, ok := known[pollutant]; ok {
			c.Row = r
			break
		}
	}
	return c
}

// WriteIndices writes the indices of cells.
func WriteIndices(w io.Writer, format Format, cells []CellIndex, meta Meta) error {
	d := document{w: w}
	if format == CSV {
		d.buf = append(append(d.buf, IndexColumns...), '\n')
	} else {
		d.buf = append(d.buf, `{"type":"FeatureCollection",`...)
		d.buf = AppendMembers(d.buf, meta)
		d.buf = append(d.buf, `,"features":[`...)
	}
	for i, c := range cells {
		if format == CSV {
			d.buf = c.appendLine(d.buf)
		} else {
			d.buf = c.appendFeature(d.buf, i > 0)
		}
		if err := d.flush(false); err != nil {
			return err
		}
	}
	if format != CSV {
		d.buf = append(d.buf, "\n]}\n"...)
	}
	return d.flush(true)
}

func (c *CellIndex) appendLine(b []byte) []byte {
	e, l, center := c.European, c.German, c.Row.Cell.Center()
	b = c.Row.Cell.Append(b)
	b = append(b, ',')
	b = appendTime(b, c.Row.Start)
	for _, text := range [...]string{
		strconv.Itoa(c.Row.Window.Seconds()), classText(e.Class), e.Pollutant, e.English, e.German, e.Colour, classText(l.Class), l.Pollutant, l.English, l.German,
		strconv.Itoa(e.Measured), strconv.Itoa(c.Row.Stations), Milli(c.Row.Spread).String(), Certainty(c.Row).String(),
	} {
		b = append(append(b, ','), text...)
	}
	b = append(b, ',')
	b = appendDegrees(b, center.Lon())
	b = append(b, ',')
	b = appendDegrees(b, center.Lat())
	return append(b, '\n')
}

func (c *CellIndex) appendFeature(b []byte, more bool) []byte {
	b = appendCellFeature(b, c.Row.Cell, more)
	b = append(b, `,"window_start":"`...)
	b = appendTime(b, c.Row.Start)
	b = append(b, '"')
	b = appendInt(b, "window_seconds", c.Row.Window.Seconds())
	b = appendIndex(b, "eaqi", c.European)
	b = appendIndex(b, "lqi", c.German)
	b = appendInt(b, "stations", c.Row.Stations)
	b = appendCertainty(b, Milli(c.Row.Spread), Certainty(c.Row).String())
	return append(b, "}}"...)
}

// appendIndex appends what an index says as a member.
func appendIndex(b []byte, name string, c IndexClass) []byte {
	b = append(appendName(b, name), `{"class":`...)
	b = strconv.AppendInt(b, int64(c.Class), 10)
	for _, m := range [...]struct{ name, text string }{{"pollutant", c.Pollutant}, {"en", c.English}, {"de", c.German}, {"colour", c.Colour}} {
		if m.text != "" {
			b = appendString(appendName(b, m.name), m.text)
		}
	}
	return append(appendInt(b, "measured", c.Measured), '}')
}

// appendCellFeature begins a feature of a cell: its id, its outline, and its code as first property.
func appendCellFeature(b []byte, cell geo.Cell, more bool) []byte {
	if more {
		b = append(b, ',')
	}
	b = append(b, "\n"+`{"type":"Feature","id":"`...)
	b = cell.Append(b)
	b = append(b, `","geometry":{"type":"Polygon","coordinates":[`...)
	b = appendRing(b, cell.Polygon()[0])
	b = append(b, `]},"properties":{"cell":"`...)
	b = cell.Append(b)
	return append(b, '"')
}
