package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// maxGeoJSON bounds the period of readings as GeoJSON, which clients hold in memory whole. CSV streams and
// has no bound.
const maxGeoJSON = 31 * 24 * time.Hour

// getReadings answers with every station's readings of a period.
func (s *Server) getReadings(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r.URL.Query())
	only := q.text("station", "")
	if _, ok := s.Registry.Station(only); only != "" && !ok {
		q.fail(newProblem(http.StatusNotFound, "station", "no station %q is registered", clip(only)))
	}
	return s.readings(w, r, q, only)
}

// getStationReadings answers with one station's readings of a period.
func (s *Server) getStationReadings(w http.ResponseWriter, r *http.Request) error {
	st, err := s.station(r)
	if err != nil {
		return err
	}
	return s.readings(w, r, newQuery(r.URL.Query()), st.ID)
}

func (s *Server) readings(w http.ResponseWriter, r *http.Request, q *query, station string) error {
	now := time.Now().UTC()
	from, to := q.period(now)
	format := q.format(export.CSV, export.CSV, export.GeoJSON)
	selection := store.ReadingQuery{From: from, To: to, Quantities: q.quantities()}
	if station != "" {
		selection.Stations = []string{station}
	}
	box, boxed := q.bbox()
	onlyGood := q.choice("flags", "all", "all", "good") == "good"
	source := q.choice("source", export.AllSources, export.Sources()...)
	if err := q.done(); err != nil {
		return err
	}
	if format == export.GeoJSON && to.Sub(from) > maxGeoJSON {
		return wrong("from", "as GeoJSON at most %.0f days can be had at once; CSV has no such limit", maxGeoJSON.Hours()/24)
	}
	meta := s.metaOf(now, export.FromSource(s.Registry.Stations(), source))
	s.head(w, meta, format, "readings", from)
	encoder := export.NewReadings(w, format, s.Registry, meta)
	if err := encoder.Begin(); err != nil {
		return err
	}
	err := s.Store.Readings(r.Context(), selection, func(reading ingest.Reading) error {
		st, known := s.Registry.Station(reading.Station)
		if boxed && !(known && box.Contains(st.PlaceAt(reading.Time).Public)) || source != export.AllSources && !(known && export.IsFrom(st, source)) {
			return nil
		}
		if onlyGood {
			reading.Values = good(reading.Values)
		}
		return encoder.Add(reading)
	})
	if err != nil {
		return err
	}
	return encoder.End()
}

// head announces a file. Demo data says so in its name.
func (s *Server) head(w http.ResponseWriter, meta export.Meta, format export.Format, what string, from time.Time) {
	name := "stadtluft-" + what + "-" + from.Format("20060102T150405Z") + "." + string(format)
	if meta.Demo {
		name = "demo-" + name
	}
	h := w.Header()
	h.Set("Content-Type", format.MediaType())
	h.Set("Content-Disposition", `inline; filename="`+name+`"`)
	h.Set("Cache-Control", "no-cache")
	h.Set("Link", `<http://dcat-ap.de/def/licenses/`+meta.Licence+`>; rel="license"`)
	for _, licence := range meta.Licences {
		h.Add("Link", `<`+licence+`>; rel="license"`)
	}
}

func good(values []ingest.Value) []ingest.Value {
	kept := values[:0]
	for _, v := range values {
		if v.Flags.Good() {
			kept = append(kept, v)
		}
	}
	return kept
}

// gridQuery is what a request for grid averages asks for.
type gridQuery struct {
	window     aggregate.Window
	at         time.Time // start of the hour, or the moment of the live average
	resolution int32
	quantities []wire.Quantity
	format     export.Format
}

