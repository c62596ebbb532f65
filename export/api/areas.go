package api

import (
	"context"
	"net/http"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

// getCity answers with the value of each quantity; as GeoJSON also with the boundary and the server's settings.
func (s *Server) getCity(w http.ResponseWriter, r *http.Request) error {
	return s.getAreas(w, r, "city", []export.Area{s.city}, s.cityGeoJSON)
}

// getDistricts answers with the average of each district: the mean over the cells whose centre lies in it.
func (s *Server) getDistricts(w http.ResponseWriter, r *http.Request) error {
	if len(s.City.Districts) == 0 {
		return newProblem(http.StatusNotFound, "", "this city has no districts configured: see /api/v1/city and /api/v1/grid").
			InGerman("Für diese Stadt sind keine Stadtteile eingerichtet: siehe /api/v1/city und /api/v1/grid.")
	}
	return s.getAreas(w, r, "districts", s.areas, s.districtsGeoJSON)
}

// getAreas answers with the averages of areas: rows of one window or of a period, or GeoJSON of one window.
func (s *Server) getAreas(w http.ResponseWriter, r *http.Request, what string, areas []export.Area,
	geojson func(g gridQuery, envelope export.Envelope, areas []export.Area) any) error {
	now, q := time.Now().UTC(), newQuery(r)
	g := gridQuery{resolution: s.City.Resolution, quantities: q.quantities()}
	s.readWindow(q, &g, now)
	d := q.document(s, r, g.from, g.to, gridSpans[g.window].most)
	if d.format == export.GeoJSON && g.period {
		q.Fail(wrong("format", "as GeoJSON one window can be had at once: ask with time, or for csv, json or parquet").
			InGerman("Als GeoJSON gibt es ein Fenster auf einmal: Frag mit time, oder nach csv, json oder parquet."))
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
		return writeJSON(w, http.StatusOK, d.format.MediaType(), geojson(g, d.meta.Envelope(), filled))
	}
	return send(w, r, d, func(add func(export.AreaRow) error) error {
		if !g.period || g.window != aggregate.Day {
			return s.areaRows(r.Context(), g, now, areas, add)
		}
		of := seriesOf(nil, g.quantities)
		of.areas = what
		return s.dayAreas.each(r.Context(), of, s.ceilDay(g.from), s.ceilDay(g.to), func(ctx context.Context, from, to time.Time) (list []export.AreaRow, err error) {
			part := g
			part.from, part.to = from, to
			err = s.areaRows(ctx, part, now, areas, func(row export.AreaRow) error {
				list = append(list, row)
				return nil
			})
			return list, err
		}, add)
	}, download.AtArea, download.NewAreas)
}

// areaRows adds the rows of the areas in each window.
func (s *Server) areaRows(ctx context.Context, g gridQuery, now time.Time, areas []export.Area, add func(export.AreaRow) error) error {
	return s.eachWindow(ctx, g, now, areas, func(start time.Time, areas []export.Area) error {
		return each(export.RowsOf(start, g.window, areas), add)
	})
}

// polygon is a GeoJSON Polygon, longitude first.
type polygon struct {
	Type        string      `json:"type" enum:"Polygon"`
	Coordinates orb.Polygon `json:"coordinates"`
}

// multiPolygon is a GeoJSON MultiPolygon, longitude first.
type multiPolygon struct {
	Type        string           `json:"type" enum:"MultiPolygon"`
	Coordinates orb.MultiPolygon `json:"coordinates"`
}

// cityFeature is the city as one feature.
type cityFeature struct {
	Type       string         `json:"type" enum:"Feature"`
	Geometry   multiPolygon   `json:"geometry"`
	Properties cityProperties `json:"properties"`
	export.Envelope
}

type cityProperties struct {
	Name         string          `json:"name"`
	Zone         string          `json:"zone"`
	Sketch       bool            `json:"sketch"`
	GeoNames     bool            `json:"geonames"` // whether names of places are GeoNames'
	Registration registry.Policy `json:"registration"`
	Resolution   int32           `json:"grid_resolution"`
	Resolutions  []int32         `json:"resolutions"`
	Version      string          `json:"version"`
	Basemap      string          `json:"basemap"`                        // the address of a style
	BasemapTiles string          `json:"basemap_tiles"`                  // path of our own
	Headline     string          `json:"headline_index" enum:"eaqi,lqi"` // of headlines and of the map's colours
	Contact      string          `json:"contact"`
	Districts    int             `json:"districts"`
	LastReading  *string         `json:"last_reading"`
	Demo         bool            `json:"demo"`
	areaProperties
}

// areaProperties are the averages of the city or a district over a window.
type areaProperties struct {
	Window     string              `json:"window"`
	Start      string              `json:"window_start"`
	Seconds    int                 `json:"window_seconds"`
	Quantities []areaValue         `json:"quantities"`
	Index      export.IndexClasses `json:"index"`
}

func (g gridQuery) properties(area export.Area) areaProperties {
	values := []areaValue{}
	for _, v := range area.Values() {
		values = append(values, areaValue{v})
	}
	return areaProperties{g.window.String(), g.start().Format(time.RFC3339), g.window.Seconds(), values, area.Indices()}
}

// areaValue is an average of an area, without what it is of.
type areaValue struct{ export.AreaValue }

// JSONSchema is that of the row's columns. An index that says nothing is left out.
func (areaValue) JSONSchema() openapi.Schema {
	indices := []string{"eaqi", "lqi"}
	object := objectSchema(export.AreaValueColumns.Without(indices...).Fields())
	for _, c := range export.AreaValueColumns.Only(indices...).Fields() {
		c.Empty = false
		object = object.May(c.Name, columnSchema(c))
	}
	return object
}

func (s *Server) cityGeoJSON(g gridQuery, envelope export.Envelope, areas []export.Area) any {
	var last *string
	if at := s.Live.Last(); !at.IsZero() {
		last = new(at.Format(time.RFC3339))
	}
	return cityFeature{"Feature", multiPolygon{"MultiPolygon", s.City.Boundary.Geometry()}, cityProperties{
		Name: s.City.Name, Zone: s.City.Zone, Sketch: s.City.Sketch, GeoNames: s.City.GeoNames, Registration: s.City.Policy,
		Resolution: s.City.Resolution, Resolutions: geo.Resolutions(), Version: s.Version, Headline: s.City.Index.String(), Contact: s.City.Contact,
		Basemap: s.City.Basemap.Style, BasemapTiles: s.City.Basemap.TilesRoute(),
		Districts: len(s.City.Districts), LastReading: last, Demo: envelope.Demo, areaProperties: g.properties(areas[0]),
	}, envelope}
}

// districtsCollection has a feature for each district, also for one without values.
type districtsCollection struct {
	Type string `json:"type" enum:"FeatureCollection"`
	export.Envelope
	Features []districtFeature `json:"features"`
}

type districtFeature struct {
	Type       string             `json:"type" enum:"Feature"`
	ID         string             `json:"id"`
	Geometry   multiPolygon       `json:"geometry"`
	Properties districtProperties `json:"properties"`
}

type districtProperties struct {
	Name string `json:"name"`
	areaProperties
}

func (s *Server) districtsGeoJSON(g gridQuery, envelope export.Envelope, areas []export.Area) any {
	features := make([]districtFeature, len(areas))
	for i, area := range areas {
		features[i] = districtFeature{"Feature", area.Name, multiPolygon{"MultiPolygon", s.City.Districts[i].Geometry()}, districtProperties{area.Name, g.properties(area)}}
	}
	return districtsCollection{"FeatureCollection", envelope, features}
}

// start returns the start of the window.
func (g gridQuery) start() time.Time {
	if g.window == aggregate.Live {
		return g.from.Add(-length(g.window))
	}
	return g.from
}

// eachWindow adds the areas of each window of a period.
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

// averages returns areas with their rows of a window.
func (s *Server) averages(ctx context.Context, g gridQuery, now time.Time, areas []export.Area) ([]export.Area, error) {
	var rows []aggregate.Row
	err := s.gridRows(ctx, g, now, func(row aggregate.Row) error {
		rows = append(rows, row)
		return nil
	})
	return with(areas, rows), err
}

// with returns the areas, each with its rows.
func with(areas []export.Area, rows []aggregate.Row) []export.Area {
	filled := make([]export.Area, len(areas))
	for i, area := range areas {
		filled[i] = area.With(rows)
	}
	return filled
}

// Area returns the whole city, without rows.
func (c *City) Area() export.Area {
	return export.Area{Name: c.Name, Whole: true, Cells: c.Boundary.Cells(c.Resolution), People: c.People}
}

// districts returns the city's districts, without rows. A cell belongs to the first district in which its centre lies.
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
