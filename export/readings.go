package export

import (
	"io"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
)

// ReadingRow is a row of readings: one value of a reading, at the public place where its station stood then.
type ReadingRow struct {
	ingest.Reading // its Values are not looked at
	Value          ingest.Value
	Place          orb.Point
	Placed         bool // false for a station that is not known

	checked map[ingest.Flags]string // results of checks in words, of rows before
}

// Take makes the row one of a reading. It has no value yet.
func (r *ReadingRow) Take(reading *ingest.Reading, stations ingest.Stations) {
	station, known := stations.Station(reading.Station)
	r.Reading, r.Place, r.Placed = *reading, orb.Point{}, known
	if known {
		r.Place = station.PlaceAt(reading.Time).Public
	}
}

func (r *ReadingRow) place() (orb.Point, bool) { return r.Place, r.Placed }

func (r *ReadingRow) flags() string {
	if r.Value.Flags == 0 { // as most are
		return ""
	}
	return r.Value.Flags.String()
}

// checks returns the results of the checks in words; rows share them.
func (r *ReadingRow) checks() string {
	if r.Value.Flags.Unchecked() {
		return ""
	}
	results := r.Value.Flags &^ r.Value.Flags.Found()
	words, known := r.checked[results]
	if !known {
		if words = results.Checks(); r.checked == nil {
			r.checked = map[ingest.Flags]string{}
		}
		r.checked[results] = words
	}
	return words
}

// ReadingColumns are single values: a row a value.
var ReadingColumns = append(slices.Clip(earlierReadingColumns), checksColumn)

// earlierReadingColumns are those that files had before there was one for checks.
var earlierReadingColumns = Columns[ReadingRow]{
	timeColumn("time", bilingual.Of("time of observation, whole seconds; the time of receipt where the station sent none",
		"Zeit der Beobachtung, ganze Sekunden; die des Empfangs, wo die Station keine geschickt hat"), func(r *ReadingRow) time.Time { return r.Time }).shared(),
	textColumn("station", stationID, func(r *ReadingRow) string { return r.Station }).shared(),
	longitudeColumn[ReadingRow](publicLongitude).of((*ReadingRow).place).optional().shared(),
	latitudeColumn[ReadingRow](publicLatitude).of((*ReadingRow).place).optional().shared(),
	wordColumn("quantity", bilingual.Of("what was measured, as in the [specification](../firmware-protocol/README.md)", "was gemessen wurde, wie in der [Spezifikation](../firmware-protocol/README.md)"),
		func(r *ReadingRow) string { return r.Value.Quantity.String() }).among(quantityNames...),
	decimalColumn("value", InUnit, bilingual.Of("as the station sent it: the shortest decimal that is the same 64 bit floating point number",
		"wie ihn die Station geschickt hat: die kürzeste Dezimalzahl, die dieselbe Gleitkommazahl von 64 Bit ist"), func(r *ReadingRow) float64 { return r.Value.Value }),
	wordColumn("unit", bilingual.Of("unit of the value", "Einheit des Werts"), func(r *ReadingRow) string { return r.Value.Quantity.Unit() }),
	wordColumn("flags", bilingual.Of("what the checks found, joined by a vertical bar; empty is good", "was die Prüfungen gefunden haben, durch senkrechte Striche verbunden; leer ist gut"),
		(*ReadingRow).flags).optional(),
}

var checksColumn = wordColumn("checks", bilingual.Of(
	"the checks of whole hours that were made, joined by a vertical bar; one that could not be made is followed by `:neighbours` (too few) or `:history` (too little); empty: the value is not compared with anything, and empty flags do not say that it is good",
	"die Prüfungen ganzer Stunden, die gemacht wurden, durch senkrechte Striche verbunden; hinter einer, die nicht ging, steht `:neighbours` (zu wenige Nachbarn) oder `:history` (zu wenig Vergangenheit); leer: der Wert ist mit nichts verglichen, und leere Markierungen sagen nicht, dass er gut ist"),
	(*ReadingRow).checks).optional()

