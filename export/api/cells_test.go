package api

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/registry"
)

// cellAnswer is the answer of /api/v1/cells/{cell}.
type cellAnswer struct {
	Averages []struct {
		Quantity string
		Mean     float64
	}
	Index map[string]struct {
		Class     int
		Pollutant string
	}
	Trend struct {
		Quantity string
		Hours    []struct {
			Time     string
			Mean     *float64
			Stations int
		}
	}
}

func (h *fixture) cell(query string) (got cellAnswer) {
	h.t.Helper()
	if err := json.Unmarshal(h.get("/api/v1/cells/"+query), &got); err != nil {
		h.t.Fatal(err)
	}
	return got
}

func TestACellsCard(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC().Truncate(time.Second)
	last := now.Add(-aggregate.GracePeriod).Truncate(time.Hour).Add(-time.Hour)
	for i := range 12 {
		at := time.Duration(i) * 5 * time.Minute
		h.measure(last.Add(at), value(quantity.PM2_5, 14), value(quantity.PM10, 130), value(quantity.Temperature, 9))
		h.measure(last.Add(-3*time.Hour).Add(at), value(quantity.PM2_5, 40))
	}
	const cathedral = "CRS3035RES1000mN3096000E4107000"
	got := h.cell(cathedral + "?window=1h&quantity=pm2_5")
	if len(got.Averages) != 3 || got.Averages[0].Quantity != "pm2_5" || got.Averages[0].Mean != 14 {
		t.Errorf("averages = %+v, want PM2.5 14, PM10 and temperature", got.Averages)
	}
	// PM2.5 14 is fair, PM10 130 poor: the worst decides (ETC HE Report 2024/17).
	if got.Index["eaqi"].Class != 4 || got.Index["eaqi"].Pollutant != "pm10" {
		t.Errorf("index = %+v, want 4 by PM10", got.Index)
	}
	if len(got.Trend.Hours) != 24 || got.Trend.Hours[23].Time != last.Format(time.RFC3339) {
		t.Fatalf("trend = %+v, want 24 hours to %v", got.Trend, last)
	}
	for i, hour := range got.Trend.Hours {
		want := map[int]float64{20: 40, 23: 14}[i]
		if mean := hour.Mean; want == 0 && mean != nil || want != 0 && (mean == nil || *mean != want || hour.Stations != 1) {
			t.Errorf("hour %d = %+v, want %v", i, hour, want)
		}
	}
	if short := h.cell("1kmN3096E4107?window=1h"); len(short.Averages) != 3 {
		t.Errorf("by its short code: %+v", short)
	}
	if empty := h.cell("CRS3035RES1000mN3097000E4107000?window=1h"); len(empty.Averages) != 0 || len(empty.Trend.Hours) != 24 || empty.Index["eaqi"].Class != 0 {
		t.Errorf("an empty cell = %+v", empty)
	}
}

func TestACellsTrendBeyondMemoryIsStored(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	end := time.Now().UTC().Truncate(24 * time.Hour).Add(-10 * 24 * time.Hour)
	cell, err := geo.ParseCell("1kmN3096E4107")
	if err != nil {
		t.Fatal(err)
	}
	row := aggregate.Row{Cell: cell, Quantity: quantity.PM10, Start: end.Add(-time.Hour), Window: aggregate.Hour, Mean: 21500, Stations: 2}
	h.store.Rows = []aggregate.Row{row}
	got := h.cell("1kmN3096E4107?window=1h&quantity=pm10&time=" + row.Start.Format(time.RFC3339))
	if len(got.Averages) != 1 || got.Averages[0].Mean != 21.5 {
		t.Errorf("averages = %+v, want PM10 21.5", got.Averages)
	}
	if newest := got.Trend.Hours[23]; newest.Mean == nil || *newest.Mean != 21.5 || newest.Stations != 2 {
		t.Errorf("trend's last hour = %+v, want 21.5 of two stations", newest)
	}
}

func TestACellsMistakes(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	f := func(route string, want int) {
		t.Helper()
		if response, body := h.do("GET", "/api/v1/cells/"+route, ""); response.StatusCode != want {
			t.Errorf("%s: %s %s, want %d", route, response.Status, body, want)
		}
	}
	f("nonsense", http.StatusNotFound)
	f("1kmN3096E4107?quantity=luck", http.StatusBadRequest)
	f("1kmN3096E4107?quantity=pm10,pm2_5", http.StatusBadRequest)
	f("1kmN3096E4107?resolution=500", http.StatusBadRequest)
}
