package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/registry"
)

// listed is the only station of a list: the names of its properties, and its latest values.
func (h *fixture) listed(query string) (names string, values map[string]float64) {
	h.t.Helper()
	var list struct {
		Features []struct {
			ID         string
			Geometry   struct{ Coordinates []float64 }
			Properties map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(h.get("/api/v1/stations"+query), &list); err != nil {
		h.t.Fatal(err)
	}
	if len(list.Features) != 1 || list.Features[0].ID != h.station.ID || len(list.Features[0].Geometry.Coordinates) != 2 {
		h.t.Fatalf("%s: %+v", query, list)
	}
	properties := list.Features[0].Properties
	var latest map[string]struct{ Value float64 }
	if err := json.Unmarshal(properties["values"], &latest); properties["values"] != nil && err != nil {
		h.t.Fatal(err)
	}
	values = map[string]float64{}
	for name, v := range latest {
		values[name] = v.Value
	}
	return strings.Join(slices.Sorted(maps.Keys(properties)), " "), values
}

func TestListOfStations(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.measure(time.Now().UTC(), value(quantity.PM10, 20.1), value(quantity.Temperature, 7))
	f := func(query, want string, wantValues map[string]float64) {
		t.Helper()
		if names, values := h.listed(query); names != want || !maps.Equal(values, wantValues) {
			t.Errorf("%s has %s with %v, want %s with %v", query, names, values, want, wantValues)
		}
	}
	both := map[string]float64{"pm10": 20.1, "temperature": 7}
	const everything = "cell demo exposure height index kit last_seen licence means name official sensors side source state status values"
	f("", everything, both)
	f("?quantity=pm10", everything, map[string]float64{"pm10": 20.1})
	f("?fields=state", "state", map[string]float64{})
	f("?fields=state,name,values&quantity=temperature,pm10", "name state values", both)
	f("?fields=values&quantity=no2", "values", map[string]float64{})
	f("?fields="+strings.ReplaceAll(everything, " ", ","), everything, both)
}
