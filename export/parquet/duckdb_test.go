package parquet

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// duckDB is DuckDB's answer to a question about a file, as JSON.
func duckDB(t *testing.T, sql string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs DuckDB")
	}
	out, err := exec.Command("node", filepath.Join("..", "clients", "duckdb.mjs"), sql).Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("DuckDB: %v: %s (npm --prefix export/clients ci)", err, exit.Stderr)
	}
	return strings.TrimSpace(string(out))
}

func file(t *testing.T, text []byte) string {
	path := filepath.Join(t.TempDir(), "it.parquet")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDuckDBReadsReadings compares with what was written, and asks a question whose answer is computed here.
func TestDuckDBReadsReadings(t *testing.T) {
	path := file(t, encode(t, readingList))
	got := duckDB(t, "SELECT epoch_ms(time) t, station, lon, lat, quantity, value, unit, flags, checks, epoch_ms(received)-epoch_ms(time) late, time_source FROM '"+path+"' LIMIT 4")
	unix := noon.UnixMilli()
	row := `{"t":"%d","station":"%s","lon":%s,"lat":%s,"quantity":"%s","value":%s,"unit":"%s","flags":"%s","checks":"%s","late":"%s","time_source":"%s"}`
	want := "[" + strings.Join([]string{
		fmt.Sprintf(row, unix, "K7M2Q9X", "6.957988", "50.941012", "pm2_5", "12.3", "µg/m³", "outlier", "spike:history|outlier", "1250", "receipt"),
		fmt.Sprintf(row, unix, "K7M2Q9X", "6.957988", "50.941012", "pm10", "1999.9", "µg/m³", "range|sentinel", "", "1250", "receipt"),
		fmt.Sprintf(row, unix, "K7M2Q9X", "6.957988", "50.941012", "temperature", "-0.1", "°C", "", "", "1250", "receipt"),
		fmt.Sprintf(row, unix, "STRANGER", "null", "null", "noise_laeq", "0.3333333333333333", "dB(A)", "", "", "0", "station"),
	}, ",") + "]"
	if got != want {
		t.Errorf("DuckDB reads\n%s\nwant\n%s", got, want)
	}
	if got := duckDB(t, "SELECT DISTINCT typeof(time) t, typeof(value) v, typeof(flags) f FROM '"+path+"'"); got != `[{"t":"TIMESTAMP WITH TIME ZONE","v":"DOUBLE","f":"VARCHAR"}]` {
		t.Errorf("types are %s", got)
	}
	if got := duckDB(t, "SELECT decode(value) v FROM parquet_kv_metadata('"+path+"') WHERE decode(key) = 'rules'"); got != `[{"v":"{\"a\":1}"}]` {
		t.Errorf("rules are %s", got)
	}
}

func TestDuckDBReadsManyGroups(t *testing.T) {
	list := many(groupRows)
	high := 0
	for _, r := range list {
		for _, v := range r.Values {
			if v.Quantity == quantity.PM10 && v.Value > 200 && v.Flags.Found() == 0 {
				high++
			}
		}
	}
	path := file(t, encode(t, list))
	got := duckDB(t, "SELECT count(*) n, count(*) FILTER (quantity = 'pm10' AND value > 200 AND flags = '') high, count(DISTINCT station) s FROM '"+path+"'")
	if want := fmt.Sprintf(`[{"n":"%d","high":"%d","s":"10"}]`, 3*groupRows, high); got != want {
		t.Errorf("DuckDB counts %s, want %s", got, want)
	}
}

func TestDuckDBReadsGrid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, NewGrid(out, meta, nil), []aggregate.Row{
		{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000}, Start: noon, Window: aggregate.Hour, Quantity: quantity.PM2_5,
			Mean: 15_001, Median: 14_000, Min: 5, Max: 31_010, Stations: 3, Readings: 74, Coverage: 944, Revision: 2, Raw: 20_002, Uncorrected: 1, Spread: 15_505},
		{Cell: geo.Cell{Size: 1000, North: 3097000, East: 4107000}, Start: noon, Window: aggregate.Day, Quantity: quantity.Temperature, Mean: -500, Stations: 2},
	})
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	got := duckDB(t, "SELECT cell, strftime(window_start AT TIME ZONE 'UTC', '%H:%M') h, window_seconds s, mean, min, readings, coverage, eaqi, revision, raw_mean, spread, certainty, lqi FROM '"+path+"'")
	// PM2.5 of 15.001: above 15 is EAQI 3 (ETC HE 2024/17, table 1), up to 20 is LQI 2 (UBA 2025).
	want := `[{"cell":"CRS3035RES1000mN3096000E4107000","h":"12:00","s":3600,"mean":15.001,"min":0.005,"readings":74,"coverage":0.944,"eaqi":3,"revision":2,"raw_mean":20.002,"spread":15.505,"certainty":"few","lqi":2},` +
		`{"cell":"CRS3035RES1000mN3097000E4107000","h":"12:00","s":86400,"mean":-0.5,"min":0,"readings":0,"coverage":0,"eaqi":null,"revision":0,"raw_mean":0,"spread":0,"certainty":"few","lqi":null}]`
	if got != want {
		t.Errorf("DuckDB reads\n%s\nwant\n%s", got, want)
	}
}
