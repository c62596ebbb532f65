package export

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
)

// IndexClass is what an index says, in words. Class 0 is no statement, for a reason.
type IndexClass struct {
	NameEnglish string          `json:"name_en"` // of the index, with what it is made of where that is not all
	NameGerman  string          `json:"name_de"`
	Class       int             `json:"class"`
	Pollutant   string          `json:"pollutant,omitempty"` // the one that decides
	English     string          `json:"en"`
	German      string          `json:"de"`
	Colour      string          `json:"colour,omitempty"`
	Measured    int             `json:"measured"`                                                         // how many of the five pollutants are known
	Pollutants  []string        `json:"pollutants"`                                                       // those
	Reason      airindex.Reason `json:"reason,omitempty" enum:"no_particles,not_hourly,too_few_stations"` // why there is no statement
}

// IndexClasses are what both indices say.
type IndexClasses struct {
	European IndexClass `json:"eaqi"`
	German   IndexClass `json:"lqi"`
}

// Indices returns what both indices say of means over a window by quantity, in thousandths: the worst pollutant of each
// decides. They say nothing of a window that is no hour long.
func Indices(window aggregate.Window, means map[quantity.Quantity]int64) IndexClasses {
	return bothIndices(func(x airindex.Index) airindex.Value { return indexOf(x, window, means) })
}

func bothIndices(of func(airindex.Index) airindex.Value) IndexClasses {
	return IndexClasses{classOf(of(airindex.European)), classOf(of(airindex.German))}
}

func indexOf(x airindex.Index, window aggregate.Window, means map[quantity.Quantity]int64) airindex.Value {
	units := make(map[quantity.Quantity]float64, len(means))
	for name, milli := range means {
		units[name] = float64(milli) / 1000
	}
	v := x.Of(units)
	if !hourly(window) && v.Reason == "" {
		v = v.Without(airindex.NotHourly)
	}
	return v
}

// hourly reports whether the indices have classes for means over a window.
func hourly(window aggregate.Window) bool {
	return time.Duration(window.Seconds())*time.Second == airindex.Averaging
}

func classOf(v airindex.Value) IndexClass {
	label, name := v.Label(), v.Name()
	c := IndexClass{
		NameEnglish: name.EN, NameGerman: name.DE, Class: int(v.Class), English: label.EN, German: label.DE, Colour: label.Colour,
		Measured: len(v.Measured), Pollutants: make([]string, len(v.Measured)), Reason: v.Reason,
	}
	for i, pollutant := range v.Measured {
		c.Pollutants[i] = pollutant.String()
	}
	if v.Class != airindex.None {
		c.Pollutant = v.Pollutant.String()
	}
	return c
}

// CellIndex is what both indices say of a cell over one window.
type CellIndex struct {
	Row      aggregate.Row // of the pollutant that decides the European one, else of the first that is known
	European IndexClass
	German   IndexClass
}

// CellIndices are the indices of each cell of which a pollutant is known, by cell. Rows are of one window.
func CellIndices(rows []aggregate.Row) []CellIndex {
	byCell := map[geo.Cell]map[quantity.Quantity]aggregate.Row{}
	for _, r := range rows {
		if !slices.Contains(airindex.Pollutants(), r.Quantity) {
			continue
		}
		if byCell[r.Cell] == nil {
			byCell[r.Cell] = map[quantity.Quantity]aggregate.Row{}
		}
		byCell[r.Cell][r.Quantity] = r
	}
	list := make([]CellIndex, 0, len(byCell))
	for _, known := range byCell {
		list = append(list, cellIndex(known))
	}
	slices.SortFunc(list, func(a, b CellIndex) int { return a.Row.Cell.Compare(b.Row.Cell) })
	return list
}

func cellIndex(known map[quantity.Quantity]aggregate.Row) CellIndex {
	means, window := map[quantity.Quantity]int64{}, aggregate.Live
	for name, r := range known {
		means[name], window = r.Mean, r.Window
	}
	indices := Indices(window, means)
	c := CellIndex{European: indices.European, German: indices.German}
	deciding, _ := quantity.Parse(c.European.Pollutant)
	for _, pollutant := range append([]quantity.Quantity{deciding}, airindex.Pollutants()...) {
		if r, ok := known[pollutant]; ok {
			c.Row = r
			break
		}
	}
	return c
}

