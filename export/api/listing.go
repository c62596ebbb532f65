package api

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/httpapi/openapi"
)

// stationsCollection describes the list; stationList writes it.
type stationsCollection struct {
	Type string `json:"type" enum:"FeatureCollection"`
	export.Envelope
	Features []listedStation `json:"features"`
}

// listedStation is a station in a list.
type listedStation struct {
	Type       string           `json:"type" enum:"Feature"`
	ID         string           `json:"id"`
	Geometry   point            `json:"geometry"`
	Properties listedProperties `json:"properties"`
}

// listedProperties are the selected members of stationProperties, by their names in JSON.
type listedProperties struct{}

// JSONSchema returns the schema of stationProperties with those members that can be listed; none is required.
func (listedProperties) JSONSchema() openapi.Schema {
	s := openapi.SchemaOf(stationProperties{})
	delete(s, "required")
	maps.DeleteFunc(s["properties"].(map[string]any), func(name string, _ any) bool { return !slices.Contains(listableNames, name) })
	return s
}

var listParameters = []openapi.Parameter{
	sourceParameter,
	{Name: "fields", Kind: openapi.List, Choices: listableNames, About: bilingual.Text{
		EN: "which properties of each station; without it all, which are many", DE: "welche Eigenschaften jeder Station; sonst alle, und das sind viele"}},
	quantityParameter(everyQuantity),
	{Name: "time", Default: "latest", About: bilingual.Text{
		EN: "as they were at this moment: those that stood then, at the places of then, with the last values of the hour before, without means; latest is now",
		DE: "wie sie zu diesem Zeitpunkt waren: die damals standen, an den Orten von damals, mit den letzten Werten der Stunde davor, ohne Mittel; latest ist jetzt"}},
}

// getStations answers with the public stations and their latest values.
func (s *Server) getStations(w http.ResponseWriter, r *http.Request) error {
	q, now := newQuery(r), time.Now().UTC()
	fields, quantities, at := q.list("fields"), q.list("quantity"), time.Time{}
	if q.text("time") != "latest" {
		at = q.time("time", at)
	}
	if err := q.done(); err != nil {
		return err
	}
	stations := export.FromSource(s.Registry.Stations(), q.text("source"))
	meta := s.metaOf(now, stations)
	meta.Averaging = export.Single
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", export.GeoJSON.MediaType())
	licences(w.Header(), meta)
	list := newStationList(w, meta, fields, quantities)
	if !at.IsZero() && at.Before(now) {
		if err := s.addPastStations(w, r, q, list, stations, at); err != nil {
			return err
		}
		return list.end()
	}
	for _, st := range stations {
		if !public(st) {
			continue
		}
		if err := list.add(st, now, s.Live.Station(st.ID, now), func() []aggregate.StationMean { return s.recentMeans(st, now) }); err != nil {
			return err
		}
	}
	return list.end()
}
