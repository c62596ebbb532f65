package api

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/ingest"
)

// getInstallations answers with the periods of every station whose readings are public.
func (s *Server) getInstallations(w http.ResponseWriter, r *http.Request) error {
	return sendOfStations(s, w, r, "installations", download.NewInstallations, func(st *ingest.Station) []export.Installed {
		return export.Installations(st, time.Time{}, time.Time{})
	})
}

// getCalibrations answers with the calibrations of the same stations.
func (s *Server) getCalibrations(w http.ResponseWriter, r *http.Request) error {
	return sendOfStations(s, w, r, "calibrations", download.NewCalibrations, func(st *ingest.Station) []export.Calibrated {
		return export.CalibratedOf(st, time.Time{}, time.Time{})
	})
}

// sendOfStations answers with a table whose rows are each of one station, by station.
func sendOfStations[T any](s *Server, w http.ResponseWriter, r *http.Request, name string, encoder func(io.Writer, export.Format, export.Meta) export.Encoder[T], rowsOf func(*ingest.Station) []T) error {
	q, now := newQuery(r), time.Now().UTC()
	d := document{format: q.format(), name: name, schema: name + ".json", from: now.Truncate(time.Second)}
	source := q.text("source")
	if err := q.done(); err != nil {
		return err
	}
	stations := slices.DeleteFunc(s.Registry.Stations(), func(st *ingest.Station) bool {
		return st.Hidden() || st.Status == ingest.Erased || !export.IsFrom(st, source)
	})
	slices.SortFunc(stations, func(a, b *ingest.Station) int { return strings.Compare(a.ID, b.ID) })
	d.meta = s.source().Meta(stations)
	var rows []T
	for _, st := range stations {
		rows = append(rows, rowsOf(st)...)
	}
	return sendWhole(w, r, d, rows, encoder)
}
