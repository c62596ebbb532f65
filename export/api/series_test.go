package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// TestSeriesAreTheReadingsMeans requests the same means in two ways: of a station that has a humidity in one hour, takes
// its neighbours' in the next, and has too few values in the third.
func TestSeriesAreTheReadingsMeans(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.Aggregate.Correction = aggregate.Correction{Correct: func(q quantity.Quantity, milli, humidity int64) (int64, bool) {
		return milli - humidity/10, q == quantity.PM10
	}}
	_, neighbour, err := h.server.Registry.Add(t.Context(), registry.Registration{
		Name: "2 km away", Point: orb.Point{6.9583, 50.9593}, Kit: "sds011-bme280", Exposure: ingest.Outdoor, LicenceConsent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -2)
	for i := range 24*12 - 4 {
		at := day.Add(time.Duration(i) * 5 * time.Minute)
		values := []ingest.Value{value(quantity.PM10, 20+float64(i/12))}
		if i/12 == 0 {
			values = append(values, value(quantity.Humidity, 50))
		}
		h.measure(at, values...)
		h.store.Held = append(h.store.Held, ingest.Reading{Station: neighbour.ID, Time: at, Values: []ingest.Value{value(quantity.Humidity, 70)}})
	}
	period := "quantity=pm10&from=" + day.Format(time.RFC3339) + "&to=" + day.Add(24*time.Hour).Format(time.RFC3339)
	own := "/api/v1/stations/" + h.station.ID
	f := func(window, resolution, first string, windows, rows int) {
		t.Helper()
		var s struct {
			Start               []string
			Measured, Corrected []*json.Number
		}
		if err := json.Unmarshal(h.get(own+"/series?window="+window+"&"+period), &s); err != nil {
			t.Fatal(err)
		}
		var series []string
		for i, start := range s.Start {
			if s.Measured[i] != nil {
				series = append(series, fmt.Sprint(start, " ", s.Measured[i], " ", s.Corrected[i]))
			}
		}
		if len(s.Start) != windows || len(series) != rows || series[0] != first {
			t.Errorf("%s: %d windows, %d of them with values, the first %q, want %d, %d and %q", window, len(s.Start), len(series), series, windows, rows, first)
		}
		for _, route := range []string{own + "/readings?", "/api/v1/readings?"} {
			var means []string
			for _, row := range h.lines(route+"resolution="+resolution+"&"+period, meansHeader, ',') {
				if station, mean, raw, coverage := row[2], row[7], row[8], row[11]; station == h.station.ID && coverage >= "0.750" {
					means = append(means, row[0]+" "+raw+" "+mean)
				}
			}
			if !slices.Equal(series, means) {
				t.Errorf("%s: the series has\n%q\nand %s\n%q", window, series, route, means)
			}
		}
	}
	start := day.Format(time.RFC3339)
	f("1h", "1h", start+" 20.000 15.000", 24, 23)
	f("24h", "1d", start+" 31.000 24.087", 1, 1) // (15 + 14 + 15 + … + 35) / 23
}