func (s *Server) readGridQuery(r *http.Request, now time.Time) (gridQuery, error) {
	q := newQuery(r.URL.Query())
	g := gridQuery{quantities: q.quantities(), resolution: q.resolution(s.City.Resolution)}
	g.window, _ = aggregate.ParseWindow(q.choice("window", "live", "live", "1h")) // one of the two
	g.format = q.format(export.GeoJSON, export.GeoJSON, export.CSV)
	when := q.text("time", "latest")
	if err := q.done(); err != nil {
		return g, err
	}
	if len(g.quantities) == 0 && g.format == export.GeoJSON {
		g.quantities = []wire.Quantity{wire.PM2_5}
	}
	if g.window == aggregate.Live {
		g.at = now.Truncate(time.Second)
		if when != "latest" {
			return g, wrong("time", "a live average is of now: leave time out, or ask for window=1h")
		}
		return g, nil
	}
	g.at = now.Add(-aggregate.Grace).Truncate(time.Hour).Add(-time.Hour)
	if when == "latest" {
		return g, nil
	}
	at, err := export.ParseTime(when)
	if err != nil {
		return g, wrong("time", "time: %v, nor \"latest\"", err)
	}
	g.at = at.Truncate(time.Hour)
	return g, nil
}

// getGrid answers with the average of each cell over a window.
func (s *Server) getGrid(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	g, err := s.readGridQuery(r, now)
	if err != nil {
		return err
	}
	kept := g.window == aggregate.Live || aggregate.Kept(g.at, now)
	if !kept && g.resolution != s.City.Resolution {
		p := wrong("resolution", "hours before %s are kept at %d m only", now.Add(-aggregate.Late).Truncate(time.Hour).Format(time.RFC3339), s.City.Resolution)
		p.Allowed = []string{fmt.Sprint(s.City.Resolution)}
		return p
	}
	meta := s.meta(now)
	s.head(w, meta, g.format, "grid-"+g.window.String(), g.at)
	encoder := export.NewGrid(w, g.format, meta)
	if err := encoder.Begin(); err != nil {
		return err
	}
	if kept {
		err = s.gridFromMemory(g, encoder.Add)
	} else {
		err = s.Store.Grid(r.Context(), store.GridQuery{
			From: g.at, To: g.at.Add(time.Hour), Window: g.window, Quantities: g.quantities, Size: g.resolution,
		}, encoder.Add)
	}
	if err != nil {
		return err
	}
	return encoder.End()
}

// gridFromMemory adds the rows of each quantity asked for, of all when none is named.
func (s *Server) gridFromMemory(g gridQuery, add func(aggregate.Row) error) error {
	var rows []aggregate.Row
	if g.window == aggregate.Live {
		rows = s.live(g.at, g.resolution)
	} else {
		rows = s.Aggregate.Hour(g.at, g.resolution, 0)
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

// cityQuantity is the live value of the whole city.
type cityQuantity struct {
	Quantity  string       `json:"quantity"`
	Unit      string       `json:"unit"`
	Mean      export.Milli `json:"mean"`
	Cells     int          `json:"cells"`
	CityCells int          `json:"city_cells"`
	Share     export.Milli `json:"share"`
	Stations  int          `json:"stations"`
	EAQI      int          `json:"eaqi,omitempty"`
}

// getCity answers with the boundary, what is measured, and the live value of each quantity.
func (s *Server) getCity(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r.URL.Query()).done(); err != nil {
		return err
	}
	now := time.Now().UTC()
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
			"grid_resolution": s.City.Resolution, "resolutions": geo.Resolutions(), "version": s.Version, "basemap": "",
			"quantities": s.cityQuantities(now), "last_reading": last, "demo": meta.Demo,
		},
		"licence": meta.Licence, "attribution": meta.Attribution, "demo": meta.Demo, "notice": export.Notice,
		"generated": now.Format(time.RFC3339),
	})
}

func (s *Server) cityQuantities(now time.Time) []cityQuantity {
	list := []cityQuantity{}
	byQuantity(s.live(now.Truncate(time.Second), s.City.Resolution), func(q wire.Quantity, rows []aggregate.Row) {
		mean, _ := aggregate.City(rows) // there is a row
		c := cityQuantity{
			Quantity: q.String(), Unit: q.Unit(), Mean: export.Milli(mean), Cells: len(rows), CityCells: s.CityCells(),
			Share: export.Milli(min(1000, len(rows)*1000/s.CityCells())),
		}
		for _, row := range rows {
			c.Stations += row.Stations
		}
		if class, ok := export.EAQI(q, mean); ok {
			c.EAQI = int(class)
		}
		list = append(list, c)
	})
	return list
}
