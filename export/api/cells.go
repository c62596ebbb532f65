package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/store"
)

// trendHours is the number of full hours of a cell's trend.
const trendHours = 24

// trendHour is one hour of a trend; mean and raw mean are null when no station counts.
type trendHour struct {
	Time     string        `json:"time"`
	Mean     *export.Milli `json:"mean"`
	Raw      *export.Milli `json:"raw_mean"`
	Stations int           `json:"stations"`
}

// getCell answers with all averages of a cell over a window, with the indices of all of them together, and with the full
// hours of one quantity in the day before the window's end.
func (s *Server) getCell(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	cell, err := geo.ParseCell(r.PathValue("cell"))
	if err != nil {
		return newProblem(http.StatusNotFound, "", "%v", err).InGerman("%.80q ist keine Zelle des Rasters.", r.PathValue("cell"))
	}
	q := newQuery(r)
	g := gridQuery{resolution: cell.Size}
	name := q.text("quantity")
	s.readWindow(q, &g, now)
	if err := q.done(); err != nil {
		return err
	}
	wanted, _ := quantity.Parse(name) // it is valid
	means, averages := map[quantity.Quantity]int64{}, []cellAverage{}
	err = s.gridRows(r.Context(), g, now, func(row aggregate.Row) error {
		if row.Cell == cell {
			means[row.Quantity] = row.Mean
			averages = append(averages, cellAverage{export.AppendRow(nil, row)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	hours, err := s.trend(r.Context(), g, now, cell, wanted)
	if err != nil {
		return err
	}
	meta := s.meta(now)
	w.Header().Set("Cache-Control", "no-cache")
	meta.Averaging = export.GridRule(g.window, s.City.Corrected)
	licences(w.Header(), meta)
	return writeJSON(w, http.StatusOK, "application/json", cellDocument{
		cell.String(), g.window.String(), g.start().Format(time.RFC3339), g.window.Seconds(), averages, export.Indices(g.window, means), trend{name, wanted.Unit(), hours}, meta.Envelope(),
	})
}

// cellDocument describes one cell over a window.
type cellDocument struct {
	Cell     string              `json:"cell"`
	Window   string              `json:"window"`
	Start    string              `json:"window_start"`
	Seconds  int                 `json:"window_seconds"`
	Averages []cellAverage       `json:"averages"`
	Index    export.IndexClasses `json:"index"`
	Trend    trend               `json:"trend"`
	export.Envelope
}

// cellAverage is a row of the grid without its place.
type cellAverage struct{ json.RawMessage }

// JSONSchema returns the row's schema.
func (cellAverage) JSONSchema() openapi.Schema {
	return rowSchema(export.GridTable.Without("lon", "lat"))
}

type trend struct {
	Quantity string      `json:"quantity"`
	Unit     string      `json:"unit"`
	Hours    []trendHour `json:"hours"`
}

// trend returns a cell's last full hours before the end of a window.
func (s *Server) trend(ctx context.Context, g gridQuery, now time.Time, cell geo.Cell, q quantity.Quantity) ([]trendHour, error) {
	end := now.Add(-aggregate.GracePeriod).Truncate(time.Hour)
	if g.window != aggregate.Live {
		end = g.from.Add(length(g.window))
	}
	begin := end.Add(-trendHours * time.Hour)
	hours := make([]trendHour, trendHours)
	for i := range hours {
		hours[i].Time = begin.Add(time.Duration(i) * time.Hour).Format(time.RFC3339)
	}
	add := func(row aggregate.Row) error {
		if i := int(row.Start.Sub(begin) / time.Hour); row.Cell == cell && i >= 0 && i < trendHours {
			mean, raw := export.Milli(row.Mean), export.Milli(row.Raw)
			hours[i].Mean, hours[i].Raw, hours[i].Stations = &mean, &raw, row.Stations
		}
		return nil
	}
	for at := begin; at.Before(end); at = at.Add(time.Hour) {
		if !aggregate.Kept(at, now) {
			continue
		}
		for _, row := range s.Aggregate.Hour(at, cell.Size, q) {
			if err := add(row); err != nil {
				return nil, err
			}
		}
	}
	if aggregate.Kept(begin, now) || cell.Size != s.City.Resolution {
		return hours, nil
	}
	stored := store.GridQuery{From: begin, To: end, Window: aggregate.Hour, Quantities: []quantity.Quantity{q}, Size: cell.Size}
	return hours, s.Store.Grid(ctx, stored, func(row aggregate.Row) error {
		if aggregate.Kept(row.Start, now) {
			return nil
		}
		return add(row)
	})
}
