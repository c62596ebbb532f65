package export

import (
	"encoding/json"
	"io"
	"math"
	"time"

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
	Start time.Time `json:"start"`
	Days  int       `json:"days"`
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

func (r CoverageRow) values() []any {
	center := r.Cell.Center()
	return []any{r.Cell.String(), degrees(center.Lon()), degrees(center.Lat()), r.Stations > 0, r.Stations, known(r.People), class(r.Rank), known(r.Distance), r.English, r.German}
}

// NewCoverage makes an encoder that writes to w, as CSV or JSON. GeoJSON has more than rows.
func NewCoverage(w io.Writer, format Format, meta Meta) Encoder[CoverageRow] {
	return newRecords(w, format, meta, coverageTable, CoverageRow.values)
}

// Then is the coverage over time.
func (c *Coverage) Then() []CoveredThen {
	list := make([]CoveredThen, len(c.History))
	for i, p := range c.History {
		list[i] = CoveredThen{p.Start.UTC(), len(p.Days), over(p.Days)}
	}
	return list
}

func (r CoveredThen) values() []any {
	return []any{r.Start, r.Days, r.Cells, r.Covered, r.Share, known(r.People), known(r.PeopleReached), known(r.PeopleShare)}
}

// NewHistory makes an encoder of the coverage over time that writes to w, as CSV or JSON.
func NewHistory(w io.Writer, format Format, meta Meta) Encoder[CoveredThen] {
	return newRecords(w, format, meta, historyTable, CoveredThen.values)
}

// WriteCoverage writes the city's cells as GeoJSON, with what holds for the city as a whole before them.
func WriteCoverage(w io.Writer, c Coverage, meta Meta) error {
	l := newList(w, GeoJSON, meta)
	if err := c.head(&l.document, meta); err != nil {
		return err
	}
	placeless := coverageTable.Without("lon", "lat")
	for _, row := range c.Rows() {
		values := row.values()
		b := appendCellOutline(l.next(l.buf), row.Cell)
		b = placeless.appendMembers(append(b, `,"properties":{`...), append(values[:1], values[3:]...))
		l.buf = append(b, "}}"...)
		if err := l.flush(false); err != nil {
			return err
		}
	}
	return l.End()
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
		history, err := json.Marshal(c.Then())
		if err != nil {
			return err
		}
		d.buf = append(append(d.buf, `,"history":`...), history...)
	}
	d.buf = append(d.buf, `,"features":[`...)
	return nil
}
