package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// someStations returns stations of many kinds, with what is known of each.
func someStations(n int, now time.Time) (list []*ingest.Station, states []live.Station, means [][]aggregate.StationMean) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		st := &ingest.Station{
			ID: fmt.Sprintf("K%06d", i), Name: []string{"Balkon", "Hof \"hinten\" <&>", "Größe\u2028\x01\xff", ""}[i%4], Kit: "sds011-bme280", Sensors: []string{"sds011", "bme280"}[:i%3],
			Exposure: ingest.Outdoor, Side: []string{"", "sw"}[i%2], Status: ingest.Active, Demo: i%5 == 0, Licence: "dl-zero-de/2.0", Source: []string{"", "sensor-community", ingest.UBA}[i%3],
			Places: []ingest.Place{{Public: orb.Point{6.8 + random.Float64()/2, 50.8 + random.Float64()/4}}},
		}
		if i%2 == 0 {
			st.Height = new(float64(i) / 3)
		}
		state := live.Station{State: live.OK, Values: map[quantity.Quantity]live.Latest{}}
		var mean []aggregate.StationMean
		for k := range i % 6 {
			q := quantity.All()[random.IntN(len(quantity.All()))]
			v := []float64{12.3, 0, -4.25, 1e-9, 3e22, 100.0 / 3}[k] * float64(i%4)
			state.Values[q] = live.Latest{Value: v, Time: now.Add(-time.Duration(i) * time.Second), Flags: ingest.Flags(random.IntN(64))}
			mean = append(mean, aggregate.StationMean{Station: st.ID, Quantity: q, Mean: int64(i*1000 + k), Raw: int64(-i), Coverage: 755, Uncorrected: i%2 == 0})
		}
		if i%3 != 0 {
			state.LastSeen, state.Interval = now.Add(-time.Duration(i)*time.Minute), time.Duration(i)*time.Minute
		}
		list, states, means = append(list, st), append(states, state), append(means, mean)
	}
	return list, states, means
}

// plainList writes the same as stationList with encoding/json and reflection.
func plainList(t *testing.T, meta export.Meta, list []*ingest.Station, states []live.Station, means [][]aggregate.StationMean, now time.Time, fields, quantities []string) string {
	t.Helper()
	type listed struct {
		Type       string         `json:"type"`
		ID         string         `json:"id"`
		Geometry   point          `json:"geometry"`
		Properties map[string]any `json:"properties"`
	}
	all := []listed{}
	for i, st := range list {
		f := stationAt(st, now, states[i])
		f.Properties.addMeans(means[i])
		if len(quantities) > 0 {
			maps.DeleteFunc(f.Properties.Values, func(name string, _ latestValue) bool { return !slices.Contains(quantities, name) })
			maps.DeleteFunc(f.Properties.Means, func(name string, _ stationMean) bool { return !slices.Contains(quantities, name) })
		}
		properties, values := map[string]any{}, reflect.ValueOf(f.Properties)
		for k := range values.NumField() {
			name, _, _ := strings.Cut(values.Type().Field(k).Tag.Get("json"), ",")
			if name != "reason" && (len(fields) == 0 || slices.Contains(fields, name)) {
				properties[name] = values.Field(k).Interface()
			}
		}
		all = append(all, listed{f.Type, f.ID, f.Geometry, properties})
	}
	document, err := export.AppendJSON(nil, struct {
		Type string `json:"type"`
		export.Envelope
		Features []listed `json:"features"`
	}{"FeatureCollection", meta.Envelope(), all})
	if err != nil {
		t.Fatal(err)
	}
	return string(document) + "\n"
}

// TestStationList compares lists with what encoding/json makes of the same stations.
func TestStationList(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	list, states, means := someStations(200, now)
	meta := export.Meta{Licence: "dl-zero-de/2.0", Attribution: "Stadt Köln & <andere>", Generated: now, Averaging: export.Single}
	f := func(n int, fields, quantities string) {
		t.Helper()
		split := func(text string) []string {
			if text == "" {
				return nil
			}
			return strings.Split(text, ",")
		}
		var out bytes.Buffer
		l := newStationList(&out, meta, split(fields), split(quantities))
		for i, st := range list[:n] {
			if err := l.add(st, now, states[i], func() []aggregate.StationMean { return means[i] }); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.end(); err != nil {
			t.Fatal(err)
		}
		got, want := out.String(), plainList(t, meta, list[:n], states, means, now, split(fields), split(quantities))
		if got != want {
			i := 0
			for got[i] == want[i] {
				i++
			}
			t.Errorf("%q %q: differs at %d: %.200s, want %.200s", fields, quantities, i, got[max(0, i-50):], want[max(0, i-50):])
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%q %q: not JSON", fields, quantities)
		}
	}
	f(200, "", "")
	f(0, "", "")
	f(1, "", "pm2_5")
	f(200, "", "pm2_5,temperature")
	f(200, "name,state,official,last_seen,values", "pm2_5")
	f(200, "index", "pm10")
	for _, name := range listableNames {
		f(50, name, "")
	}
}

// BenchmarkStationList lists 10,000 stations.
func BenchmarkStationList(b *testing.B) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	list, states, means := someStations(10_000, now)
	b.ReportAllocs()
	for b.Loop() {
		l := newStationList(io.Discard, export.Meta{Generated: now}, nil, nil)
		for i, st := range list {
			if err := l.add(st, now, states[i], func() []aggregate.StationMean { return means[i] }); err != nil {
				b.Fatal(err)
			}
		}
	}
}
