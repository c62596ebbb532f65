package export

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/coverage"
)

// Coverage is how much of the city is measured in a window, and where the next stations help most.
type Coverage struct {
	Quantity  quantity.Quantity
	Window    aggregate.Window
	Start     time.Time
	City      coverage.City
	Counts    map[geo.Cell]int    // stations that count, by cell
	Proposals []coverage.Proposal // the most helpful first
	History   []CoveredPeriod
}

// CoveredPeriod is the coverage of some days: the mean over them of what is covered.
type CoveredPeriod struct {
	Start time.Time // of its first day
	Days  []coverage.Share
}

// CoveredShare is a CoveredPeriod, or a single window, in numbers. What is not known is null.
type CoveredShare struct {
	Cells         int    `json:"cells"`
	Covered       Milli  `json:"covered"`
	Share         Milli  `json:"share"`
	People        *int   `json:"people"`
	PeopleReached *Milli `json:"people_reached"`
	PeopleShare   *Milli `json:"people_share"`
}

// CoveredNow is how much of the city is covered in a window.
type CoveredNow struct {
	Quantity string    `json:"quantity"`
	Window   string    `json:"window"`
	Start    time.Time `json:"window_start"`
	CoveredShare
}

// CoveredThen is a row of the coverage over time: the means over some days.
type CoveredThen struct {
	Start time.Time
	Days  int
	CoveredShare
}

// over is the mean over days, of which there is one.
func over(days []coverage.Share) CoveredShare {
	all := coverage.Share{}
	for _, s := range days {
		all.Covered += s.Covered
		all.Cells += s.Cells
		all.Reached += s.Reached
		all.People += s.People
	}
	n := int64(len(days))
	c := CoveredShare{Cells: days[0].Cells, Covered: Milli(int64(all.Covered) * 1000 / n), Share: thousandths(all.OfArea())}
	if share, known := all.OfPeople(); known {
		people, reached, of := days[0].People, Milli(int64(all.Reached)*1000/n), thousandths(share)
		c.People, c.PeopleReached, c.PeopleShare = &people, &reached, &of
	}
	return c
}

// CoverageRow is a cell of the city: covered or not, and ranked where a station would help.
type CoverageRow struct {
	Cell     geo.Cell
	Stations int  // that count
	People   *int // nil where they are not known
	Rank     int  // from 1; 0 is none
	Distance *int // metres to the nearest station; nil where it has no rank or there is none
	English  string
	German   string
}

// Rows are the city's cells, in their order.
func (c *Coverage) Rows() []CoverageRow {
	rows, at := make([]CoverageRow, len(c.City.Cells)), map[geo.Cell]int{}
	for i, cell := range c.City.Cells {
		rows[i], at[cell] = CoverageRow{Cell: cell, Stations: c.Counts[cell]}, i
		if people, known := c.City.People[cell]; known {
			rows[i].People = &people
		}
	}
	for i, p := range c.Proposals {
		row := &rows[at[p.Cell]]
		row.Rank = i + 1
		row.English, row.German = p.Reason()
		if p.Distance != 0 {
			row.Distance = new(int(math.RoundToEven(p.Distance)))
		}
	}
	return rows
}

// CoverageColumns are the city's cells: a row a cell.
var CoverageColumns = Columns[CoverageRow]{
	cellColumn("cell", codeOfCell, func(r *CoverageRow) geo.Cell { return r.Cell }).unique(),
	centreLongitude(func(r *CoverageRow) geo.Cell { return r.Cell }),
	centreLatitude(func(r *CoverageRow) geo.Cell { return r.Cell }),
	boolColumn("covered", bilingual.Of("whether a station counts in the cell", "ob in der Zelle eine Station zählt"), func(r *CoverageRow) bool { return r.Stations > 0 }),
	countColumn("stations", howManyStations, func(r *CoverageRow) int64 { return int64(r.Stations) }),
	countColumn("people", inhabitants, func(r *CoverageRow) int64 { return orNone(r.People) }).optional(),
	integerColumn("rank", "", bilingual.Of("1 is where a station helps most; empty for cells that are not proposed", "1 ist, wo eine Station am meisten hilft; leer bei Zellen, die nicht vorgeschlagen sind"), func(r *CoverageRow) int64 { return orNoClass(r.Rank) }).optional(),
	integerColumn("distance_m", "m", bilingual.Of("metres from the middle of the cell to the 100 m cell of the nearest station; empty where there is none, and for cells that are not proposed",
		"Meter von der Mitte der Zelle zur 100-m-Zelle der nächsten Station; leer, wo es keine gibt, und bei Zellen, die nicht vorgeschlagen sind"), func(r *CoverageRow) int64 { return orNone(r.Distance) }).optional(),
	textColumn("reason_en", bilingual.Of("why, in English, such as 1,840 people, 2.3 km from the nearest station; empty for cells that are not proposed",
		"warum, auf Englisch, etwa 1,840 people, 2.3 km from the nearest station; leer bei Zellen, die nicht vorgeschlagen sind"), func(r *CoverageRow) string { return r.English }).optional(),
	textColumn("reason_de", bilingual.Of("why, in German", "warum, auf Deutsch"), func(r *CoverageRow) string { return r.German }).optional(),
}

