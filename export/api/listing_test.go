package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
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
	const everything = "cell demo exposure height index interval_seconds kit last_seen licence means name official rare sensors side source source_id state status values"
	f("", everything, both)
	f("?quantity=pm10", everything, map[string]float64{"pm10": 20.1})
	f("?fields=state", "state", map[string]float64{})
	f("?fields=state,name,values&quantity=temperature,pm10", "name state values", both)
	f("?fields=values&quantity=no2", "values", map[string]float64{})
	f("?fields="+strings.ReplaceAll(everything, " ", ","), everything, both)
}

// TestStationsAsTables asks for a station that went indoors, as a table.
func TestStationsAsTables(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	err := h.server.Registry.AddCalibration(t.Context(), h.station.ID, registry.Shell, ingest.Calibration{Quantity: quantity.NO2, From: time.Now().UTC().Truncate(time.Hour), Slope: 2, Reference: "LANUV"})
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now().UTC().Truncate(time.Second)
	h.server.snapshots.turn(time.Time{})
	if err := h.server.Registry.Edit(t.Context(), h.station.ID, registry.Owner, registry.Edit{Exposure: &ingest.ExposedSince{Exposure: ingest.Indoor}}); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"csv", "parquet", "json"} {
		for _, name := range []string{"installations", "calibrations"} {
			if len(h.get("/api/v1/"+name+"?format="+format)) == 0 {
				t.Errorf("%s as %s is empty", name, format)
			}
		}
	}
	rows := h.lines("/api/v1/installations", export.InstallationsTable.Header(), ',')
	last := rows[len(rows)-1]
	if changed, err := time.Parse(time.RFC3339, last[1]); err != nil || changed.Before(from) || last[0] != h.station.ID || last[5] != "indoor" || last[2] != "" {
		t.Errorf("periods %q, %v", rows, err)
	}
	if rows := h.lines("/api/v1/calibrations?source=own", export.CalibrationsTable.Header(), ','); len(rows) != 1 || rows[0][1] != "no2" || rows[0][6] != "2" {
		t.Errorf("calibrations %q", rows)
	}
	if rows := h.lines("/api/v1/installations?source=sensor-community", export.InstallationsTable.Header(), ','); len(rows) != 0 {
		t.Errorf("of neighbours: %q", rows)
	}
	if err := h.server.Registry.Edit(t.Context(), h.station.ID, registry.Admin, registry.Edit{Status: new(ingest.Suspended), Reason: new("x")}); err != nil {
		t.Fatal(err)
	}
	if rows := h.lines("/api/v1/installations?delimiter=semicolon", export.InstallationsTable.Header(), ';'); len(rows) != 0 {
		t.Errorf("of a suspended station: %q", rows)
	}
}
