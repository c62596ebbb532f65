package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/coverage"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

const (
	// defaultProposals and maxProposals are the default and the largest number of places proposed for a next station.
	defaultProposals, maxProposals = 10, 100
	// maxHistory is the longest period of a history.
	maxHistory = 5 * 366 * 24 * time.Hour
)

// coverageQuery is a request for the coverage.
type coverageQuery struct {
	gridQuery
	format    export.Format
	proposals int
	step      string    // of the history: none, day or month
	since, to time.Time // of the history
}

// getCoverage answers with the covered part of the city, the places where further stations help most, and the coverage
// over time.
func (s *Server) getCoverage(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	q, err := s.readCoverageQuery(r, now)
	if err != nil {
		return err
	}
	d := document{format: q.format, meta: s.meta(now)}
	var c export.Coverage
	if q.step != "none" {
		if c.History, err = s.history(r.Context(), q); err != nil {
			return err
		}
		if q.format != export.GeoJSON {
			d.name, d.schema, d.from = "coverage-by-"+q.step, "history.json", q.since
			d.meta.Averaging = export.GridRule(aggregate.Day, s.City.Corrected)
			return sendWhole(w, r, d, c.Then(), download.NewHistory)
		}
	}
	if err := s.coverage(r.Context(), q, now, &c); err != nil {
		return err
	}
	d.name, d.schema, d.from = "coverage", "coverage.json?window="+q.window.String(), c.Start
	d.meta.Averaging = export.GridRule(q.window, s.City.Corrected)
	if q.format == export.GeoJSON {
		d.head(w)
		return export.WriteCoverage(w, c, d.meta)
	}
	return sendWhole(w, r, d, c.Rows(), download.NewCoverage)
}

func (s *Server) readCoverageQuery(r *http.Request, now time.Time) (q coverageQuery, err error) {
	p := newQuery(r)
	q.resolution, q.quantities = s.City.Resolution, p.quantities()
	q.format = p.format()
	q.proposals, q.step = p.number("proposals"), p.text("history")
	month := now.Add(s.City.DayOffset)
	q.since = p.time("from", time.Date(month.Year(), month.Month()-11, 1, 0, 0, 0, 0, time.UTC))
	q.to = p.time("to", now)
	switch {
	case q.since.After(q.to):
		p.Fail(wrong("from", "from %s is after to %s", q.since.Format(time.RFC3339), q.to.Format(time.RFC3339)).
			InGerman("from %s liegt nach to %s.", q.since.Format(time.RFC3339), q.to.Format(time.RFC3339)))
	case q.to.Sub(q.since) > maxHistory:
		p.Fail(wrong("from", "a history of at most %.0f days can be had at once", maxHistory.Hours()/24).
			InGerman("Eine Geschichte hat höchstens %.0f Tage auf einmal.", maxHistory.Hours()/24))
	}
	p.Values.Del("from") // it belongs to the history, not to windows
	p.Values.Del("to")
	s.readWindow(p, &q.gridQuery, now)
	return q, p.done()
}

// coverage adds the coverage of a window.
func (s *Server) coverage(ctx context.Context, q coverageQuery, now time.Time, c *export.Coverage) error {
	c.Quantity, c.Window, c.Start, c.Counts = q.quantities[0], q.window, q.start(), map[geo.Cell]int{}
	c.City = coverage.City{Cells: s.city.Cells, People: s.city.People, Stations: s.stationCells(c.Quantity, now)}
	err := s.gridRows(ctx, q.gridQuery, now, func(row aggregate.Row) error {
		c.Counts[row.Cell] = row.Stations
		c.City.Covered = append(c.City.Covered, row.Cell)
		return nil
	})
	c.Proposals = c.City.Propose(q.proposals)
	return err
}

// stationCells returns the public 100 m cells of the stations that may measure a quantity: those outdoors that have not
// been seen to measure only others.
func (s *Server) stationCells(q quantity.Quantity, now time.Time) []geo.Cell {
	var cells []geo.Cell
	for _, st := range s.Registry.Stations() {
		values := s.Live.Station(st.ID, now).Values
		_, measures := values[q]
		if !public(st) || st.Official() || st.Exposure != ingest.Outdoor || len(values) > 0 && !measures {
			continue
		}
		if cell, err := geo.CellAt(st.PlaceAt(now).Public, geo.BaseSize); err == nil {
			cells = append(cells, cell)
		}
	}
	return cells
}

// history returns the coverage of each complete day or month, by the stored averages of days. It begins with the day
// that contains from, or with the first station's.
func (s *Server) history(ctx context.Context, q coverageQuery) ([]export.CoveredPeriod, error) {
	city := coverage.City{Cells: s.city.Cells, People: s.city.People}
	const day = 24 * time.Hour
	from := s.windowStart(aggregate.Day, q.since)
	if first, ok := s.firstStation(); ok && first.After(from) {
		from = s.windowStart(aggregate.Day, first)
	}
	covered := map[int64][]geo.Cell{}
	err := s.Store.Grid(ctx, store.GridQuery{From: from, To: q.to, Window: aggregate.Day, Quantities: q.quantities, Size: q.resolution}, func(row aggregate.Row) error {
		covered[row.Start.Unix()] = append(covered[row.Start.Unix()], row.Cell)
		return nil
	})
	periods := []export.CoveredPeriod{}
	for start := from; !start.Add(day).After(q.to); start = start.Add(day) {
		city.Covered = covered[start.Unix()]
		date := start.Add(s.City.DayOffset)
		if len(periods) == 0 || q.step == "day" || date.Day() == 1 {
			periods = append(periods, export.CoveredPeriod{Start: start})
		}
		last := &periods[len(periods)-1]
		last.Days = append(last.Days, city.Share())
	}
	return periods, err
}

// firstStation returns the time when the first station was registered, or began to measure.
func (s *Server) firstStation() (first time.Time, ok bool) {
	stations := s.Registry.Stations()
	if len(stations) == 0 {
		return time.Time{}, false
	}
	earliest := slices.MinFunc(stations, func(a, b *ingest.Station) int { return a.Created.Compare(b.Created) })
	return earliest.Created, true
}
