package influx

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/store/influx/influxtest"
)

// TestCityDashboard asks InfluxDB what each panel of Grafana's dashboard asks, of an hour with averages of every quantity in it.
func TestCityDashboard(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "air"})
	cell, err := geo.ParseCell("CRS3035RES1000mN3096000E4107000")
	if err != nil {
		t.Fatal(err)
	}
	var rows []aggregate.Row
	for _, q := range []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.Temperature, quantity.NoiseLAeq} {
		rows = append(rows, aggregate.Row{Cell: cell, Window: aggregate.Hour, Start: noon, Quantity: q, Mean: 12_500, Stations: 3, Readings: 60, Coverage: 1000})
	}
	if err := s.WriteGrid(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../../deploy/grafana/city.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Query string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil || len(board.Panels) == 0 {
		t.Fatalf("%d panels, %v", len(board.Panels), err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			query := strings.ReplaceAll(target.Query, "$timeFilter", "time >= '2026-05-01T00:00:00Z' and time < '2026-05-02T00:00:00Z'")
			response, err := http.Get(server.URL + "/query?db=air&q=" + url.QueryEscape(query))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || !strings.Contains(string(answer), `"values":[["2026-05-01T12:00:00Z",`) {
				t.Errorf("%s: %s: %v %s", panel.Title, query, err, answer)
			}
		}
	}
}
