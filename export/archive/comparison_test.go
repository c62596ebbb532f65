package archive

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/comparison"
)

// beside returns an archive in which the official station O stands where A does, and compares with it.
func beside(t *testing.T) *Store {
	s := open(t, t.TempDir())
	o := stand("O", begin.Add(-time.Hour), 0)
	o.Source, o.Licence = ingest.UBA, "dl-by-de/2.0"
	all := append(stations(), o)
	s.Archive.Stations = all
	s.Archive.Compare = func(ctx context.Context, from comparison.Store, start time.Time) ([]comparison.Pair, error) {
		c := &comparison.Comparer{Store: from, Stations: all, DayOffset: time.Hour, Log: slog.New(slog.DiscardHandler)}
		c.Correction.Method, c.Correction.Kappa = "kappa-koehler", 0.15
		return c.Hours(ctx, start)
	}
	return s
}

func officialHour(hour int, value float64) ingest.Reading {
	at := begin.Add(time.Duration(hour) * time.Hour)
	return ingest.Reading{Station: "O", Time: at, Received: at.Add(2 * time.Hour), Values: []ingest.Value{{Quantity: quantity.PM2_5, Value: value}}}
}

// TestComparisonIsArchived expects the hours of a day that has official values, the same bytes whenever it is built, and a
// revision when a further value comes. B stands within 1 km until it moves at noon, A is silent in hours 3 and 4.
func TestComparisonIsArchived(t *testing.T) {
	s := beside(t)
	fill(t, s, day())
	build(t, s, 1)
	if names, err := s.Archive.list(s.Archive.revisionFolder(may, 1)); err != nil || len(names) != 18 || slices.Contains(names, pairsCSV) {
		t.Fatalf("without official values there are %v, %v", names, err)
	}
	if err := os.RemoveAll(onDisk(s, s.Archive.revisionFolder(may, 1))); err != nil {
		t.Fatal(err)
	}
	for hour := range 23 {
		fill(t, s, []ingest.Reading{officialHour(hour, float64(10+hour))})
	}
	m := build(t, s, 1)
	rows, err := csv.NewReader(strings.NewReader(unzip(t, s, pairsCSV))).ReadAll()
	if err != nil || strings.Join(rows[0], ",") != "start,official,quantity,unit,radius_m,official_value,raw_mean,mean,humidity,stations" {
		t.Fatalf("%v, %v", rows[0], err)
	}
	near := slices.DeleteFunc(slices.Clone(rows[1:]), func(row []string) bool { return row[4] != "1000" })
	if len(near) != 23 {
		t.Fatalf("%d hours within 1 km, want 23", len(near))
	}
	for hour, row := range near {
		of := []string{"A", "B"}
		switch {
		case hour == 3 || hour == 4:
			of = of[1:]
		case hour >= 12:
			of = of[:1]
		}
		start := begin.Add(time.Duration(hour) * time.Hour)
		raw, _ := strconv.ParseFloat(row[6], 64)
		mean, _ := strconv.ParseFloat(row[7], 64)
		if want := goodMean(start, of); row[0] != start.Format(time.RFC3339) || row[1] != "O" || row[5] != fmt.Sprintf("%d.000", 10+hour) || row[9] != strconv.Itoa(len(of)) ||
			math.Abs(raw-want) > 0.002 || !(mean < raw) || row[8] != "60.500" {
			t.Errorf("hour %d: %v, want a raw mean of %.3f of %v", hour, row, want, of)
		}
	}
	inManifest := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == pairsParquet })
	if inManifest < 0 || m.Files[inManifest].Rows != len(rows)-1 {
		t.Errorf("the manifest has %v", m.Files)
	}
	build(t, s, 1)
	fill(t, s, []ingest.Reading{officialHour(23, 33)})
	if m := build(t, s, 2); !slices.Contains(m.Differs, pairsCSV) || !slices.Contains(m.Differs, pairsParquet) {
		t.Errorf("r2 differs in %v", m.Differs)
	}
	if n, wrong, err := s.Archive.Verify(may); n != 2 || len(wrong) > 0 || err != nil {
		t.Errorf("%d revisions, %v, %v", n, wrong, err)
	}
	x, err := s.Archive.index("2026", "05", "01", "")
	if err != nil || !slices.ContainsFunc(x.Files, func(f served) bool { return f.Name == pairsCSV }) {
		t.Errorf("the index has %v, %v", x.Files, err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil || !strings.Contains(string(readme), "| `"+pairsCSV+"`, `"+pairsParquet+"` |") {
		t.Errorf("README.md does not name them: %v", err)
	}
}

// goodMean is the mean over stations of the means of their good values in an hour, µg/m³.
func goodMean(start time.Time, stations []string) (mean float64) {
	for _, id := range stations {
		sum, n := 0.0, 0.0
		for _, r := range day() {
			if r.Station == id && r.Time.Truncate(time.Hour).Equal(start) && r.Values[0].Flags.Good() {
				sum, n = sum+r.Values[0].Value, n+1
			}
		}
		mean += sum / n / float64(len(stations))
	}
	return mean
}

// TestComparisonMatchesItsSchema checks every row with Data Package tools, and what the Parquet file says of itself with DuckDB.
func TestComparisonMatchesItsSchema(t *testing.T) {
	s := beside(t)
	fill(t, s, append(day(), officialHour(12, 20)))
	build(t, s, 1)
	folder := onDisk(s, s.Archive.revisionFolder(may, 1))
	got, err := client(t, "frictionless.mjs", folder)
	rows := map[string]int{}
	if err != nil || json.Unmarshal([]byte(got), &rows) != nil || rows["comparison-1h"] != len(comparison.Radii) {
		t.Errorf("%s, %v, want an hour at each radius", got, err)
	}
	sql := fmt.Sprintf("SELECT decode(key) k FROM parquet_kv_metadata('%s/%s') WHERE decode(key) IN ('averaging', 'averaging_rule', 'quality_rules') ORDER BY k", folder, pairsParquet)
	if got, err := client(t, "duckdb.mjs", sql); err != nil || !strings.Contains(got, "averaging_rule") || !strings.Contains(got, "quality_rules") {
		t.Errorf("%s, %v", got, err)
	}
}
