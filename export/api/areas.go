package api

import (
	"context"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// getCity answers with the boundary, what is measured, and the value of each quantity over a window.
func (s *Server) getCity(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	q := newQuery(r.URL.Query())
	g := gridQuery{resolution: s.City.Resolution}
	g.format = q.format(export.GeoJSON, export.GeoJSON, export.CSV)
	if err := s.readWindow(q, &g, now); err != nil {
		return err
	}
	areas, err := s.averages(r.Context(), g, now, []export.Area{s.city})
	if err != nil {
		return err
	}
	meta := s.meta(now)
	s.head(w, meta, g.format, "city-"+g.window.String(), g.start())
	if g.format == export.CSV {
		return export.WriteAreas(w, g.start(), g.window, areas)
	}
	var last *string
	if at := s.Now.Last(); !at.IsZero() {
		text := at.Format(time.RFC3339)
		last = &text
	}
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), map[string]any{
		"type":     "Feature",
		"geometry": map[string]any{"type": "MultiPolygon", "coordinates": s.City.Boundary.Geometry()},
		"properties": map[string]any{
			"name": s.City.Name, "zone": s.City.Zone, "sketch": s.City.Sketch, "registration": s.City.Policy,
			"grid_resolution": s.City.Resolution, "resolutions": geo.Resolutions(), "version": s.Version, "basemap": "", "contact": s.City.Contact,
			"quantities": areas[0].Values(), "index": areas[0].Indices(), "window": g.window.String(), "window_start": g.start().Format(time.RFC3339),
			"districts": len(s.City.Districts), "last_reading": last, "demo": meta.Demo,
		},
		"licence": meta.Licence, "attribution": meta.Attribution, "demo": meta.Demo, "notice": export.Notice,
		"generated": now.Format(time.RFC3339),
	})
}

// start is when the window begins.
func (g gridQuery) start() time.Time {
	if g.window == aggregate.Live {
		return g.at.Add(-time.Duration(g.window.Seconds()) * time.Second)
	}
	return g.at
}

// getDistricts answers with the average of each district over a window: the mean over its cells, which are those whose
// centre lies in it.
func (s *Server) getDistricts(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	q := newQuery(r.URL.Query())
	g := gridQuery{resolution: s.City.Resolution, quantities: q.quantities()}
	g.format = q.format(export.GeoJSON, export.GeoJSON, export.CSV)
	if err := s.readWindow(q, &g, now); err != nil {
		return err
	}
	if len(s.City.Districts) == 0 {
		return newProblem(http.StatusNotFound, "", "this city has no districts configured: see /api/v1/city and /api/v1/grid")
	}
	areas, err := s.averages(r.Context(), g, now, s.areas)
	if err != nil {
		return err
	}
	meta := s.meta(now)
	s.head(w, meta, g.format, "districts-"+g.window.String(), g.start())
	if g.format == export.CSV {
		return export.WriteAreas(w, g.start(), g.window, areas)
	}
	features := make([]map[string]any, len(areas))
	for i, area := range areas {
		features[i] = map[string]any{
			"type": "Feature", "id": area.Name,
			"geometry": map[string]any{"type": "MultiPolygon", "coordinates": s.City.Districts[i].Geometry()},
			"properties": map[string]any{
				"name": area.Name, "window": g.window.String(), "window_start": g.start().Format(time.RFC3339), "window_seconds": g.window.Seconds(),
				"quantities": area.Values(), "index": area.Indices(),
			},
		}
	}
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), map[string]any{
		"type": "FeatureCollection", "features": features, "licence": meta.Licence, "attribution": meta.Attribution,
		"generated": now.Format(time.RFC3339), "demo": meta.Demo, "notice": export.Notice,
	})
}

// averages are areas with their rows of a window.
func (s *Server) averages(ctx context.Context, g gridQuery, now time.Time, areas []export.Area) ([]export.Area, error) {
	var rows []aggregate.Row
	err := s.gridRows(ctx, g, now, func(row aggregate.Row) error {
		rows = append(rows, row)
		return nil
	})
	filled := make([]export.Area, len(areas))
	for i, area := range areas {
		filled[i] = area.With(rows)
	}
	return filled, err
}

// Area is the whole city, without rows.
func (c *City) Area() export.Area {
	return export.Area{Name: c.Name, Cells: c.Boundary.Cells(c.Resolution), People: c.People}
}

// districts are the city's, without rows. A cell belongs to the first that its centre lies in.
func (c *City) districts() []export.Area {
	taken := map[geo.Cell]bool{}
	areas := make([]export.Area, len(c.Districts))
	for i, d := range c.Districts {
		areas[i] = export.Area{Name: d.Name, People: c.People}
		for _, cell := range d.Cells(c.Resolution) {
			if !taken[cell] {
				taken[cell] = true
				areas[i].Cells = append(areas[i].Cells, cell)
			}
		}
	}
	return areas
}