// IndexColumns are both indices: a row a cell. Few of them in GeoJSON, whose indices are objects: see IndexProperties.
var IndexColumns = Columns[CellIndex]{
	cellColumn("cell", codeOfCell, func(c *CellIndex) geo.Cell { return c.Row.Cell }).unique(),
	timeColumn("window_start", startOfWindow, func(c *CellIndex) time.Time { return c.Row.Start }),
	integerColumn("window_seconds", "s", lengthOfWindow, func(c *CellIndex) int64 { return int64(c.Row.Window.Seconds()) }),
	classColumn("eaqi", 6, bilingual.Of("class of the European index, 1 good to 6 extremely poor; empty where it makes no statement", "Klasse des europäischen Index, 1 gut bis 6 äußerst schlecht; leer, wo er keine Aussage macht"),
		func(c *CellIndex) int64 { return orNoClass(c.European.Class) }),
	wordColumn("eaqi_pollutant", bilingual.Of("the pollutant that decides the European index; empty where it makes no statement", "der Schadstoff, der den europäischen Index bestimmt; leer, wo er keine Aussage macht"),
		func(c *CellIndex) string { return c.European.Pollutant }).optional(),
	wordColumn("eaqi_en", bilingual.Of("name of its class in English", "Name seiner Klasse auf Englisch"), func(c *CellIndex) string { return c.European.English }),
	wordColumn("eaqi_de", bilingual.Of("name of its class in German", "Name seiner Klasse auf Deutsch"), func(c *CellIndex) string { return c.European.German }),
	wordColumn("eaqi_colour", bilingual.Of("the index's own colour of the class; empty where it makes no statement", "die Farbe, die der Index der Klasse gibt; leer, wo er keine Aussage macht"),
		func(c *CellIndex) string { return c.European.Colour }).optional(),
	classColumn("lqi", 5, bilingual.Of("class of the German index, 1 very good to 5 very poor; empty where it makes no statement", "Klasse des deutschen Index, 1 sehr gut bis 5 sehr schlecht; leer, wo er keine Aussage macht"),
		func(c *CellIndex) int64 { return orNoClass(c.German.Class) }),
	wordColumn("lqi_pollutant", bilingual.Of("the pollutant that decides the German index; empty where it makes no statement", "der Schadstoff, der den deutschen Index bestimmt; leer, wo er keine Aussage macht"),
		func(c *CellIndex) string { return c.German.Pollutant }).optional(),
	wordColumn("lqi_en", bilingual.Of("name of its class in English", "Name seiner Klasse auf Englisch"), func(c *CellIndex) string { return c.German.English }),
	wordColumn("lqi_de", bilingual.Of("name of its class in German", "Name seiner Klasse auf Deutsch"), func(c *CellIndex) string { return c.German.German }),
	integerColumn("measured", "", bilingual.Of("how many of the five pollutants (PM2.5, PM10, NO2, O3, SO2) are known", "wie viele der fünf Schadstoffe (PM2.5, PM10, NO2, O3, SO2) bekannt sind"), func(c *CellIndex) int64 { return int64(c.European.Measured) }),
	countColumn("stations", bilingual.Of("how many stations count for the pollutant that decides the European index", "wie viele Stationen für den Schadstoff zählen, der den europäischen Index bestimmt"), func(c *CellIndex) int64 { return int64(c.Row.Stations) }),
	thousandthsColumn("spread", "µg/m³", bilingual.Of("sample standard deviation between their means", "Standardabweichung zwischen ihren Mitteln"), func(c *CellIndex) int64 { return c.Row.Spread }).from(0),
	wordColumn("certainty", bilingual.Of("of their mean, as in the grid", "ihres Mittels, wie im Raster"), func(c *CellIndex) string { return Certainty(c.Row).String() }).among(certainties...),
	centreLongitude(func(c *CellIndex) geo.Cell { return c.Row.Cell }),
	centreLatitude(func(c *CellIndex) geo.Cell { return c.Row.Cell }),
	textColumn("eaqi_name_en", bilingual.Of("name of the European index in English, with what it is made of where that is not particles, NO2 and ozone", "Name des europäischen Index auf Englisch, mit dem, woraus er gemacht ist, wo das nicht Feinstaub, NO2 und Ozon sind"),
		func(c *CellIndex) string { return c.European.NameEnglish }),
	textColumn("eaqi_name_de", bilingual.Of("the same in German", "dasselbe auf Deutsch"), func(c *CellIndex) string { return c.European.NameGerman }),
	textColumn("lqi_name_en", bilingual.Of("name of the German index in English, likewise", "Name des deutschen Index auf Englisch, ebenso"), func(c *CellIndex) string { return c.German.NameEnglish }),
	textColumn("lqi_name_de", bilingual.Of("the same in German", "dasselbe auf Deutsch"), func(c *CellIndex) string { return c.German.NameGerman }),
	wordColumn("pollutants", bilingual.Of("the pollutants that the indices are made of, joined by a vertical bar", "die Schadstoffe, aus denen die Indizes gemacht sind, mit senkrechten Strichen dazwischen"),
		func(c *CellIndex) string { return strings.Join(c.European.Pollutants, "|") }),
	wordColumn("reason", bilingual.Of("why the indices make no statement: `not_hourly`, they have no classes for means over this window; `no_particles`, PM2.5 and PM10 are not known; empty where they make one",
		"warum die Indizes keine Aussage machen: `not_hourly`, für Mittel über dieses Fenster haben sie keine Klassen; `no_particles`, PM2,5 und PM10 sind nicht bekannt; leer, wo sie eine machen"),
		func(c *CellIndex) string { return string(c.European.Reason) }).optional(),
}

