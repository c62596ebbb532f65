package api

import (
	"net/http"
	"time"

	"stadtluft/export"
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
	h.Set("Link", `<`+export.LicenceURL(meta.Licence)+`>; rel="license"`)
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
