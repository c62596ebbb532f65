package export

import (
	"encoding/json"
	"io"
	"strconv"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/coverage"
)

// CoverageColumns are the columns of the city's coverage as CSV, one row a cell of the city.
const CoverageColumns = "cell,lon,lat,covered,stations,people,rank,distance_m,reason_en,reason_de"

// HistoryColumns are the columns of the coverage over time as CSV, one row a day or month.
const HistoryColumns = "start,days,cells,covered,share,people,people_reached,people_share"

// Coverage is how much of the city is measured in a window, and where the next stations help most.
type Coverage struct {
	Quantity  wire.Quantity
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

// covered is a CoveredPeriod, or a single window, in numbers. What is not known is null.
type covered struct {
	Cells         int    `json:"cells"`
	Covered       Milli  `json:"covered"`
	Share         Milli  `json:"share"`
	People        *int   `json:"people"`
	PeopleReached *Milli `json:"people_reached"`
	PeopleShare   *Milli `json:"people_share"`
}

// over is the mean over days, of which there is one.
func over(days []coverage.Share) covered {
	all := coverage.Share{}
	for _, s := range days {
		all.Covered += s.Covered
		all.Cells += s.Cells
		all.Reached += s.Reached
		all.People += s.People
	}
	n := int64(len(days))
	c := covered{Cells: days[0].Cells, Covered: Milli(int64(all.Covered) * 1000 / n), Share: thousandths(all.OfArea())}
	if share, known := all.OfPeople(); known {
		people, reached, of := days[0].People, Milli(int64(all.Reached)*1000/n), thousandths(share)
		c.People, c.PeopleReached, c.PeopleShare = &people, &reached, &of
	}
	return c
}

// WriteCoverage writes the city's cells: covered or not, and ranked where a station would help.
func WriteCoverage(w io.Writer, format Format, c Coverage, meta Meta) error {
	d := document{w: w}
	ranks := make(map[geo.Cell]int, len(c.Proposals))
	for i, p := range c.Proposals {
		ranks[p.Cell] = i + 1
	}
	if format == CSV {
		d.buf = append(append(d.buf, CoverageColumns...), '\n')
	} else if err := c.head(&d, meta); err != nil {
		return err
	}
	for i, cell := range c.City.Cells {
		if format == CSV {
			d.buf = c.appendLine(d.buf, cell, ranks[cell])
		} else {
			d.buf = c.appendFeature(d.buf, cell, ranks[cell], i > 0)
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

// head begins the GeoJSON: what holds for the city as a whole.
func (c *Coverage) head(d *document, meta Meta) error {
	d.buf = append(d.buf, `{"type":"FeatureCollection",`...)
	d.buf = AppendMembers(d.buf, meta)
	now, err := json.Marshal(struct {
		Quantity string `json:"quantity"`
		Window   string `json:"window"`
		Start    string `json:"window_start"`
		covered
	}{c.Quantity.String(), c.Window.String(), c.Start.UTC().Format(time.RFC3339), over([]coverage.Share{c.City.Share()})})
	if err != nil {
		return err
	}
	d.buf = append(append(d.buf, `,"coverage":`...), now...)
	if c.History != nil {
		type period struct {
			Start string `json:"start"`
			Days  int    `json:"days"`
			covered
		}
		list := make([]period, len(c.History))
		for i, p := range c.History {
			list[i] = period{p.Start.UTC().Format(time.RFC3339), len(p.Days), over(p.Days)}
		}
		history, err := json.Marshal(list)
		if err != nil {
			return err
		}
		d.buf = append(append(d.buf, `,"history":`...), history...)
	}
	d.buf = append(d.buf, `,"features":[`...)
	return nil
}

func (c *Coverage) appendLine(b []byte, cell geo.Cell, rank int) []byte {
	b = cell.Append(b)
	center := cell.Center()
	b = append(b, ',')
	b = appendDegrees(b, center.Lon())
	b = append(b, ',')
	b = appendDegrees(b, center.Lat())
	b = append(b, ',')
	b = strconv.AppendBool(b, c.Counts[cell] > 0)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(c.Counts[cell]), 10)
	b = append(b, ',')
	if people, known := c.City.People[cell]; known {
		b = strconv.AppendInt(b, int64(people), 10)
	}
	if rank == 0 {
		return append(b, ",,,,\n"...)
	}
	p := c.Proposals[rank-1]
	english, german := p.Reason()
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(rank), 10)
	b = append(b, ',')
	b = appendDistance(b, p, "")
	b = append(b, ',')
	b = appendCell(b, english)
	b = append(b, ',')
	b = appendCell(b, german)
	return append(b, '\n')
}

func (c *Coverage) appendFeature(b []byte, cell geo.Cell, rank int, more bool) []byte {
	b = appendCellFeature(b, cell, more)
	b = strconv.AppendBool(appendName(b, "covered"), c.Counts[cell] > 0)
	b = appendInt(b, "stations", c.Counts[cell])
	if people, known := c.City.People[cell]; known {
		b = appendInt(b, "people", people)
	} else {
		b = append(b, `,"people":null`...)
	}
	if rank == 0 {
		return append(b, `,"rank":null}}`...)
	}
	p := c.Proposals[rank-1]
	english, german := p.Reason()
	b = appendInt(b, "rank", rank)
	b = append(b, `,"distance_m":`...)
	b = appendDistance(b, p, "null")
	b = append(b, `,"reason_en":`...)
	b = appendString(b, english)
	b = append(b, `,"reason_de":`...)
	b = appendString(b, german)
	return append(b, "}}"...)
}

// appendDistance appends whole metres to the nearest station.
func appendDistance(b []byte, p coverage.Proposal, none string) []byte {
	if p.Distance == 0 {
		return append(b, none...)
	}
	return strconv.AppendFloat(b, p.Distance, 'f', 0, 64)
}

// WriteHistory writes the coverage over time as CSV.
func WriteHistory(w io.Writer, periods []CoveredPeriod) error {
	d := document{w: w}
	d.buf = append(append(d.buf, HistoryColumns...), '\n')
	for _, p := range periods {
		c := over(p.Days)
		b := appendTime(d.buf, p.Start)
		for _, text := range []string{strconv.Itoa(len(p.Days)), strconv.Itoa(c.Cells), c.Covered.String(), c.Share.String()} {
			b = append(append(b, ','), text...)
		}
		b = append(b, ',')
		if c.People != nil {
			b = strconv.AppendInt(b, int64(*c.People), 10)
		}
		b = append(append(b, ','), optional(c.PeopleReached)...)
		b = append(append(b, ','), optional(c.PeopleShare)...)
		d.buf = append(b, '\n')
	}
	return d.flush(true)
}
