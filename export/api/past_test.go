package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// TestStationsOfThePast has a neighbour's station that stood in one place, then in another with another sensor, and one of the
// city's that is new.
func TestStationsOfThePast(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC().Truncate(time.Second)
	places := [2]orb.Point{{6.9583, 50.9413}, {6.99, 50.95}}
	var id string
	for i, at := range []time.Duration{-6 * time.Hour, -2 * time.Hour} {
		st, err := h.server.Registry.Adopt(t.Context(), registry.Foreign{
			Source: registry.SensorCommunity, Key: "7", Name: "Sensor.Community 7", Point: places[i], Since: now.Add(at), Kit: "Sensor.Community", Exposure: ingest.Outdoor, Licence: "ODbL-1.0",
			Fitted: []registry.Fitted{{ID: string(rune('1' + i)), Type: "sds011", Kind: "particles", From: now.Add(at), Until: now.Add(at).Add(time.Hour)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		id = st.ID
	}
	for _, at := range []time.Duration{-5 * time.Hour, -4*time.Hour - 5*time.Minute, -time.Hour} {
		h.store.Held = append(h.store.Held, ingest.Reading{Station: id, Time: now.Add(at), Received: now, Values: []ingest.Value{value(quantity.PM2_5, -at.Hours())}})
	}
	type answer struct {
		Features []struct {
			ID         string
			Geometry   struct{ Coordinates orb.Point }
			Properties struct {
				State    string
				Height   *float64
				SourceID string `json:"source_id"`
				LastSeen string `json:"last_seen"`
				Values   map[string]struct{ Value float64 }
			}
		}
	}
	f := func(before time.Duration, place int, state, source string, wantValue float64) {
		t.Helper()
		var got answer
		if err := json.Unmarshal(h.get("/api/v1/stations?time="+now.Add(-before).Format(time.RFC3339)), &got); err != nil {
			t.Fatal(err)
		}
		if place < 0 {
			if len(got.Features) != 0 {
				t.Errorf("%v ago: %+v, want none", before, got.Features)
			}
			return
		}
		if len(got.Features) != 1 {
			t.Fatalf("%v ago: %+v, want the neighbour's station alone", before, got.Features)
		}
		s := got.Features[0]
		cell, _ := geo.CellAt(places[place], geo.BaseSize)
		if s.ID != id || s.Geometry.Coordinates != geo.Published(cell.Center()) || s.Properties.State != state || s.Properties.Height != nil || s.Properties.SourceID != source || s.Properties.Values["pm2_5"].Value != wantValue {
			t.Errorf("%v ago: %+v", before, s)
		}
	}
	f(7*time.Hour, -1, "", "", 0)
	f(4*time.Hour, 0, "ok", "sds011:1", 4+5./60)
	f(150*time.Minute, 0, "silent", "sds011:1", 0)
	f(30*time.Minute, 1, "silent", "sds011:2", 1)
	var current answer
	if err := json.Unmarshal(h.get("/api/v1/stations"), &current); err != nil || len(current.Features) != 2 {
		t.Errorf("now: %+v, %v, want both", current, err)
	}
	h.store.Held = append(h.store.Held, ingest.Reading{Station: h.station.ID, Time: now.Add(-7*time.Hour - time.Minute), Values: []ingest.Value{value(quantity.PM2_5, 9)}})
	var before answer // which a station sent after it was registered, of the time before
	if err := json.Unmarshal(h.get("/api/v1/stations?time="+now.Add(-7*time.Hour).Format(time.RFC3339)), &before); err != nil || len(before.Features) != 1 || before.Features[0].Properties.State != "ok" {
		t.Errorf("before the registration: %+v, %v", before, err)
	}
	if response, _ := h.do("GET", "/api/v1/stations?time=noon", ""); response.StatusCode != 400 {
		t.Errorf("noon: %s", response.Status)
	}
}