var indexTable = Table{Name: "index", About: bilingual.Of("Both air quality indices of each cell over a window.", "Beide Luftqualitätsindizes jeder Zelle über ein Fenster."),
	Key: []string{"cell", "window_start", "window_seconds"}, Columns: IndexColumns.Fields()}

// NewIndices makes an encoder that writes to w, as CSV, JSON or GeoJSON, where the indices are objects.
func NewIndices(w io.Writer, format Format, meta Meta) Encoder[CellIndex] {
	if format == GeoJSON {
		return &indicesGeoJSON{newList(w, format, meta)}
	}
	return newRows(w, format, meta, IndexColumns, nil)
}

type indicesGeoJSON struct{ list }

func (e *indicesGeoJSON) Add(c CellIndex) error {
	properties, err := json.Marshal(IndexProperties{
		c.Row.Cell.String(), c.Row.Start.UTC(), c.Row.Window.Seconds(), c.European, c.German, c.Row.Stations, Milli(c.Row.Spread), Certainty(c.Row).String(),
	})
	if err != nil {
		return err
	}
	b := appendCellOutline(e.next(e.buf), c.Row.Cell)
	e.buf = append(append(append(b, `,"properties":`...), properties...), '}')
	return e.flush(false)
}

// IndexProperties are a cell's in GeoJSON.
type IndexProperties struct {
	Cell      string     `json:"cell"`
	Start     time.Time  `json:"window_start"`
	Seconds   int        `json:"window_seconds"`
	European  IndexClass `json:"eaqi"`
	German    IndexClass `json:"lqi"`
	Stations  int        `json:"stations"`
	Spread    Milli      `json:"spread"`
	Certainty string     `json:"certainty"`
}

// appendCellOutline begins a feature of a cell: its id and its outline.
func appendCellOutline(b []byte, cell geo.Cell) []byte {
	b = append(b, `{"type":"Feature","id":"`...)
	b = cell.Append(b)
	b = append(b, `","geometry":{"type":"Polygon","coordinates":[`...)
	b = appendRing(b, cell.Polygon()[0])
	return append(b, `]}`...)
}
