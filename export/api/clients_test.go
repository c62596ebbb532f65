package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store/storetest"
)

// living returns a server with readings, old and new ones, and two districts.
func living(t *testing.T) *fixture {
	h := open(t, registry.PolicyOpen)
	h.server.City.Districts = []geo.District{{Name: "Ost, rechts", Boundary: box(t, 6.97, 50.85, 7.15, 51.05)}, {Name: "West", Boundary: box(t, 6.8, 50.85, 6.97, 51.05)}}
	h.server.Archive = h.archived()
	h.http.Config.Handler = h.server.Handler()
	now := time.Now().UTC().Truncate(time.Second)
	hour := now.Truncate(time.Hour).Add(-3 * time.Hour)
	for i := range 24 {
		at := hour.Add(time.Duration(i) * 5 * time.Minute)
		h.measure(at, value(quantity.PM2_5, 12.3), value(quantity.PM10, 20.1), value(quantity.Humidity, 60))
	}
	h.measure(now.Add(-time.Minute), value(quantity.PM2_5, 14), ingest.Value{Quantity: quantity.PM10, Value: 1999.9, Flags: ingest.Sentinel})
	h.store.Held = append(h.store.Held, ingest.Reading{Station: "GONE000", Time: now.Add(-30 * time.Second), Values: []ingest.Value{value(quantity.Temperature, -1.5)}})
	h.store.Rows = []aggregate.Row{{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000}, Start: hour.Add(-100 * time.Hour), Window: aggregate.Hour, Quantity: quantity.PM2_5, Mean: 7000, Stations: 1}}
	return h
}

// archived returns an archive of the first of May.
func (h *fixture) archived() *archive.Archive {
	h.t.Helper()
	a := &archive.Archive{Dir: h.t.TempDir(), Size: 1000, Stations: h.server.Registry, Meta: export.Meta{Licence: "dl-zero-de/2.0", Attribution: "Stadt Köln"}, Log: h.server.Log}
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var readings []ingest.Reading
	for i := range 100 {
		at := noon.Add(time.Duration(i) * time.Minute)
		readings = append(readings, ingest.Reading{Station: h.station.ID, Time: at, Received: at, Values: []ingest.Value{value(quantity.PM10, 20.1+float64(i))}})
	}
	if _, _, err := a.Build(h.t.Context(), &storetest.Memory{Held: readings}, a.DayOf(noon)); err != nil {
		h.t.Fatal(err)
	}
	return a
}

func box(t *testing.T, west, south, east, north float64) *geo.Boundary {
	t.Helper()
	b, err := geo.NewBoundary(orb.MultiPolygon{{{{west, south}, {east, south}, {east, north}, {west, north}, {west, south}}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// questions returns addresses for every kind of document, without their format.
func questions(h *fixture) map[string][]string {
	day := time.Now().UTC().Add(-24 * time.Hour).Format(time.RFC3339)
	week := time.Now().UTC().Add(-7 * 24 * time.Hour).Format(time.RFC3339)
	return map[string][]string{
		"rows": {
			"/api/v1/readings?from=" + day, "/api/v1/readings?resolution=5m&from=" + day, "/api/v1/readings?resolution=1h&from=" + day,
			"/api/v1/readings?resolution=1d&from=" + week, "/api/v1/stations/" + h.station.ID + "/readings?from=" + day,
			"/api/v1/grid?window=live", "/api/v1/grid?window=1h&from=" + week, "/api/v1/grid?window=24h&resolution=500", "/api/v1/districts?window=live",
		},
		"geojson": {"/api/v1/city", "/api/v1/stations", "/api/v1/stations/" + h.station.ID},
	}
}

// saved requests an address and stores the answer in a file.
func (h *fixture) saved(route, extension string) string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "it."+extension)
	if err := os.WriteFile(path, h.get(route), 0o644); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// run runs a client, which must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs " + name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\n(make packages; npm --prefix export/clients ci)", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

const clients = "../clients/"

// TestSpectralAcceptsTheDescription lints both OpenAPI documents, the whole one of 3.1 and OGC API - Features' of 3.0, with every rule that Spectral
// has for them.
func TestSpectralAcceptsTheDescription(t *testing.T) {
	h := living(t)
	for _, route := range []string{"/api/openapi.json", "/ogc/api"} {
		run(t, clients+"node_modules/.bin/spectral", "lint", h.saved(route, "json"), "--ruleset", clients+"spectral.yaml", "--fail-severity=hint")
	}
}

// TestAnOGCClientReads has OGC-Client, which reads services for map viewers and data hubs, count and page through each collection.
func TestAnOGCClientReads(t *testing.T) {
	h := living(t)
	for _, collection := range []string{"stations", "readings-latest", "grid-1h", "districts"} {
		var page struct{ NumberMatched int }
		if err := json.Unmarshal(h.get("/ogc/collections/"+collection+"/items?limit=1"), &page); err != nil || page.NumberMatched == 0 {
			t.Fatalf("%s: %+v, %v", collection, page, err)
		}
		want := fmt.Sprintf("%s: %d features\n", collection, page.NumberMatched)
		if got := run(t, "node", clients+"ogc.mjs", h.http.URL+"/ogc", collection); got != want {
			t.Errorf("the client says %q, want %q", got, want)
		}
	}
}

func TestEveryGeoJSONIsValid(t *testing.T) {
	h := living(t)
	asked := questions(h)
	files := []string{clients + "geojson.mjs"}
	for _, route := range asked["geojson"] {
		files = append(files, h.saved(route, "geojson"))
	}
	for _, route := range asked["rows"] {
		files = append(files, h.saved(route+"&format=geojson", "geojson"))
	}
	run(t, "node", files...)
}

// TestGDALReads has ogrinfo count the rows of CSV and GeoJSON, and list their fields.
func TestGDALReads(t *testing.T) {
	h := living(t)
	for _, route := range questions(h)["rows"] {
		lines := bytes.Count(h.get(route+"&format=csv&quantity=pm2_5"), []byte("\n"))
		h.gdal(route+"&format=csv&quantity=pm2_5", "csv", lines-1, "quantity: String", "unit: String")
		if strings.Contains(route, "/districts") {
			h.gdal(route+"&format=geojson", "geojson", 2, "Geometry: Multi Polygon", "name: String")
			continue
		}
		h.gdal(route+"&format=geojson&quantity=pm2_5", "geojson", lines-1, "quantity: String", `GEOGCRS["WGS 84"`)
	}
	h.gdal("/api/v1/stations", "geojson", 1, "Geometry: Point", "last_seen: DateTime")
}

func (h *fixture) gdal(route, extension string, features int, words ...string) {
	h.t.Helper()
	out := run(h.t, "ogrinfo", "-so", "-al", h.saved(route, extension))
	if features == 0 {
		words = nil // the output does not list the fields
	}
	for _, want := range append(words, fmt.Sprintf("Feature Count: %d\n", features)) {
		if !strings.Contains(out, want) {
			h.t.Errorf("%s: ogrinfo finds no %q:\n%s", route, want, out)
		}
	}
}
