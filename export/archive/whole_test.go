package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// servingTwo serves an archive of the first and the second of May; of the first there are two revisions.
func servingTwo(t *testing.T) (*Store, func(path string, headers ...string) (*http.Response, string)) {
	t.Helper()
	s, get := serving(t)
	s.Archive.About = About{City: "Köln", Base: "https://luft.example.org", DOIs: map[int]string{2027: "10.5072/other"}}
	second := day()
	for i := range second {
		second[i].Time, second[i].Received = second[i].Time.Add(24*time.Hour), second[i].Received.Add(24*time.Hour)
	}
	fill(t, s, second)
	if _, _, err := s.Archive.Build(t.Context(), s, may.Next()); err != nil {
		t.Fatal(err)
	}
	return s, get
}

// TestAYearIsOneFile asks DuckDB for the rows that the year's file has and the days' files have not, and the other way round.
func TestAYearIsOneFile(t *testing.T) {
	s, get := servingTwo(t)
	folder := t.TempDir()
	for _, name := range joinable {
		for _, level := range []string{"2026/", "2026/05/"} {
			response, whole := get(level + name)
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/vnd.apache.parquet" {
				t.Fatalf("%s%s: %s, %v", level, name, response.Status, response.Header)
			}
			path := filepath.Join(folder, "it.parquet")
			if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			days := fmt.Sprintf("read_parquet(['%[1]s/2026/05/01/r2/%[2]s', '%[1]s/2026/05/02/r1/%[2]s'])", s.Archive.Dir, name)
			got, err := client(t, "duckdb.mjs", fmt.Sprintf("SELECT (SELECT count(*) FROM (FROM '%[1]s' EXCEPT ALL FROM %[2]s)) more, (SELECT count(*) FROM (FROM %[2]s EXCEPT ALL FROM '%[1]s')) less, count(*) > 5 many, (SELECT string_agg(decode(value)) FROM parquet_kv_metadata('%[1]s') WHERE decode(key) = 'licence') licence FROM '%[1]s'", path, days))
			if want := `[{"more":"0","less":"0","many":true,"licence":"dl-zero-de/2.0"}]`; err != nil || got != want {
				t.Errorf("%s%s: %s, %v, want %s", level, name, got, err, want)
			}
			if response, part := get(level+name, "Range", "bytes=2-999"); response.StatusCode != http.StatusPartialContent || part != whole[2:1000] {
				t.Errorf("a range of %s%s: %s, %d bytes", level, name, response.Status, len(part))
			}
			if response, _ := get(level+name, "If-None-Match", response.Header.Get("ETag")); response.StatusCode != http.StatusNotModified {
				t.Errorf("%s%s is known already: %s", level, name, response.Status)
			}
		}
	}
	var x index
	_, body := get("2026/index.json")
	if err := json.Unmarshal([]byte(body), &x); err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(x.Files))
	for i, f := range x.Files {
		names[i] = f.Name
		if response, body := get("2026/" + f.Href); response.StatusCode != http.StatusOK || f.Bytes > 0 && f.Bytes != int64(len(body)) {
			t.Errorf("%s: %s, %d bytes, the index says %d", f.Name, response.Status, len(body), f.Bytes)
		}
	}
	if want := []string{hoursParquet, daysParquet, packageName, citationName, dataciteName, sumsName}; !slices.Equal(names, want) || x.Files[0].Bytes == 0 || len(x.Without) > 0 {
		t.Errorf("files of the year: %v, want %v; %+v", names, want, x)
	}
}

