package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// TestAnOfficialStation gives hours, the last of which began three hours ago: it is neither silent nor rare, and its mean is
// that hour. Of hours that are older than four there is none.
func TestAnOfficialStation(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC()
	station, err := h.server.Registry.Adopt(t.Context(), registry.Foreign{
		Source: ingest.UBA, Key: "DENW211", Name: "Köln", Point: orb.Point{6.9583, 50.9413}, Since: now.AddDate(0, 0, -1), Kit: "reference", Exposure: ingest.Outdoor, Licence: "dl-de/by-2-0",
	})
	if err != nil {
		t.Fatal(err)
	}
	observe := func(q quantity.Quantity, ago time.Duration) {
		at := now.Add(-ago)
		h.server.Live.Observe(ingest.Reading{Station: station.ID, Time: at, Received: at, Values: []ingest.Value{value(q, 12)}})
	}
	for hours := 9; hours >= 3; hours-- {
		observe(quantity.PM2_5, time.Duration(hours)*time.Hour)
	}
	observe(quantity.NO2, 5*time.Hour)
	var health struct {
		State string
		Rare  *struct{ EN string }
	}
	type properties struct {
		State    string
		Official bool
		Rare     bool
		SourceID string `json:"source_id"`
		Means    map[string]struct{ Mean, Coverage float64 }
	}
	var one struct{ Properties properties }
	var all struct {
		Features []struct{ Properties properties }
	}
	for path, to := range map[string]any{"/api/v1/stations/" + station.ID + "/health": &health, "/api/v1/stations/" + station.ID: &one, "/api/v1/stations?source=official": &all} {
		if err := json.Unmarshal(h.get(path), to); err != nil {
			t.Fatal(err)
		}
	}
	if health.State != "ok" || health.Rare != nil {
		t.Errorf("health %+v", health)
	}
	if len(all.Features) != 1 {
		t.Fatalf("%d official stations, want one", len(all.Features))
	}
	for _, got := range []properties{one.Properties, all.Features[0].Properties} {
		if got.State != "ok" || !got.Official || got.Rare || got.SourceID != "denw211" || len(got.Means) != 1 || got.Means["pm2_5"].Mean != 12 || got.Means["pm2_5"].Coverage != 1 {
			t.Errorf("properties %+v", got)
		}
	}
}
