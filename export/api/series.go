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
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

const (
	maxSeriesHours = 31 * 24 * time.Hour  // of a series of hours
	maxSeriesDays  = 367 * 24 * time.Hour // of a series of days
	// near is the largest distance of a cell's centre from a station for the cell to be among its neighbours, in metres;
	// far applies when fewer than minNear cells have a value. They are those of the check against neighbours (CrowdQC+:
	// 3 km).
	near, far = 3000.0, 10_000.0
	minNear   = 3
)

// series is one quantity of a station and of its neighbours, with one entry per complete window. Missing values are
// null.
type series struct {
	Station    string          `json:"station"`
	Quantity   string          `json:"quantity"`
	Unit       string          `json:"unit"`
	Window     string          `json:"window"`
	Start      []string        `json:"start"`      // of each window
	Measured   []*export.Milli `json:"measured"`   // mean of the station's good values
	Corrected  []*export.Milli `json:"corrected"`  // the same, with the humidity correction when the quantity has one
	Neighbours []*export.Milli `json:"neighbours"` // median of the corrected means of the cells around, without its own
}

// getSeries answers with a station's and its neighbours' means over the hours or days of a period.
func (s *Server) getSeries(w http.ResponseWriter, r *http.Request) error {
	st, err := s.keys.Seen(w, r)
	if err != nil {
		return err
	}
	q := newQuery(r)
	from, to := q.period(time.Now().UTC(), time.Hour)
	window, _ := aggregate.ParseWindow(q.text("window")) // checked
	quantities := q.quantities()
	if err := q.done(); err != nil {
		return err
	}
	if len(quantities) != 1 {
		return wrong("quantity", "quantity: name one, such as pm2_5").InGerman("quantity: Nenne eine, zum Beispiel pm2_5.")
	}
	if most := map[aggregate.Window]time.Duration{aggregate.Hour: maxSeriesHours, aggregate.Day: maxSeriesDays}[window]; to.Sub(from) > most {
		return wrong("from", "from: at most %.0f days of window=%s can be had at once", most.Hours()/24, window).
			InGerman("from: Von window=%[2]s gibt es höchstens %.0[1]f Tage auf einmal.", most.Hours()/24, window)
	}
	answer, err := s.series(r.Context(), st, quantities[0], window, from, to)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, "application/json", answer)
}

func (s *Server) series(ctx context.Context, st *ingest.Station, q quantity.Quantity, window aggregate.Window, from, to time.Time) (*series, error) {
	own, err := s.meansOf(ctx, st, q, window, from, to)
	if err != nil {
		return nil, err
	}
	neighbours, err := s.neighbours(ctx, st, q, window, from, to)
	if err != nil {
		return nil, err
	}
	span := length(window)
	answer := &series{Station: st.ID, Quantity: q.String(), Unit: q.Unit(), Window: window.String(), Start: []string{}}
	for start := s.windowStart(window, from); start.Before(to) && !start.Add(span).After(time.Now()); start = start.Add(span) {
		var measured, corrected, around *export.Milli
		if row, ok := own[start]; ok {
			measured, corrected = new(export.Milli(row.Raw)), new(export.Milli(row.Mean))
		}
		if v, ok := neighbours[start]; ok {
			around = new(v)
		}
		answer.Start = append(answer.Start, start.Format(time.RFC3339))
		answer.Measured = append(answer.Measured, measured)
		answer.Corrected = append(answer.Corrected, corrected)
		answer.Neighbours = append(answer.Neighbours, around)
	}
	return answer, nil
}

// meansOf returns a station's own means of windows that count, by start, as /api/v1/readings has them.
func (s *Server) meansOf(ctx context.Context, st *ingest.Station, wanted quantity.Quantity, window aggregate.Window, from, to time.Time) (map[time.Time]aggregate.StationWindow, error) {
	means := map[time.Time]aggregate.StationWindow{}
	q := download.Readings{
		From: s.windowStart(window, from), To: to, Resolution: download.Hours,
		Stations: []string{st.ID}, Quantities: []quantity.Quantity{wanted}, Source: export.AllSources,
	}
	if window == aggregate.Day {
		q.Resolution = download.Days
	}
	err := s.means(ctx, q, func(m aggregate.StationWindow) error {
		if m.Counts() {
			means[m.Start] = m
		}
		return nil
	})
	return means, err
}

// neighbourMedian is the median over the cells around a station in a window.
type neighbourMedian struct {
	start time.Time
	milli export.Milli
}

// neighbours returns the medians over the cells around the station's place, by start of window; those of days are kept.
func (s *Server) neighbours(ctx context.Context, st *ingest.Station, q quantity.Quantity, window aggregate.Window, from, to time.Time) (map[time.Time]export.Milli, error) {
	medians := map[time.Time]export.Milli{}
	add := func(m neighbourMedian) error {
		medians[m.start] = m.milli
		return nil
	}
	compute := func(ctx context.Context, from, to time.Time) ([]neighbourMedian, error) {
		return s.neighbourMedians(ctx, st, q, window, from, to)
	}
	if window == aggregate.Day {
		err := s.dayNeighbours.each(ctx, seriesOf(st, []quantity.Quantity{q}), s.windowStart(window, from), s.ceilDay(to), compute, add)
		return medians, err
	}
	list, err := compute(ctx, s.windowStart(window, from), to)
	if err != nil {
		return nil, err
	}
	return medians, each(list, add)
}

// neighbourMedians computes the medians of windows with from <= start < to.
func (s *Server) neighbourMedians(ctx context.Context, st *ingest.Station, q quantity.Quantity, window aggregate.Window, from, to time.Time) ([]neighbourMedian, error) {
	type around struct{ near, far []int64 }
	found := map[time.Time]*around{}
	query := store.GridQuery{From: from, To: to, Window: window, Quantities: []quantity.Quantity{q}, Size: s.City.Resolution}
	err := s.Store.Grid(ctx, query, func(row aggregate.Row) error {
		at := st.PlaceAt(row.Start).Public
		own, err := geo.CellAt(at, row.Cell.Size)
		distance := geo.Distance(at, row.Cell.Center())
		if err != nil || row.Cell == own || distance > far {
			return err
		}
		a := found[row.Start]
		if a == nil {
			a = &around{}
			found[row.Start] = a
		}
		if a.far = append(a.far, row.Mean); distance <= near {
			a.near = append(a.near, row.Mean)
		}
		return nil
	})
	var medians []neighbourMedian
	for start, a := range found {
		means := a.near
		if len(means) < minNear {
			means = a.far
		}
		slices.Sort(means)
		medians = append(medians, neighbourMedian{start, export.Milli(aggregate.Median(means))})
	}
	return medians, err
}
