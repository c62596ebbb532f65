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

// getCity answers with the boundary, what is measured, and the value of each quantity over a window.
func (s *Server) getCity(w http.ResponseWriter, r *http.Request) error {
	now, q := time.Now().UTC(), newQuery(r)
	g := gridQuery{resolution: s.City.Resolution}
	s.readWindow(q, &g, now)
	if err := q.done(); err != nil {
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
	meta.Averaging = export.AreaRule(g.window, s.City.Corrected)
	licences(w.Header(), meta)
	var last *string
	if at := s.Now.Last(); !at.IsZero() {
		text := at.Format(time.RFC3339)
		last = &text
	}
	return writeGeoJSON(w, meta, map[string]any{
		"type":     "Feature",
		"geometry": map[string]any{"type": "MultiPolygon", "coordinates": s.City.Boundary.Geometry()},
		"properties": map[string]any{
			"name": s.City.Name, "zone": s.City.Zone, "sketch": s.City.Sketch, "registration": s.City.Policy,
			"grid_resolution": s.City.Resolution, "resolutions": geo.Resolutions(), "version": s.Version, "basemap": "", "contact": s.City.Contact,
			"quantities": values, "index": export.Indices(values), "window": g.window.String(), "window_start": g.start().Format(time.RFC3339),
			"districts": len(s.City.Districts), "last_reading": last, "demo": meta.Demo,
		},
	})
}

// start is when the window begins.
func (g gridQuery) start() time.Time {
	if g.window == aggregate.Live {
		return g.from.Add(-length(g.window))
	}
	return g.from
}

// getDistricts answers with the average of each district: the mean over its cells, which are those whose centre lies
// in it.
func (s *Server) getDistricts(w http.ResponseWriter, r *http.Request) error {
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
	if len(s.City.Districts) == 0 {
		return newProblem(http.StatusNotFound, "", "this city has no districts configured: see /api/v1/city and /api/v1/grid")
	}
	s.announce(&d, &g, "districts")
	d.meta.Averaging = export.AreaRule(g.window, s.City.Corrected)
	if d.format == export.GeoJSON {
		return s.districtsGeoJSON(w, r, d, g, now)
	}
	return send(w, r, d, func(add func(export.AreaRow) error) error {
		return s.eachDistricts(r.Context(), g, now, func(start time.Time, areas []export.Area) error {
			for _, row := range export.RowsOf(start, g.window, areas) {
				if err := add(row); err != nil {
					return err
				}
			}
			return nil
		})
	}, download.AtArea, download.NewAreas)
}

// eachDistricts adds the districts of one window after the other.
func (s *Server) eachDistricts(ctx context.Context, g gridQuery, now time.Time, add func(start time.Time, areas []export.Area) error) error {
	areas, start := s.districts(), g.start()
	err := s.gridRows(ctx, g, now, func(row aggregate.Row) error {
		if !row.Start.Equal(start) {
			if err := add(start, areas); err != nil {
				return err
			}
			areas, start = s.districts(), row.Start
		}
		if i, within := s.districtOf[row.Cell]; within {
			areas[i].Rows = append(areas[i].Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return add(start, areas)
}

// districts are the city's, without values.
func (s *Server) districts() []export.Area {
	areas := make([]export.Area, len(s.City.Districts))
	for i, d := range s.City.Districts {
		areas[i] = export.Area{Name: d.Name, AllCells: s.districtCells[i]}
	}
	return areas
}

// districtsGeoJSON has a feature for each district, also for one without values.
func (s *Server) districtsGeoJSON(w http.ResponseWriter, r *http.Request, d document, g gridQuery, now time.Time) error {
	var features []map[string]any
	err := s.eachDistricts(r.Context(), g, now, func(_ time.Time, areas []export.Area) error {
		for i, area := range areas {
			values := area.Values()
			features = append(features, map[string]any{
				"type": "Feature", "id": area.Name,
				"geometry": map[string]any{"type": "MultiPolygon", "coordinates": s.City.Districts[i].Geometry()},
				"properties": map[string]any{
					"name": area.Name, "window": g.window.String(), "window_start": g.start().Format(time.RFC3339), "window_seconds": g.window.Seconds(),
					"quantities": values, "index": export.Indices(values),
				},
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.head(w)
	d.meta.Generated = now
	return writeGeoJSON(w, d.meta, map[string]any{"type": "FeatureCollection", "features": features})
}

// writeGeoJSON writes a document with what every one says of itself.
func writeGeoJSON(w http.ResponseWriter, meta export.Meta, document map[string]any) error {
	meta.AddTo(document)
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), document)
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
