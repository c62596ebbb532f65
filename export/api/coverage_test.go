package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// The cathedral's cell, where the fixture's station stands in the 100 m cell N 3096600 E 4107200, and one 2 km north of it.
var (
	cathedral = geo.Cell{Size: 1000, North: 3096000, East: 4107000}
	north     = geo.Cell{Size: 1000, North: 3098000, East: 4107000}
)

// The headers as export/README.md promises them.
const (
	meansHeader     = "window_start,window_seconds,station,lon,lat,quantity,unit,mean,raw_mean,corrected,readings,coverage"
	districtsHeader = "area,window_start,window_seconds,quantity,unit,mean,min,max,cells,all_cells,share,stations,readings,eaqi,lqi,people_share,spread,certainty"
	coverageColumns = "cell,lon,lat,covered,stations,people,rank,distance_m,reason_en,reason_de"
	historyColumns  = "start,days,cells,covered,share,people,people_reached,people_share"
	indexColumns    = "cell,window_start,window_seconds,eaqi,eaqi_pollutant,eaqi_en,eaqi_de,eaqi_colour,lqi,lqi_pollutant,lqi_en,lqi_de,measured,stations,spread,certainty,lon,lat,eaqi_name_en,eaqi_name_de,lqi_name_en,lqi_name_de,pollutants,reason"
)

// withPeople returns a fixture whose city has 3000 people in the cathedral's cell, 1000 in the other, and no others.
func withPeople(t *testing.T) *fixture {
	h := open(t, registry.PolicyOpen)
	h.server.City.People = map[geo.Cell]int{cathedral: 3000, north: 1000}
	h.server.City.DayOffset = time.Hour
	h.server.Handler()
	return h
}

func TestCoverage(t *testing.T) {
	h := withPeople(t)
	h.measure(time.Now().UTC(), value(quantity.PM2_5, 12), value(quantity.Humidity, 50))
	var got struct {
		Coverage struct {
			Quantity, Window string
			Cells            int
			Covered, Share   float64
			People           int
			Reached          float64 `json:"people_reached"`
			PeopleShare      float64 `json:"people_share"`
		}
		History  any
		Features []struct {
			ID         string
			Properties struct {
				Covered  bool
				Stations int
				People   *int
				Rank     *int
				Distance int    `json:"distance_m"`
				English  string `json:"reason_en"`
				German   string `json:"reason_de"`
			}
		}
	}
	if err := json.Unmarshal(h.get("/api/v1/coverage"), &got); err != nil {
		t.Fatal(err)
	}
	cells := geo.CologneSketch().Cells(1000)
	c := got.Coverage
	if c.Quantity != "pm2_5" || c.Window != "live" || c.Cells != len(cells) || c.Covered != 1 || c.People != 4000 || c.Reached != 3000 || c.PeopleShare != 0.75 || got.History != nil {
		t.Errorf("coverage = %+v, history %v", c, got.History)
	}
	var ranks []int
	for i, f := range got.Features {
		p := f.Properties
		if f.ID != cells[i].String() || p.Covered != (cells[i] == cathedral) || p.Covered != (p.Stations == 1) {
			t.Errorf("cell %d is %+v, want %v", i, f, cells[i])
		}
		if p.Rank != nil {
			ranks = append(ranks, *p.Rank)
		}
		// From the middle of the station's 100 m cell, N 3096650 E 4107250, to N 3098500 E 4107500: the root of 1850² + 250².
		if cells[i] == north && (p.Rank == nil || *p.Rank != 1 || *p.People != 1000 || p.Distance != 1867 ||
			p.English != "1,000 people, 1.9 km from the nearest station" || p.German != "1.000 Menschen, 1,9 km bis zur nächsten Station") {
			t.Errorf("the first proposal is %+v", p)
		}
	}
	if slices.Sort(ranks); len(got.Features) != len(cells) || fmt.Sprint(ranks) != "[1 2 3 4 5 6 7 8 9 10]" {
		t.Errorf("%d cells, ranks %v", len(got.Features), ranks)
	}
	text := string(h.get("/api/v1/coverage?format=csv&proposals=1"))
	center := north.Center()
	for _, want := range []string{
		coverageColumns + "\n", "CRS3035RES1000mN3096000E4107000,", ",true,1,3000,,,,\n",
		fmt.Sprintf("%v,%.6f,%.6f,false,0,1000,1,1867,\"1,000 people, 1.9 km from the nearest station\",\"1.000 Menschen, 1,9 km bis zur nächsten Station\"\n", north, center[0], center[1]),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the CSV", want)
		}
	}
	if strings.Count(text, "from the nearest") != 1 {
		t.Error("more than the one proposal asked for")
	}
	if text := string(h.get("/api/v1/coverage?format=csv&delimiter=semicolon&proposals=1")); !strings.Contains(text, fmt.Sprintf("%v;%.6f;%.6f;false;0;1000;1;1867;\"1,000", north, center[0], center[1])) {
		t.Errorf("with semicolons:\n%.300s", text)
	}
	var list struct{ Rows []map[string]any }
	if err := json.Unmarshal(h.get("/api/v1/coverage?format=json&proposals=1"), &list); err != nil || len(list.Rows) != len(cells) {
		t.Errorf("%d rows of JSON, %v, want %d", len(list.Rows), err, len(cells))
	}
	if text := string(h.get("/api/v1/coverage?format=csv&quantity=noise_laeq")); strings.Contains(text, "true") || !strings.Contains(text, "no station yet") {
		t.Errorf("a station that has shown to measure no noise counts for noise:\n%s", text)
	}
}

