package api

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
)

// TestQuality wants the rules in force and not the defaults, each flag once and explained, and every threshold with its source.
// Some numbers are those of the sources themselves.
func TestQuality(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	rules := quality.DefaultRules()
	rules.SpikeZ = 12
	h.server.City.Rules, h.server.City.Correction, h.server.City.DayOffset = rules, quality.Correction{Method: quality.KappaKohler, Kappa: 0.25}, time.Hour
	var got export.Quality
	body := h.get("/api/v1/quality")
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"clock": true}
	for _, f := range got.Flags {
		flag, ok := ingest.ParseFlags(f.Flag)
		if !ok || known[f.Flag] || f.Excludes == flag.Good() || f.Explanation != flag.Explain() || f.Level == "" {
			t.Errorf("flag %+v", f)
		}
		known[f.Flag] = true
	}
	if len(got.Flags) != len(ingest.AllFlags()) || got.Flags[0].Flag != "sentinel" {
		t.Errorf("%d flags, the first is %s", len(got.Flags), got.Flags[0].Flag)
	}
	values := map[string]float64{}
	for _, threshold := range got.Thresholds {
		values[threshold.Key] = threshold.Value
		if !known[threshold.Finding] || threshold.Unit == "" || threshold.What == "" || threshold.Source == "" {
			t.Errorf("threshold %+v", threshold)
		}
	}
	for key, want := range map[string]float64{"quality.spike.z": 12, "quality.spike.past": 360, "quality.outlier.near": 3000, "quality.humid.from": 75, "quality.uncorrelated.r": 0.3} {
		if values[key] != want {
			t.Errorf("%s = %v, want %v", key, values[key], want)
		}
	}
	for _, want := range []string{
		`{"sensor":"dht22","quantity":"temperature","low":-40,"high":80,"unit":"°C"}`, `{"sensor":"sds011","quantity":"pm10","value":1999.9}`,
		`{"sensor":"unknown","quantity":"pressure","low":850,"high":1100,"unit":"hPa"}`, `"kappa":0.25`, `"cf_1":{"sensor":"pms5003-cf1","method":"us-epa-cf1",`,
		`"rule_version":2`, `"value_seconds_at_most":1200`, `"interval_hours":24`, `"hour_seconds_at_least":2700`, `"day_hours_at_least":18`,
		`"day_begins_hours_before_utc_midnight":1`, `"reason":"duplicate"`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in the answer", want)
		}
	}
	if again := h.get("/api/v1/quality"); string(again) != string(body) {
		t.Error("another answer to the same question")
	}
}

// TestReadmeHasEveryFlag compares export/README.md with the flags.
func TestReadmeHasEveryFlag(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ingest.AllFlags() {
		row := "| `" + f.String() + "` | " + map[bool]string{true: "no", false: "yes"}[f.Good()] + " | " + string(f.Level()) + " | "
		if !strings.Contains(string(text), row) {
			t.Errorf("README.md has no row %q", row)
		}
	}
}

// TestWhatWasCheckedOnADay asks for a day, and for the health of a station that has too few neighbours.
func TestWhatWasCheckedOnADay(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.City.Rules, h.server.City.DayOffset = quality.DefaultRules(), time.Hour
	alone := ingest.Flags(0).With(ingest.StuckCheck, ingest.Checked).With(ingest.OutlierCheck, ingest.NoNeighbours).With(ingest.SpikeCheck, ingest.NoHistory)
	at := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	r := ingest.Reading{Station: h.station.ID, Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 20, Flags: alone}}}
	h.store.Held = append(h.store.Held, r)
	var got export.Quality
	day := at.Add(time.Hour).Format(time.DateOnly)
	if err := json.Unmarshal(h.get("/api/v1/quality?day="+day), &got); err != nil {
		t.Fatal(err)
	}
	d := got.Day
	if d == nil || d.Date != day || len(d.Hours) != 24 {
		t.Fatalf("the day is %+v", d)
	}
	i := slices.IndexFunc(d.Stations, func(s export.StationChecks) bool { return s.Station == h.station.ID && s.Quantity == "pm10" })
	want := []export.CheckCounts{{Check: "stuck", Checked: 1}, {Check: "spike", NoHistory: 1}, {Check: "outlier", NoNeighbours: 1}}
	if i < 0 || !slices.Equal(d.Stations[i].Checks, want) {
		t.Errorf("stations: %+v", d.Stations)
	}
	if j := slices.IndexFunc(d.Hours, func(c export.HourChecks) bool { return c.Hour.Equal(at) }); j < 0 || !slices.Contains(d.Hours[j].Checks, want[2]) {
		t.Errorf("hours: %+v", d.Hours)
	}
	if answer, _ := h.do("GET", "/api/v1/quality?day=yesterday", ""); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("of yesterday: %s", answer.Status)
	}

	h.server.Live.Observe(r)
	h.server.Live.Apply(ingest.HourFlags{Station: h.station.ID, Hour: at, Quantity: quantity.PM10, Flags: alone})
	var health struct{ Checks []checkState }
	if err := json.Unmarshal(h.get("/api/v1/stations/"+h.station.ID+"/health"), &health); err != nil {
		t.Fatal(err)
	}
	if len(health.Checks) != 3 || health.Checks[0].English != "" || health.Checks[2].English != "not compared: fewer than five neighbours" || health.Checks[2].NameGerman == "" {
		t.Errorf("health: %+v", health.Checks)
	}
}
