package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"stadtluft/export"
	"stadtluft/export/parquet"
	"stadtluft/ingest"
)

// client runs one of export/clients.
func client(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs export/clients")
	}
	args[0] = filepath.Join("..", "clients", args[0])
	out, err := exec.Command("node", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w (npm --prefix export/clients ci): %s", err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// TestFrictionless checks the package with Data Package tools, and every row against its schema.
func TestFrictionless(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	folder := onDisk(s, s.Archive.revisionFolder(may, 1))
	got, err := client(t, "frictionless.mjs", folder)
	if want := fmt.Sprintf(`{"calibrations":0,"grid-1h":24,"grid-24h":1,"installations":5,"means-1h":%d,"means-24h":%d,"readings":%d}`, 2*(22+24+12), 2*4, 2*len(day())); err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	// The same tool must find a row that does not match the schema.
	var spoiled bytes.Buffer
	packed := gzip.NewWriter(&spoiled)
	fmt.Fprint(packed, strings.Replace(unzip(t, s, "grid-24h.csv.gz"), "12.345", "a lot", 1))
	packed.Close()
	if err := os.WriteFile(filepath.Join(folder, "grid-24h.csv.gz"), spoiled.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := client(t, "frictionless.mjs", folder); err == nil || !strings.Contains(err.Error(), "grid-24h.csv.gz") {
		t.Errorf("a wrong number passes: %s, %v", got, err)
	}
}

// TestDuckDBCountsTheDay compares DuckDB's results for the Parquet and the CSV.
func TestDuckDBCountsTheDay(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	folder := onDisk(s, s.Archive.revisionFolder(may, 1))
	const columns = "time, station, lon, lat, quantity, value, unit, coalesce(flags, '') flags"
	sql := fmt.Sprintf("SELECT count(*) n FROM (SELECT %[1]s FROM '%[2]s/readings.parquet' EXCEPT ALL SELECT %[1]s FROM read_csv('%[2]s/readings.csv.gz', types = {'time': 'TIMESTAMPTZ', 'flags': 'VARCHAR'}))"+
		" UNION ALL SELECT count(*) FROM '%[2]s/readings.parquet'", columns, folder)
	got, err := client(t, "duckdb.mjs", sql)
	if want := fmt.Sprintf(`[{"n":"0"},{"n":"%d"}]`, 2*len(day())); err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// TestFilesSayTheirRules looks in each format for the rules of averages and of good values.
func TestFilesSayTheirRules(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	folder := onDisk(s, s.Archive.revisionFolder(may, 1))
	f := func(what, averaging, quality, want string) {
		t.Helper()
		if averaging != want || quality != export.QualityRule() {
			t.Errorf("%s says %q and %q, want %q", what, averaging, quality, want)
		}
	}
	for _, name := range []string{"grid-1h.geojson.gz", "grid-24h.geojson.gz"} {
		var metadata export.Envelope
		if err := json.Unmarshal([]byte(unzip(t, s, name)), &metadata); err != nil {
			t.Fatal(err)
		}
		f(name, metadata.Averaging, metadata.Quality, "A mean.")
	}
	out, err := client(t, "duckdb.mjs", "SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata('"+filepath.Join(folder, readingsParquet)+"')")
	var pairs []struct{ Key, Value string }
	if err := errors.Join(err, json.Unmarshal([]byte(out), &pairs)); err != nil {
		t.Fatal(err)
	}
	metadata := map[string]string{}
	for _, pair := range pairs {
		metadata[pair.Key] = pair.Value
	}
	f(readingsParquet, metadata["averaging"], metadata["quality"], export.Single)
	if metadata["averaging_rule"] != "A mean." || !strings.Contains(metadata["quality_rules"], `"Old":"720h0m0s"`) {
		t.Errorf("%s says %q", readingsParquet, metadata)
	}
	var p dataPackage
	text, err := os.ReadFile(filepath.Join(folder, packageName))
	if err := errors.Join(err, json.Unmarshal(text, &p)); err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Resources {
		switch {
		case r.Format == "geojson":
		case strings.HasPrefix(r.Path, "readings."):
			f(packageName+" of "+r.Path, r.Schema.Averaging, r.Schema.Quality, export.Single)
		default:
			f(packageName+" of "+r.Path, r.Schema.Averaging, r.Schema.Quality, "A mean.")
		}
	}
}

// ranges reads a file over HTTP as readers of Parquet do: the footer first, then the parts they need.
type ranges struct {
	t     *testing.T
	get   func(path string, headers ...string) (*http.Response, string)
	path  string
	asked int
}

func (r *ranges) ReadAt(p []byte, offset int64) (int, error) {
	response, body := r.get(r.path, "Range", fmt.Sprintf("bytes=%d-%d", offset, offset+int64(len(p))-1))
	if response.StatusCode != http.StatusPartialContent {
		r.t.Errorf("bytes at %d: %s", offset, response.Status)
	}
	r.asked++
	if copy(p, body) < len(p) {
		return len(body), io.EOF
	}
	return len(p), nil
}

func TestParquetOverHTTP(t *testing.T) {
	s, get := serving(t)
	r := &ranges{t: t, get: get, path: "2026/05/01/r1/readings.parquet"}
	info, err := os.Stat(filepath.Join(onDisk(s, s.Archive.revisionFolder(may, 1)), readingsParquet))
	if err != nil {
		t.Fatal(err)
	}
	var list []ingest.Reading
	err = parquet.Read(r, info.Size(), begin, begin.Add(24*time.Hour), func(reading ingest.Reading) error {
		list = append(list, reading)
		return nil
	})
	if err != nil || !reflect.DeepEqual(list, day()) || r.asked < 2 {
		t.Errorf("%d readings in %d requests, %v, want %d", len(list), r.asked, err, len(day()))
	}
}
