package api

import (
	"context"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// getCity answers with the value of each quantity, and as GeoJSON with the boundary and what this server is.
func (s *Server) getCity(w http.ResponseWriter, r *http.Request) error {
	return s.getAreas(w, r, "city", []export.Area{s.city}, s.cityGeoJSON)
}

// getDistricts answers with the average of each district: the mean over its cells, which are those whose centre lies
// in it.
func (s *Server) getDistricts(w http.ResponseWriter, r *http.Request) error {
	if len(s.City.Districts) == 0 {
		return newProblem(http.StatusNotFound, "", "this city has no districts configured: see /api/v1/city and /api/v1/grid")
	}
	return s.getAreas(w, r, "districts", s.areas, s.districtsGeoJSON)
}

// getAreas answers with the averages of areas: rows of one window or of a period, or GeoJSON of one window.
func (s *Server) getAreas(w http.ResponseWriter, r *http.Request, what string, areas []export.Area,
	geojson func(g gridQuery, meta export.Meta, areas []export.Area) map[string]any) error {
	now, q := time.Now().UTC(), newQuery(r)
	g := gridQuery{resolution: s.City.Resolution, quantities: q.quantities()}
	s.readWindow(q, &g, now)
	d := q.document(s, r, g.from, g.to, gridSpans[g.window].most)
	if d.format == export.GeoJSON && g.period {
		q.fail(wrong("format", "as GeoJSON one window can be had at once: ask with time, or for csv, json or parquet"))
	}
	if err := q.done(); err != nil {
		return err
	}
	s.announce(&d, &g, what)
	d.schema = "districts.json?window=" + g.window.String()
	d.meta.Averaging = export.AreaRule(g.window, s.City.Corrected)
	if d.format == export.GeoJSON {
		filled, err := s.averages(r.Context(), g, now, areas)
		if err != nil {
			return err
		}
		d.head(w)
		d.meta.Generated = now
		return writeGeoJSON(w, d.meta, geojson(g, d.meta, filled))
	}
	return send(w, r, d, func(add func(export.AreaRow) error) error {
		return s.eachWindow(r.Context(), g, now, areas, func(start time.Time, areas []export.Area) error {
			for _, row := range export.RowsOf(start, g.window, areas) {
				if err := add(row); err != nil {
					return err
				}
			}
			return nil
		})
	}, download.AtArea, download.NewAreas)
}

// cityGeoJSON is the city as one feature.
func (s *Server) cityGeoJSON(g gridQuery, meta export.Meta, areas []export.Area) map[string]any {
	var last *string
	if at := s.Now.Last(); !at.IsZero() {
		text := at.Format(time.RFC3339)
		last = &text
	}
	return map[string]any{
		"type":     "Feature",
		"geometry": map[string]any{"type": "MultiPolygon", "coordinates": s.City.Boundary.Geometry()},
		"properties": map[string]any{
			"name": s.City.Name, "zone": s.City.Zone, "sketch": s.City.Sketch, "registration": s.City.Policy,
			"grid_resolution": s.City.Resolution, "resolutions": geo.Resolutions(), "version": s.Version, "contact": s.City.Contact,
			"quantities": areas[0].Values(), "index": areas[0].Indices(), "window": g.window.String(), "window_start": g.start().Format(time.RFC3339),
			"basemap": s.City.Basemap.Style, "basemap_tiles": s.City.Basemap.TilesRoute(),
			"districts": len(s.City.Districts), "last_reading": last, "demo": meta.Demo,
		},
	}
}

// districtsGeoJSON has a feature for each district, also for one without values.
func (s *Server) districtsGeoJSON(g gridQuery, _ export.Meta, areas []export.Area) map[string]any {
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
	return map[string]any{"type": "FeatureCollection", "features": features}
}

// writeGeoJSON writes a document with what every one says of itself.
func writeGeoJSON(w http.ResponseWriter, meta export.Meta, document map[string]any) error {
	meta.AddTo(document)
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), document)
}

// start is when the window begins.
func (g gridQuery) start() time.Time {
	if g.window == aggregate.Live {
		return g.from.Add(-length(g.window))
	}
	return g.from
}

// eachWindow adds the areas of one window after the other.
func (s *Server) eachWindow(ctx context.Context, g gridQuery, now time.Time, areas []export.Area, add func(start time.Time, areas []export.Area) error) error {
	var rows []aggregate.Row
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		start := rows[0].Start
		filled := with(areas, rows)
		rows = rows[:0]
		return add(start, filled)
	}
	err := s.gridRows(ctx, g, now, func(row aggregate.Row) error {
		if len(rows) > 0 && !row.Start.Equal(rows[0].Start) {
			if err := flush(); err != nil {
				return err
			}
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// averages are areas with their rows of a window.
func (s *Server) averages(ctx context.Context, g gridQuery, now time.Time, areas []export.Area) ([]export.Area, error) {
	var rows []aggregate.Row
	err := s.gridRows(ctx, g, now, func(row aggregate.Row) error {
		rows = append(rows, row)
		return nil
	})
	return with(areas, rows), err
}

// with are areas, each with its rows.
func with(areas []export.Area, rows []aggregate.Row) []export.Area {
	filled := make([]export.Area, len(areas))
	for i, area := range areas {
		filled[i] = area.With(rows)
	}
	return filled
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
