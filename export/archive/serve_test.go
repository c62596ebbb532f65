package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// serving serves an archive of two revisions of one day over HTTP.
func serving(t *testing.T) (*Store, func(path string, headers ...string) (*http.Response, string)) {
	t.Helper()
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	fill(t, s, []ingest.Reading{{Station: "D", Time: begin, Received: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}})
	build(t, s, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Archive.Serve(w, r); errors.Is(err, fs.ErrNotExist) {
			http.NotFound(w, r)
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return s, func(path string, headers ...string) (*http.Response, string) {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, server.URL+Root+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
}

func TestFilesOverHTTP(t *testing.T) {
	s, get := serving(t)
	for path, folder := range map[string]string{"2026/05/01/": "r2", "2026/05/01/r1/": "r1", "2026/05/01/r2/": "r2"} {
		for _, name := range []string{readingsCSV, readingsParquet, stationsName, manifestName, sumsName} {
			want, err := os.ReadFile(filepath.Join(s.Archive.Dir, "2026/05/01", folder, name))
			if err != nil {
				t.Fatal(err)
			}
			response, body := get(path + name)
			if response.StatusCode != http.StatusOK || body != string(want) || response.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s%s: %s, %d bytes, want %d", path, name, response.Status, len(body), len(want))
			}
		}
	}
	response, whole := get("2026/05/01/readings.parquet")
	h := response.Header
	tag := h.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || h.Get("Last-Modified") == "" || h.Get("Link") != `<http://dcat-ap.de/def/licenses/dl-zero-de/2.0>; rel="license"` ||
		h.Get("Content-Disposition") != `attachment; filename="stadtluft-2026-05-01-readings.parquet"` || h.Get("Content-Type") != "application/vnd.apache.parquet" {
		t.Errorf("header %v", h)
	}
	if response, body := get("2026/05/01/readings.parquet", "Range", "bytes=4-9"); response.StatusCode != http.StatusPartialContent || body != whole[4:10] {
		t.Errorf("a range: %s, %q", response.Status, body)
	}
	if response, _ := get("2026/05/01/readings.parquet", "If-None-Match", tag); response.StatusCode != http.StatusNotModified {
		t.Errorf("what is known already: %s", response.Status)
	}
	if response, _ := get("2026/05/01/r1/readings.parquet", "If-None-Match", tag); response.StatusCode != http.StatusOK || !strings.Contains(response.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("another revision: %s, %v", response.Status, response.Header)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	_, get := serving(t)
	for _, path := range []string{
		"2025/", "2026/13/", "2026/06/", "2026/05/02/", "2026/05/32/", "2026/05/01/r3/", "2026/05/01/r0/", "2026/05/01/r01/", "2026/05/01/none.csv", "2026/05/01/r3/readings.parquet",
		"2025.tar", "2026/06.tar", "2026/05/01.tar", ".tar", ".lock", ".pending/", "2026/05/01/..%2f..%2f..%2f.lock", "2026/05/01/r1/%2e%2e/r2/manifest.json", "2026/05/01/spared", "x", "index.htm",
	} {
		if response, body := get(path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s\n%s", path, response.Status, body)
		}
	}
}

func TestIndexes(t *testing.T) {
	_, get := serving(t)
	f := func(path string, want ...string) {
		t.Helper()
		var x index
		response, body := get(path + "index.json")
		if err := json.Unmarshal([]byte(body), &x); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", path, response.Status, err)
		}
		var hrefs []string
		for _, c := range x.Children {
			hrefs = append(hrefs, c.Href)
		}
		if x.Download != nil {
			hrefs = append(hrefs, x.Download.Href)
		}
		hrefs = append(hrefs, x.Revisions...)
		if !slices.Equal(hrefs, want) || x.Licence != "dl-zero-de/2.0" || x.Attribution != "Stadt Köln" {
			t.Errorf("%s leads to %v, want %v: %s", path, hrefs, want, body)
		}
		for lang, title := range map[string]string{"de": "Archiv", "en": "Archive"} {
			response, page := get(path, "Accept-Language", lang)
			if response.StatusCode != http.StatusOK || !strings.Contains(page, `<html lang="`+lang+`">`) || !strings.Contains(page, "<h1>"+title) || strings.Contains(page, "<script") {
				t.Errorf("the page %s in %s: %s\n%s", path, lang, response.Status, page)
			}
			for _, href := range append([]string{"/feeds/archive.atom?lang=" + lang}, want...) {
				if !strings.Contains(page, `href="`+href+`"`) {
					t.Errorf("the page %s does not lead to %s:\n%s", path, href, page)
				}
			}
		}
	}
	f("", "2026/")
	f("2026/", "05/", "../2026.tar")
	f("2026/05/", "01/", "../05.tar")
	f("2026/05/01/", "r1/", "r2/")
	f("2026/05/01/r1/", "../r1/", "../r2/")
	if response, _ := get("2026/05"); response.StatusCode != http.StatusMovedPermanently || response.Header.Get("Location") != Root+"2026/05/" {
		t.Errorf("without its slash: %s to %s", response.Status, response.Header.Get("Location"))
	}
}

func TestMissingDays(t *testing.T) {
	s, get := serving(t)
	third := may.Next().Next()
	at := begin.Add(48 * time.Hour)
	fill(t, s, []ingest.Reading{{Station: "D", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}})
	if _, _, err := s.Archive.Build(t.Context(), s, third); err != nil {
		t.Fatal(err)
	}
	if _, body := get("2026/05/index.json"); !strings.Contains(body, "\"missing_days\": [\n  \"2026-05-02\"\n ]") {
		t.Errorf("the second of May is not missed: %s", body)
	}
}

// TestManyDaysSayWhoseTheyAre has a month in which a simulated and an imported station may be.
func TestManyDaysSayWhoseTheyAre(t *testing.T) {
	s, get := serving(t)
	demo, neighbour := stand("DEM0", begin, 0.01), stand("EXT0", begin, 0.01)
	demo.Demo, neighbour.Source = true, "sensor-community"
	s.Archive.Stations = append(stations(), demo, neighbour)
	response, _ := get("2026/05.tar")
	if got := response.Header.Get("Content-Disposition"); got != `attachment; filename="demo-stadtluft-2026-05.tar"` {
		t.Errorf("Content-Disposition %s", got)
	}
	if links := strings.Join(response.Header["Link"], "\n"); !strings.Contains(links, `<https://opendatacommons.org/licenses/odbl/1-0/>; rel="license"`) {
		t.Errorf("Link %s", links)
	}
	var x index
	if _, body := get("2026/05/index.json"); json.Unmarshal([]byte(body), &x) != nil || !x.Demo || !strings.Contains(x.Attribution, "Sensor.Community") {
		t.Errorf("the month's index says demo %v, %s", x.Demo, x.Attribution)
	}
	if _, page := get("2026/05/", "Accept-Language", "en"); !strings.Contains(page, english.Demo) {
		t.Errorf("the month's page does not say that it is a demo's:\n%s", page)
	}
}

// TestTar reads a month with tar, whole and in pieces.
func TestTar(t *testing.T) {
	s, get := serving(t)
	response, body := get("2026/05.tar")
	if response.StatusCode != http.StatusOK || response.ContentLength != int64(len(body)) {
		t.Fatalf("%s, %d bytes of %d", response.Status, len(body), response.ContentLength)
	}
	files := map[string]string{}
	for r := tar.NewReader(strings.NewReader(body)); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(text)
	}
	names, err := s.Archive.list(s.Archive.revisionFolder(may, 2))
	if err != nil || len(files) != len(names) {
		t.Errorf("%d files, want %d, %v", len(files), len(names), err)
	}
	for _, name := range names {
		want, err := os.ReadFile(filepath.Join(onDisk(s, s.Archive.revisionFolder(may, 2)), name))
		if err != nil || files["2026/05/01/"+name] != string(want) {
			t.Errorf("%s in the tar file is another, %v", name, err)
		}
	}
	tag := response.Header.Get("ETag")
	var pieces bytes.Buffer
	for from := 0; from < len(body); from += 7001 {
		to := min(from+7000, len(body)-1)
		response, piece := get("2026/05.tar", "Range", "bytes="+itoa(from)+"-"+itoa(to), "If-Range", tag)
		if response.StatusCode != http.StatusPartialContent {
			t.Fatalf("from %d: %s", from, response.Status)
		}
		pieces.WriteString(piece)
	}
	if pieces.String() != body {
		t.Error("the pieces are not the whole")
	}
	if _, year := get("2026.tar"); year != body {
		t.Error("a year of one day is not its month")
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }
