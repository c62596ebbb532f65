package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/httpapi/openapi"
)

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
type listedProperties map[string]any

// JSONSchema returns the schema of stationProperties with those members that can be listed; none is required.
func (listedProperties) JSONSchema() openapi.Schema {
	s := openapi.SchemaOf(stationProperties{})
	delete(s, "required")
	maps.DeleteFunc(s["properties"].(map[string]any), func(name string, _ any) bool { _, has := listable[name]; return !has })
	return s
}

// listable are the properties of a station in a list: their field indices in stationProperties, by name in JSON.
var listable = func() map[string]int {
	fields := map[string]int{}
	properties := reflect.TypeFor[stationProperties]()
	for i := range properties.NumField() {
		name, _, _ := strings.Cut(properties.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	delete(fields, "reason") // suspended stations are not listed
	return fields
}()

var listParameters = []openapi.Parameter{
	sourceParameter,
	{Name: "fields", Kind: openapi.List, Choices: slices.Sorted(maps.Keys(listable)), About: bilingual.Text{
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
	features := []listedStation{}
	stations := export.FromSource(s.Registry.Stations(), q.text("source"))
	if !at.IsZero() && at.Before(now) {
		var err error
		if features, err = s.getPastStations(w, r, q, stations, at); err != nil {
			return err
		}
	} else {
		for _, st := range stations {
			if public(st) {
				features = append(features, listed(s.observed(st, now), func() []aggregate.StationMean { return s.recentMeans(st, now) }, fields, quantities))
			}
		}
	}
	meta := s.metaOf(now, stations)
	meta.Averaging = export.Single
	w.Header().Set("Cache-Control", "no-cache")
	licences(w.Header(), meta)
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), stationsCollection{"FeatureCollection", meta.Envelope(), features})
}

// listed returns a station with the named properties, and with values and means of the named quantities; all when none
// are named. means returns its means.
func listed(f stationFeature, means func() []aggregate.StationMean, fields, quantities []string) listedStation {
	all := len(fields) == 0
	if all || slices.Contains(fields, "means") || slices.Contains(fields, "index") {
		f.Properties.addMeans(means())
	}
	if len(quantities) > 0 {
		keep(f.Properties.Values, quantities)
		keep(f.Properties.Means, quantities)
	}
	chosen, values := listedProperties{}, reflect.ValueOf(f.Properties)
	for name, at := range listable {
		if all || slices.Contains(fields, name) {
			chosen[name] = values.Field(at).Interface()
		}
	}
	return listedStation{f.Type, f.ID, f.Geometry, chosen}
}

// keep deletes all but the named keys from a map.
func keep[T any](m map[string]T, names []string) {
	maps.DeleteFunc(m, func(name string, _ T) bool { return !slices.Contains(names, name) })
}
