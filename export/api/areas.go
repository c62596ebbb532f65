package api

import (
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// getCity answers with the boundary, what is measured, and the value of each quantity over a window.
func (s *Server) getCity(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	g := gridQuery{resolution: s.City.Resolution}
	if err := s.readWindow(newQuery(r.URL.Query()), &g, now); err != nil {
		return err
	}
	area := export.Area{Name: s.City.Name, AllCells: s.CityCells()}
	err := s.gridRows(r.Context(), g, now, func(row aggregate.Row) error {
		area.Rows = append(area.Rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	values := area.Values()
	w.Header().Set("Cache-Control", "no-cache")
	meta := s.meta(now)
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
			"quantities": values, "index": export.Indices(values), "window": g.window.String(), "window_start": g.start().Format(time.RFC3339),
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
	areas := make([]export.Area, len(s.City.Districts))
	for i, d := range s.City.Districts {
		areas[i] = export.Area{Name: d.Name, AllCells: s.districtCells[i]}
	}
	err := s.gridRows(r.Context(), g, now, func(row aggregate.Row) error {
		if i, within := s.districtOf[row.Cell]; within {
			areas[i].Rows = append(areas[i].Rows, row)
		}
		return nil
	})
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
		values := area.Values()
		features[i] = map[string]any{
			"type": "Feature", "id": area.Name,
			"geometry": map[string]any{"type": "MultiPolygon", "coordinates": s.City.Districts[i].Geometry()},
			"properties": map[string]any{
				"name": area.Name, "window": g.window.String(), "window_start": g.start().Format(time.RFC3339), "window_seconds": g.window.Seconds(),
				"quantities": values, "index": export.Indices(values),
			},
		}
	}
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), map[string]any{
		"type": "FeatureCollection", "features": features, "licence": meta.Licence, "attribution": meta.Attribution,
		"generated": now.Format(time.RFC3339), "demo": meta.Demo, "notice": export.Notice,
	})
}

// countCells notes how many cells the city has, and which district of the stored resolution each belongs to.
func (s *Server) countCells() {
	s.cityCells = map[int32]int{}
	for _, size := range geo.Resolutions() {
		if size >= 500 {
			s.cityCells[size] = len(s.City.Boundary.Cells(size))
		}
	}
	s.districtOf, s.districtCells = map[geo.Cell]int{}, make([]int, len(s.City.Districts))
	for i, d := range s.City.Districts {
		for _, cell := range d.Cells(s.City.Resolution) {
			if _, taken := s.districtOf[cell]; !taken {
				s.districtOf[cell] = i
				s.districtCells[i]++
			}
		}
	}
}
