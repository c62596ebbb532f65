package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/registry"
)

// TestRareKitsAreTold has a station that sends every 15 minutes, and then every hour: its health and its properties say
// when that is too rare for hourly means.
func TestRareKitsAreTold(t *testing.T) {
	f := func(step time.Duration, wantSeconds int64, want bool) {
		t.Helper()
		h := open(t, registry.PolicyOpen)
		for i := range 6 {
			h.measure(time.Now().UTC().Add(time.Duration(i-5)*step), value(quantity.PM2_5, 12))
		}
		var health struct {
			State    string
			Interval *int64 `json:"interval_seconds"`
			Rare     *struct{ EN, DE, TodoEN, TodoDE string }
		}
		var station struct {
			Properties struct {
				Interval *int64 `json:"interval_seconds"`
				Rare     bool
			}
		}
		for path, to := range map[string]any{"/health": &health, "": &station} {
			if err := json.Unmarshal(h.get("/api/v1/stations/"+h.station.ID+path), to); err != nil {
				t.Fatal(err)
			}
		}
		if (health.Rare != nil) != want || station.Properties.Rare != want || health.State != "ok" {
			t.Errorf("every %v: rare in health %+v, in properties %v, want %v", step, health.Rare, station.Properties.Rare, want)
		}
		if health.Rare != nil && !strings.Contains(health.Rare.EN, "20 minutes") {
			t.Errorf("every %v: %q", step, health.Rare.EN)
		}
		for _, got := range []*int64{health.Interval, station.Properties.Interval} {
			if got == nil || *got != wantSeconds {
				t.Errorf("every %v: interval %v, want %d", step, got, wantSeconds)
			}
		}
	}
	f(15*time.Minute, 900, false)
	f(time.Hour, 3600, true)
}