// TestMeansOfStations compares the files with means that are computed here, and with each other.
func TestMeansOfStations(t *testing.T) {
	s := open(t, t.TempDir())
	list := day()
	for i := range list {
		list[i].Values[0].Flags = 0
	}
	fill(t, s, list)
	build(t, s, 1)
	sums, counts := map[string]float64{}, map[string]int{}
	for _, r := range list {
		key := r.Station + " " + r.Time.Truncate(time.Hour).Format(time.RFC3339)
		sums[key] += r.Values[0].Value
		counts[key]++
	}
	rows, err := csv.NewReader(strings.NewReader(unzip(t, s, "means-1h.csv.gz"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i, row := range rows[1:] {
		if i > 0 && strings.Join(rows[i][2:3], " ") > row[2] {
			t.Errorf("%v comes after %v, want the rows by station", row, rows[i])
		}
		if row[5] != "pm2_5" {
			continue
		}
		seen++
		key := row[2] + " " + row[0]
		if want := fmt.Sprintf("%.3f", sums[key]/float64(counts[key])); row[8] != want || row[10] != fmt.Sprint(counts[key]) {
			t.Errorf("%s: mean %s of %s readings, want %s of %d", key, row[8], row[10], want, counts[key])
		}
	}
	if seen != len(sums) {
		t.Errorf("%d hours of stations, want %d", seen, len(sums))
	}
}

// TestAStationIsOneFile reads a station's means of two days in both forms.
func TestAStationIsOneFile(t *testing.T) {
	s, get := servingTwo(t)
	response, packed := get("stations/A/means-1h.csv.gz")
	unpacked, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil || response.Header.Get("Content-Disposition") != `attachment; filename="stadtluft-A-means-1h.csv.gz"` {
		t.Fatalf("%s, %v, %v", response.Status, response.Header, err)
	}
	rows, err := csv.NewReader(unpacked).ReadAll()
	// A lacks two hours of each day; two quantities.
	if want := 1 + 2*2*22; err != nil || len(rows) != want {
		t.Fatalf("%d lines, %v, want %d", len(rows), err, want)
	}
	for i, row := range rows[1:] {
		if row[2] != "A" || i > 0 && rows[i][0] > row[0] {
			t.Errorf("line %d is %v after %v", i, row, rows[i])
		}
	}
	var days []string
	for _, d := range []Day{may, may.Next()} {
		revision, _ := s.Archive.newest(d)
		reader, err := os.Open(filepath.Join(onDisk(s, s.Archive.revisionFolder(d, revision)), "means-1h.csv.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		unpacked, err := gzip.NewReader(reader)
		if err != nil {
			t.Fatal(err)
		}
		all, err := csv.NewReader(unpacked).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range all {
			if row[2] == "A" {
				days = append(days, strings.Join(row, ","))
			}
		}
	}
	var whole []string
	for _, row := range rows[1:] {
		whole = append(whole, strings.Join(row, ","))
	}
	slices.Sort(days)
	slices.Sort(whole)
	if !reflect.DeepEqual(days, whole) {
		t.Errorf("the station's file has\n%v\nthe days' files have\n%v", whole, days)
	}
	if _, again := get("2026/stations/A/means-1h.csv.gz"); again != packed {
		t.Error("the only year is not the whole")
	}
	response, body := get("2026/stations/A/means-24h.parquet")
	path := filepath.Join(t.TempDir(), "it.parquet")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	got, err := client(t, "duckdb.mjs", "SELECT DISTINCT station, window_seconds s, count(*) n FROM '"+path+"' GROUP BY ALL")
	if want := `[{"station":"A","s":86400,"n":"4"}]`; err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	for _, path := range []string{"stations/NONE/means-1h.parquet", "stations/H/means-1h.parquet", "2025/stations/A/means-1h.parquet", "stations/A/means-5m.parquet", "stations/a/means-1h.csv", "stations/"} {
		if response, _ := get(path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}

// TestAYearsChecksums has sha256sum look at the year's files as they are after a download.
func TestAYearsChecksums(t *testing.T) {
	s, get := servingTwo(t)
	folder := t.TempDir()
	_, sums := get("2026/SHA256SUMS")
	for line := range strings.Lines(sums) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		response, body := get("2026/" + name)
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(name, response.Status, err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := exec.Command("sha256sum", "--check", "--strict", "--quiet", "-")
	check.Dir, check.Stdin = folder, strings.NewReader(sums)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, sums)
	}
	if lines := strings.Count(sums, "\n"); lines != 2+2*17 {
		t.Errorf("%d lines, want both means, and seventeen files of each day", lines)
	}
	// The same revisions give the same bytes in another process.
	other := &Archive{Dir: s.Archive.Dir, DayOffset: s.Archive.DayOffset, Stations: s.Archive.Stations}
	again, err := other.checksums("2026", Day{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, Day{time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)})
	if err != nil || string(again) != sums {
		t.Errorf("%v: again\n%s\nwant\n%s", err, again, sums)
	}
}

func TestAYearCanBeCited(t *testing.T) {
	s, get := servingTwo(t)
	var p dataPackage
	_, text := get("2026/datapackage.json")
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	// Two days, of which one was corrected once. The first closes 48 hours and 10 minutes after its end, 23:00 UTC.
	const cite = "Stadt Köln (%d): Stadtluft Köln: air quality measurements 2026. Version 2.1. https://luft.example.org/archive/2026/. http://dcat-ap.de/def/licenses/dl-zero-de/2.0"
	if want := time.Date(2026, 5, 3, 23, 10, 0, 0, time.UTC); p.Version != "2.1" || !p.Created.Equal(want) || p.Modified.Before(p.Created) ||
		p.ID != "https://luft.example.org/archive/2026/" || p.Identifier != p.ID || p.Citation != fmt.Sprintf(cite, p.Modified.Year()) {
		t.Errorf("package %+v", p)
	}
	for _, r := range p.Resources {
		_, body := get("2026/" + r.Path)
		if sum := sha256.Sum256([]byte(body)); r.Hash != "sha256:"+hex.EncodeToString(sum[:]) || r.Bytes != int64(len(body)) || r.Schema == nil {
			t.Errorf("resource %+v", r)
		}
	}
	_, cff := get("2026/CITATION.cff")
	for _, line := range []string{"cff-version: 1.2.0", "type: dataset", `title: "Stadtluft Köln: air quality measurements 2026"`, `  - name: "Stadt Köln"`, `version: "2.1"`,
		"date-released: " + p.Modified.Format(time.DateOnly), `url: "https://luft.example.org/archive/2026/"`, `license-url: "http://dcat-ap.de/def/licenses/dl-zero-de/2.0"`} {
		if !strings.Contains(cff, line+"\n") {
			t.Errorf("CITATION.cff lacks %s:\n%s", line, cff)
		}
	}
	s.Archive.About.DOIs[2026] = "10.5072/koeln"
	if _, cff := get("2026/CITATION.cff"); !strings.Contains(cff, "doi: \"10.5072/koeln\"\n") {
		t.Errorf("CITATION.cff lacks the DOI:\n%s", cff)
	}
	if _, text := get("2026/datapackage.json"); !strings.Contains(text, `"identifier": "https://doi.org/10.5072/koeln"`) {
		t.Errorf("the package lacks the DOI:\n%s", text)
	}
}

// TestDataCite looks for what the schema (kernel 4.6) demands, and for what it allows as values.
func TestDataCite(t *testing.T) {
	_, get := servingTwo(t)
	response, text := get("2026/datacite.xml")
	if response.Header.Get("Content-Type") != "application/xml" || !strings.Contains(text, `<resource xmlns="http://datacite.org/schema/kernel-4"`) {
		t.Fatalf("%v\n%s", response.Header, text)
	}
	// Every element's place, as the schema has it.
	known := strings.Fields("resource resource/identifier resource/creators resource/creators/creator resource/creators/creator/creatorName resource/titles resource/titles/title " +
		"resource/publisher resource/publicationYear resource/resourceType resource/subjects resource/subjects/subject resource/dates resource/dates/date resource/language " +
		"resource/alternateIdentifiers resource/alternateIdentifiers/alternateIdentifier resource/formats resource/formats/format resource/version resource/rightsList resource/rightsList/rights " +
		"resource/descriptions resource/descriptions/description resource/geoLocations resource/geoLocations/geoLocation resource/geoLocations/geoLocation/geoLocationPlace")
	demanded := map[string]string{
		"resource/identifier": "(:tba)", "resource/creators/creator/creatorName": "Stadt Köln", "resource/titles/title": "Stadtluft Köln: air quality measurements 2026",
		"resource/publisher": "Stadt Köln", "resource/publicationYear": fmt.Sprint(time.Now().UTC().Year()), "resource/resourceType": "Sensor measurements", "resource/version": "2.1",
	}
	attributes := map[string][]string{
		"identifierType": {"DOI"}, "nameType": {"Organizational"}, "resourceTypeGeneral": {"Dataset"}, "dateType": {"Issued", "Updated", "Collected"}, "descriptionType": {"Abstract"},
		"lang": {"en", "de"}, "alternateIdentifierType": {"URL"}, "rightsURI": {"http://dcat-ap.de/def/licenses/dl-zero-de/2.0"},
	}
	var path []string
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := decoder.Token()
		if token == nil {
			if err.Error() != "EOF" {
				t.Error(err)
			}
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			if at := strings.Join(path, "/"); !slices.Contains(known, at) || token.Name.Space != "http://datacite.org/schema/kernel-4" {
				t.Errorf("the schema has no %s in %s", at, token.Name.Space)
			}
			for _, a := range token.Attr {
				if want, known := attributes[a.Name.Local]; known && !slices.Contains(want, a.Value) || !known && len(path) > 1 {
					t.Errorf("%s has the attribute %v", path, a)
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if want, one := demanded[strings.Join(path, "/")]; one && string(token) == want {
				delete(demanded, strings.Join(path, "/"))
			}
		}
	}
	if len(demanded) > 0 {
		t.Errorf("it lacks %v:\n%s", demanded, text)
	}
}

// TestDaysOfEarlierVersionsGetMeans takes the means of an archived day away, as if an earlier version had made it.
func TestDaysOfEarlierVersionsGetMeans(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	folder := onDisk(s, s.Archive.revisionFolder(may, 1))
	sums, err := os.ReadFile(filepath.Join(folder, sumsName))
	if err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	for line := range strings.Lines(string(sums)) {
		if !strings.Contains(line, "  means-") {
			kept.WriteString(line)
		}
	}
	m, err := s.Archive.Manifest(may, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.Files = slices.DeleteFunc(m.Files, func(f File) bool { return strings.HasPrefix(f.Name, "means-") })
	manifest, _ := json.Marshal(m)
	if err := os.WriteFile(filepath.Join(folder, sumsName), kept.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, manifestName), manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(s.Archive.Dir, ".pending")); err != nil {
		t.Fatal(err)
	}
	x, err := s.Archive.index("2026", "05", "", "")
	if err != nil || !slices.Equal(x.Without, []string{"2026-05-01"}) {
		t.Errorf("days without means: %+v, %v", x, err)
	}
	now := time.Now()
	for range 2 {
		if err := s.Work(t.Context(), now.Add(3*buildDelay)); err != nil {
			t.Fatal(err)
		}
	}
	m, err = s.Archive.Manifest(may, 2)
	if want := []string{"means-1h.csv.gz", hoursParquet, "means-24h.csv.gz", daysParquet}; err != nil || !slices.Equal(m.Differs, want) {
		t.Errorf("the second revision differs in %v, %v, want %v", m.Differs, err, want)
	}
	if n, _ := s.Archive.newest(may); n != 2 {
		t.Errorf("r%d, want r2", n)
	}
}

// TestMeansOfHiddenStations expects that the files depend on the readings alone, not on a suspension.
func TestMeansOfHiddenStations(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, []ingest.Reading{{Station: "H", Time: begin, Received: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 7}}}})
	build(t, s, 1)
	if text := unzip(t, s, "means-1h.csv.gz"); !strings.Contains(text, ",H,") {
		t.Errorf("means of a suspended station whose readings are there:\n%s", text)
	}
}