// FullReadingColumns are all that is stored of readings. Parquet has them.
var FullReadingColumns = append(slices.Clip(earlierReadingColumns),
	timeColumn("received", bilingual.Of("time of receipt, milliseconds", "Zeit des Empfangs, Millisekunden"), func(r *ReadingRow) time.Time { return r.Received }).shared(),
	wordColumn("time_source", bilingual.Of("where `time` came from: `station` (its clock), `age` (receipt minus the age it sent), `receipt`, `network`",
		"woher `time` kam: `station` (ihre Uhr), `age` (Empfang weniger das Alter, das sie geschickt hat), `receipt` (Empfang), `network` (Netz)"),
		func(r *ReadingRow) string { return r.TimeSource.String() }).among("station", "age", "receipt", "network").shared(),
	checksColumn,
)

// ReadingsTable are single values.
var ReadingsTable = Table{Name: "readings", About: bilingual.Of("Single values as stations sent them, with what the checks found.", "Einzelne Werte, wie die Stationen sie geschickt haben, mit dem, was die Prüfungen gefunden haben."),
	Key: []string{"time", "station", "quantity"}, Columns: ReadingColumns.Fields()}

// FullReadingsTable are single values with all that is stored of them.
var FullReadingsTable = Table{Name: ReadingsTable.Name, About: ReadingsTable.About, Key: ReadingsTable.Key, Columns: FullReadingColumns.Fields()}

// Readings encodes readings as they come.
type Readings = Encoder[ingest.Reading]

// NewReadings makes an encoder that writes to w. Places of stations come from stations; a station that
// is not there has none.
func NewReadings(w io.Writer, format Format, stations ingest.Stations, meta Meta) Readings {
	e := &readings{rows: newRows(w, format, meta, ReadingColumns, func(b []byte, r *ReadingRow) []byte { return appendPoint(b, r.Place, r.Placed) }), stations: stations, lastSeen: map[string]placedStation{}}
	e.own = slices.IndexFunc(e.columns, func(c Column[ReadingRow]) bool { return !c.Shared })
	e.value = slices.IndexFunc(e.columns, func(c Column[ReadingRow]) bool { return c.Name == "value" })
	return e
}

// readings writes what the rows of a reading share once, and what they share with the station's last reading not even
// that. What stands around a value depends on its quantity and flags alone, and is kept for each quantity.
type readings struct {
	*rows[ReadingRow]
	stations ingest.Stations
	own      int                      // the first column that a row does not share with the others of its reading
	value    int                      // the column of the value
	head     []byte                   // what the rows of a reading begin with
	lastSeen map[string]placedStation // where each station was seen last
	around   []aroundValue            // by quantity
}

// aroundValue is what stands before and after a quantity's value, of the row's own columns.
type aroundValue struct {
	flags         ingest.Flags // to which after belongs
	before, after []byte
}

// placedStation is a station in a place, and how rows say it.
type placedStation struct {
	place  orb.Point
	placed bool
	cells  []byte // the columns between time and own
}

// Add writes a row for each value.
func (e *readings) Add(r ingest.Reading) error {
	e.row.Take(&r, e.stations)
	e.scratch.read = false
	e.head = e.appendColumns(e.open(e.head[:0]), e.columns[:1])
	e.head = append(e.head, e.station()...)
	b, value := e.buf, e.columns[e.value:e.value+1]
	for _, e.row.Value = range r.Values {
		a := e.aroundValue()
		b = append(append(e.next(b), e.head...), a.before...)
		b = e.close(append(e.appendColumns(b, value), a.after...))
	}
	e.buf = b
	return e.flush(false)
}

// aroundValue returns what stands around the row's value.
func (e *readings) aroundValue() *aroundValue {
	v := e.row.Value
	for len(e.around) <= int(v.Quantity) {
		e.around = append(e.around, aroundValue{})
	}
	a := &e.around[v.Quantity]
	if a.before == nil {
		a.before = e.appendColumns(nil, e.columns[e.own:e.value])
	}
	if a.after == nil || a.flags != v.Flags {
		a.flags, a.after = v.Flags, e.appendColumns(a.after[:0], e.columns[e.value+1:])
	}
	return a
}

// station returns the row's station and place. They are written again only when a station has moved.
func (e *readings) station() []byte {
	r := &e.row
	s := e.lastSeen[r.Station]
	if s.cells == nil || s.placed != r.Placed || s.place != r.Place {
		s = placedStation{r.Place, r.Placed, e.appendColumns(nil, e.columns[1:e.own])}
		e.lastSeen[r.Station] = s
	}
	return s.cells
}
