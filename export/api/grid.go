package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/store"
)

// gridQuery is what a request for grid averages asks for.
type gridQuery struct {
	window     aggregate.Window
	at         time.Time // start of the hour or day, or the moment of the live average
	resolution int32
	quantities []wire.Quantity
	format     export.Format
}

func (s *Server) readGridQuery(r *http.Request, now time.Time) (gridQuery, error) {
	q := newQuery(r.URL.Query())
	g := gridQuery{quantities: q.quantities(), resolution: q.resolution(s.City.Resolution)}
	g.format = q.format(export.GeoJSON, export.GeoJSON, export.CSV)
	if err := s.readWindow(q, &g, now); err != nil {
		return g, err
	}
	if len(g.quantities) == 0 && g.format == export.GeoJSON {
		g.quantities = []wire.Quantity{wire.PM2_5}
	}
	return g, nil
}

// readWindow reads which window a request asks for; all its other parameters must have been read.
func (s *Server) readWindow(q *query, g *gridQuery, now time.Time) error {
	g.window, _ = aggregate.ParseWindow(q.choice("window", "live", "live", "1h", "24h")) // one of them
	when := q.text("time", "latest")
	if err := q.done(); err != nil {
		return err
	}
	if g.window == aggregate.Live {
		g.at = now.Truncate(time.Second)
		if when != "latest" {
			return wrong("time", "a live average is of now: leave time out, or ask for window=1h or 24h")
		}
		return nil
	}
	g.at = s.windowStart(g.window, now.Add(-aggregate.Grace)).Add(-time.Duration(g.window.Seconds()) * time.Second)
	if when == "latest" {
		return nil
	}
	at, err := export.ParseTime(when)
	if err != nil {
		return wrong("time", "time: %v, nor \"latest\"", err)
	}
	g.at = s.windowStart(g.window, at)
	return nil
}

// windowStart is the start of the hour or day that a moment lies in.
func (s *Server) windowStart(window aggregate.Window, at time.Time) time.Time {
	if window == aggregate.Day {
		return aggregate.DayOf(at, s.City.DayOffset)
	}
	return at.Truncate(time.Hour)
}

// getGrid answers with the average of each cell over a window.
func (s *Server) getGrid(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	g, err := s.readGridQuery(r, now)
	if err != nil {
		return err
	}
	if !g.kept(now) && g.resolution != s.City.Resolution {
		p := wrong("resolution", "averages before %s are kept at %d m only", now.Add(-aggregate.Late).Truncate(time.Hour).Format(time.RFC3339), s.City.Resolution)
		p.Allowed = []string{fmt.Sprint(s.City.Resolution)}
		return p
	}
	meta := s.meta(now)
	s.head(w, meta, g.format, "grid-"+g.window.String(), g.at)
	encoder := export.NewGrid(w, g.format, meta)
	if err := encoder.Begin(); err != nil {
		return err
	}
	if err := s.gridRows(r.Context(), g, now, encoder.Add); err != nil {
		return err
	}
	return encoder.End()
}

// kept reports whether the window is whole in memory.
func (g gridQuery) kept(now time.Time) bool {
	return g.window == aggregate.Live || aggregate.Kept(g.at, now)
}

// gridRows adds the rows of a window, from memory where it is whole there, else from the store.
func (s *Server) gridRows(ctx context.Context, g gridQuery, now time.Time, add func(aggregate.Row) error) error {
	if g.kept(now) {
		return s.gridFromMemory(g, add)
	}
	return s.Store.Grid(ctx, store.GridQuery{
		From: g.at, To: g.at.Add(time.Second), Window: g.window, Quantities: g.quantities, Size: g.resolution,
	}, add)
}

// gridFromMemory adds the rows of each quantity asked for, of all when none is named.
func (s *Server) gridFromMemory(g gridQuery, add func(aggregate.Row) error) error {
	var rows []aggregate.Row
	switch g.window {
	case aggregate.Live:
		rows = s.live(g.at, g.resolution)
	case aggregate.Hour:
		rows = s.Aggregate.Hour(g.at, g.resolution, 0)
	case aggregate.Day:
		rows = s.Aggregate.Day(g.at, g.resolution, 0)
	}
	for _, row := range rows {
		if len(g.quantities) > 0 && !slices.Contains(g.quantities, wire.Quantity(row.Quantity)) {
			continue
		}
		if err := add(row); err != nil {
			return err
		}
	}
	return nil
}