func TestCoverageOverTime(t *testing.T) {
	h := withPeople(t)
	if text := string(h.get("/api/v1/coverage?history=month&format=csv")); text != historyColumns+"\n" {
		t.Errorf("before the first day is over:\n%s", text)
	}
	_, err := h.server.Registry.Adopt(t.Context(), registry.Foreign{
		Source: registry.SensorCommunity, Key: "1", Name: "x", Point: orb.Point{6.99, 50.88}, Since: time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC), Kit: "sds011", Exposure: ingest.Outdoor,
	})
	if err != nil {
		t.Fatal(err)
	}
	for day, cells := range map[int][]geo.Cell{29: {cathedral}, 30: {cathedral, north}, 32: {north, {Size: 1000, North: 1000, East: 1000}}} {
		for _, cell := range cells {
			h.store.Rows = append(h.store.Rows, aggregate.Row{Cell: cell, Start: time.Date(2026, 3, day, 23, 0, 0, 0, time.UTC), Window: aggregate.Day, Quantity: quantity.PM2_5, Stations: 1})
		}
	}
	all := len(geo.CologneSketch().Cells(1000))
	share := func(covered, days int) string { return fmt.Sprintf("%.3f", float64(covered)/float64(days*all)) }
	const period = "&from=2026-01-01&to=2026-04-03"
	want := historyColumns + "\n" +
		fmt.Sprintf("2026-03-29T23:00:00Z,2,%d,1.500,%s,4000,3500.000,0.875\n", all, share(3, 2)) +
		fmt.Sprintf("2026-03-31T23:00:00Z,2,%d,0.500,%s,4000,500.000,0.125\n", all, share(1, 2))
	if got := string(h.get("/api/v1/coverage?history=month&format=csv" + period)); got != want {
		t.Errorf("by month\n%s\nwant\n%s", got, want)
	}
	want = historyColumns + "\n" +
		fmt.Sprintf("2026-03-29T23:00:00Z,1,%d,1.000,%s,4000,3000.000,0.750\n", all, share(1, 1)) +
		fmt.Sprintf("2026-03-30T23:00:00Z,1,%d,2.000,%s,4000,4000.000,1.000\n", all, share(2, 1)) +
		fmt.Sprintf("2026-03-31T23:00:00Z,1,%d,0.000,0.000,4000,0.000,0.000\n", all) +
		fmt.Sprintf("2026-04-01T23:00:00Z,1,%d,1.000,%s,4000,1000.000,0.250\n", all, share(1, 1))
	if got := string(h.get("/api/v1/coverage?history=day&format=csv" + period)); got != want {
		t.Errorf("by day\n%s\nwant\n%s", got, want)
	}
	var doc struct {
		History []struct {
			Start  string
			Days   int
			People float64 `json:"people_share"`
		}
	}
	if err := json.Unmarshal(h.get("/api/v1/coverage?history=month"+period), &doc); err != nil || len(doc.History) != 2 || doc.History[0].People != 0.875 || doc.History[1].Days != 2 {
		t.Errorf("history = %+v, %v", doc.History, err)
	}
}