var coverageTable = Table{Name: "coverage", About: bilingual.Of("The city's cells: covered or not, and ranked where a station would help.", "Die Zellen der Stadt: abgedeckt oder nicht, und in der Reihenfolge, in der eine Station helfen würde."),
	Key: []string{"cell"}, Columns: CoverageColumns.Fields()}

// NewCoverage makes an encoder that writes to w, as CSV or JSON. GeoJSON has more than rows.
func NewCoverage(w io.Writer, format Format, meta Meta) Encoder[CoverageRow] {
	return newCoverage(w, format, meta)
}

func newCoverage(w io.Writer, format Format, meta Meta) *rows[CoverageRow] {
	return newRows(w, format, meta, CoverageColumns, func(b []byte, r *CoverageRow) []byte { return appendCellOutline(b, r.Cell) })
}

// Then is the coverage over time.
func (c *Coverage) Then() []CoveredThen {
	list := make([]CoveredThen, len(c.History))
	for i, p := range c.History {
		list[i] = CoveredThen{p.Start.UTC(), len(p.Days), over(p.Days)}
	}
	return list
}

// HistoryColumns are the coverage over time: a row a period.
var HistoryColumns = Columns[CoveredThen]{
	timeColumn("start", bilingual.Of("start of the first day", "Beginn des ersten Tages"), func(r *CoveredThen) time.Time { return r.Start }),
	integerColumn("days", "", bilingual.Of("days that are over, over which the mean is taken", "Tage, die vorüber sind und über die gemittelt ist"), func(r *CoveredThen) int64 { return int64(r.Days) }),
	countColumn("cells", bilingual.Of("how many cells the city has", "wie viele Zellen die Stadt hat"), func(r *CoveredThen) int64 { return int64(r.Cells) }),
	thousandthsColumn("covered", "", bilingual.Of("how many of them are covered, the mean over the days", "wie viele davon abgedeckt sind, im Mittel über die Tage"), func(r *CoveredThen) int64 { return int64(r.Covered) }),
	shareColumn("share", bilingual.Of("of the cells those that are covered, 0 to 1", "Anteil der Zellen, die abgedeckt sind, 0 bis 1"), func(r *CoveredThen) int64 { return int64(r.Share) }),
	countColumn("people", inhabitants, func(r *CoveredThen) int64 { return orNone(r.People) }).optional(),
	thousandthsColumn("people_reached", "", bilingual.Of("inhabitants of the covered cells, the mean over the days; empty where they are not known", "Menschen, die in abgedeckten Zellen wohnen, im Mittel über die Tage; leer, wo sie nicht bekannt sind"),
		func(r *CoveredThen) int64 { return orNone(r.PeopleReached) }).optional(),
	shareColumn("people_share", bilingual.Of("of the inhabitants those of covered cells, 0 to 1; empty where they are not known", "Anteil der Menschen, die in abgedeckten Zellen wohnen, 0 bis 1; leer, wo sie nicht bekannt sind"),
		func(r *CoveredThen) int64 { return orNone(r.PeopleShare) }).optional(),
}

var historyTable = Table{Name: "history", About: bilingual.Of("The city's coverage over time: means over the days that are over.", "Die Abdeckung der Stadt im Lauf der Zeit: Mittel über die Tage, die vorüber sind."),
	Key: []string{"start"}, Columns: HistoryColumns.Fields()}

// NewHistory makes an encoder of the coverage over time that writes to w, as CSV or JSON.
func NewHistory(w io.Writer, format Format, meta Meta) Encoder[CoveredThen] {
	return newRows(w, format, meta, HistoryColumns, nil)
}

// WriteCoverage writes the city's cells as GeoJSON, with what holds for the city as a whole before them.
func WriteCoverage(w io.Writer, c Coverage, meta Meta) error {
	e := newCoverage(w, GeoJSON, meta)
	if err := c.head(&e.document, meta); err != nil {
		return err
	}
	for _, row := range c.Rows() {
		if err := e.Add(row); err != nil {
			return err
		}
	}
	return e.End()
}

// head begins the GeoJSON: what holds for the city as a whole.
func (c *Coverage) head(d *document, meta Meta) error {
	d.buf = append(d.buf, `{"type":"FeatureCollection",`...)
	d.buf = AppendMembers(d.buf, meta)
	now, err := json.Marshal(CoveredNow{c.Quantity.String(), c.Window.String(), c.Start.UTC(), over([]coverage.Share{c.City.Share()})})
	if err != nil {
		return err
	}
	d.buf = append(append(d.buf, `,"coverage":`...), now...)
	if c.History != nil {
		d.buf = appendList(append(d.buf, `,"history":`...), c.Then(), func(b []byte, r CoveredThen) []byte { return HistoryColumns.AppendObject(b, &r) })
	}
	d.buf = append(d.buf, `,"features":[`...)
	return nil
}