// TestTheCityEndsAtItsBoundary has a station outside, whose cell is on the grid and in no average of the city.
func TestTheCityEndsAtItsBoundary(t *testing.T) {
	h := withPeople(t)
	now := time.Now().UTC().Truncate(time.Second)
	h.measure(now, value(quantity.PM2_5, 10))
	outside, err := geo.CellAt(orb.Point{7.3, 50.94}, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	h.server.Aggregate.Add(aggregate.Sample{Station: "FAR", Cell: outside, Quantity: quantity.PM2_5, Time: now, Received: now, Milli: 90_000})
	if rows, err := csv.NewReader(bytes.NewReader(h.get("/api/v1/grid?format=csv"))).ReadAll(); err != nil || len(rows) != 3 {
		t.Errorf("grid = %v, %v, want both cells", rows, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(h.get("/api/v1/city?format=csv"))).ReadAll()
	if err != nil || len(rows) != 2 || strings.Join(rows[0], ",") != districtsHeader {
		t.Fatalf("city = %v, %v", rows, err)
	}
	got := map[string]string{}
	for i, column := range rows[0] {
		got[column] = rows[1][i]
	}
	for column, want := range map[string]string{
		"area": "Köln", "quantity": "pm2_5", "mean": "10.000", "cells": "1", "stations": "1", "people_share": "0.750", "spread": "0.000", "certainty": "single station", "eaqi": "", "lqi": "", // one station says nothing about a city
	} {
		if got[column] != want {
			t.Errorf("%s = %q, want %q", column, got[column], want)
		}
	}
}

func TestIndices(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	type class struct {
		Class             int
		Pollutant, EN, DE string
		Colour            string
		Measured          int
		Name              string `json:"name_en"`
		Reason            string
	}
	var station struct {
		Properties struct {
			Index map[string]class
			Means map[string]struct {
				Mean, Coverage float64
				Raw            float64 `json:"raw_mean"`
			}
			Calibrations []export.Calibration
			Values       map[string]struct{ Signal bool }
		}
	}
	ask := func() (eaqi, lqi class) {
		t.Helper()
		h.server.snapshots.turn(time.Time{}) // another second
		if err := json.Unmarshal(h.get("/api/v1/stations/"+h.station.ID), &station); err != nil {
			t.Fatal(err)
		}
		return station.Properties.Index["eaqi"], station.Properties.Index["lqi"]
	}
	now := time.Now().UTC().Truncate(time.Second)
	for i := range 8 {
		h.measure(now.Add(-time.Duration(i)*5*time.Minute), value(quantity.PM2_5, 12), value(quantity.PM10, 100))
	}
	if eaqi, lqi := ask(); eaqi != (class{EN: "no statement", DE: "keine Aussage", Name: "European index", Reason: "no_particles"}) || lqi.Reason != eaqi.Reason || len(station.Properties.Means) != 0 {
		t.Errorf("of 40 minutes: %+v, %+v, %+v", eaqi, lqi, station.Properties.Means)
	}
	for i := 8; i < 11; i++ { // the oldest is then 50 minutes old, and stays in the hour during the test
		h.measure(now.Add(-time.Duration(i)*5*time.Minute), value(quantity.PM2_5, 12), value(quantity.PM10, 100))
	}
	eaqi, lqi := ask()
	if want := (class{3, "pm10", "moderate", "mäßig", "#F0E641", 2, "European index, from PM only", ""}); eaqi != want {
		t.Errorf("eaqi %+v, want %+v", eaqi, want)
	}
	if want := (class{5, "pm10", "very poor", "sehr schlecht", "", 2, "German index (UBA), from PM only", ""}); lqi != want {
		t.Errorf("lqi %+v, want %+v", lqi, want)
	}
	if m := station.Properties.Means["pm10"]; m.Mean != 100 || m.Raw != 100 || m.Coverage < 0.75 {
		t.Errorf("means %+v", station.Properties.Means)
	}
	var cells struct {
		Features []struct {
			ID         string
			Properties struct {
				EAQI, LQI class
				Stations  int
				Certainty string
			}
		}
	}
	if err := json.Unmarshal(h.get("/api/v1/index"), &cells); err != nil || len(cells.Features) != 1 {
		t.Fatalf("%+v, %v", cells, err)
	}
	if f := cells.Features[0]; f.ID != cathedral.String() || f.Properties.EAQI != eaqi || f.Properties.LQI != lqi || f.Properties.Stations != 1 || f.Properties.Certainty != "single station" {
		t.Errorf("cell %+v", f)
	}
	rows, err := csv.NewReader(bytes.NewReader(h.get("/api/v1/index?format=csv&resolution=500"))).ReadAll()
	if err != nil || len(rows) != 2 || strings.Join(rows[0], ",") != indexColumns || strings.Join(rows[1][3:13], ",") != "3,pm10,moderate,mäßig,#F0E641,5,pm10,very poor,sehr schlecht,2" {
		t.Errorf("CSV %v, %v", rows, err)
	}
	h.measure(now, value(quantity.NO2, 20))
	if ask(); !station.Properties.Values["no2"].Signal || station.Properties.Values["pm10"].Signal {
		t.Errorf("values %+v, want no2 to be a signal", station.Properties.Values)
	}
	err = h.server.Registry.AddCalibration(t.Context(), h.station.ID, registry.Shell, ingest.Calibration{Quantity: quantity.NO2, From: now.Truncate(time.Hour), Slope: 2, Reference: "LANUV"})
	if err != nil {
		t.Fatal(err)
	}
	if ask(); station.Properties.Values["no2"].Signal || len(station.Properties.Calibrations) != 1 || station.Properties.Calibrations[0].Slope != 2 || station.Properties.Calibrations[0].To != nil {
		t.Errorf("calibrations %+v", station.Properties.Calibrations)
	}
}
