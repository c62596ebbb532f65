package catalog

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/httpapitest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// town is a city with two years of data and three days in its archive.
type town struct {
	days []export.Day
	meta *export.Meta // nil for the usual one
}

func (town) Stations() []*ingest.Station {
	created := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	return []*ingest.Station{
		{ID: "AAAAAA1", Status: ingest.Active, Created: created, Places: []ingest.Place{{From: created}}},
		{ID: "BBBBBB2", Status: ingest.Retired, Created: created.AddDate(-5, 0, 0), Places: []ingest.Place{{From: created}}}, // not shown
	}
}

func (t town) Days(context.Context) ([]export.Day, error) { return t.days, nil }

func (t town) Meta(at time.Time) export.Meta {
	if t.meta != nil {
		return *t.meta
	}
	return export.Meta{Licence: "dl-by-de/2.0", Attribution: "Stadt Köln, \"Stadtluft\"\n\\ Umweltamt", Generated: at}
}

var now = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

func newService() *Service {
	day := func(d int) export.Day {
		at := time.Date(2026, 4, d, 0, 0, 0, 0, time.UTC)
		return export.Day{Date: at, Updated: at.AddDate(0, 0, 3), Revision: 1}
	}
	return &Service{
		Source: town{days: []export.Day{day(1), day(2), day(3)}}, City: "Köln", Bound: orb.Bound{Min: orb.Point{6.77, 50.83}, Max: orb.Point{7.16, 51.08}}, Districts: true,
		Publisher: Publisher{Name: "Stadt Köln", URL: "https://www.example.org/köln <amt>", Contact: "daten@example.org", Contributor: "http://dcat-ap.de/def/contributors/openNRW",
			Geocoding: "districtKey/05315", Level: "municipality", HVD: "c_dd313021", DOIs: map[int]string{2026: "10.5072/koeln"}},
		Pages: []string{"/", "/data"}, Base: func(*http.Request) string { return "https://luft.example.org" }, Log: slog.New(slog.DiscardHandler),
	}
}

func TestCatalogIsTheGoldenOne(t *testing.T) {
	g, err := newService().describe(t.Context(), "https://luft.example.org", now)
	if err != nil {
		t.Fatal(err)
	}
	document, err := g.jsonld()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"catalog.ttl": g.turtle(), "catalog.jsonld": document} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from the golden file; look at the difference, then run with -update", name)
		}
	}
}

// cities returns configurations that a catalogue can have.
func cities() map[string]*Service {
	bare := newService() // only required settings, with all characters that a name can have
	bare.Source = town{meta: &export.Meta{Licence: "dl-zero-de/2.0", Attribution: "Stadtluft", Demo: true}}
	bare.City, bare.Districts, bare.Publisher = `Köln "Süd" \ <x> & </script> 'y'`, false, Publisher{Contributor: "http://dcat-ap.de/def/contributors/openNRW"}
	reached := newService() // with a page as contact instead of an e-mail address
	reached.Publisher.Contact = "https://example.org/kontakt?a=1&b=ü"
	neighboured := newService() // with imported stations, whose data keeps its licence
	neighboured.Source = town{meta: &export.Meta{Licence: "dl-by-de/2.0", Attribution: "Stadt Köln; Sensor.Community (ODbL-1.0, DbCL-1.0)", Licences: []string{"https://opendatacommons.org/licenses/odbl/1-0/"}}}
	return map[string]*Service{"usual": newService(), "bare": bare, "reached": reached, "neighboured": neighboured}
}

// Harvesters' own libraries read the same triples from Turtle and JSON-LD, and find the rules of DCAT-AP.de fulfilled.
func TestHarvesters(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs export/clients")
	}
	folder := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range cities() {
		g, err := s.describe(t.Context(), "https://luft.example.org", now)
		if err != nil {
			t.Fatal(err)
		}
		document, err := g.jsonld()
		if err != nil {
			t.Fatal(err)
		}
		write(name+".ttl", g.turtle())
		write(name+".jsonld", document)
	}
	command := exec.CommandContext(t.Context(), "node", "--test", filepath.Join("..", "clients", "catalog.test.mjs"))
	command.Env = append(os.Environ(), "CATALOGUES="+folder)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v (npm --prefix export/clients ci):\n%s", err, out)
	}
}

// Imported data keeps its licence in the catalogue too.
func TestNeighboursKeepTheirLicence(t *testing.T) {
	s := cities()["neighboured"]
	g, err := s.describe(t.Context(), "https://luft.example.org", now)
	if err != nil {
		t.Fatal(err)
	}
	distributions, rights := strings.Count(string(g.turtle()), "a dcat:Distribution"), strings.Count(string(g.turtle()), "dct:rights <https://opendatacommons.org/licenses/odbl/1-0/>")
	if distributions == 0 || rights != distributions {
		t.Errorf("%d of %d distributions name the neighbours' licence", rights, distributions)
	}
	b, err := s.SchemaOrg(t.Context(), "https://luft.example.org", now)
	if err != nil || !strings.Contains(string(b), `"license":["http://dcat-ap.de/def/licenses/dl-by-de/2.0","https://opendatacommons.org/licenses/odbl/1-0/"]`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestTheSameBytesAgain(t *testing.T) {
	make := func(at time.Time) string {
		g, err := newService().describe(t.Context(), "https://luft.example.org", at)
		if err != nil {
			t.Fatal(err)
		}
		return string(g.turtle())
	}
	if make(now) != make(now.Add(time.Hour)) {
		t.Error("the catalogue differs an hour later")
	}
}

// RDF 1.1 Turtle, section 6.4: what must be escaped in a text.
func TestQuote(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
	f(`a "b" \c`, `"a \"b\" \\c"`)
	f("a\nb\rc\td", `"a\nb\rc\td"`)
	f("\x00\x1f\x7f", `"\u0000\u001F\u007F"`)
	f("Köln µg/m³ 🌫", `"Köln µg/m³ 🌫"`)
}

// RFC 3987, section 2.2: an address holds no blanks, quotes or brackets.
func TestAddress(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := pointed(address(name)); got != want {
			t.Errorf("%q is %s, want %s", name, got, want)
		}
	}
	f("dct:title", "dct:title")
	f("http://purl.org/dc/terms/title", "dct:title")
	f("http://purl.org/dc/terms/a/b", "<http://purl.org/dc/terms/a/b>")
	f("http://purl.org/dc/terms/", "<http://purl.org/dc/terms/>")
	f("https://example.org/a b<c>\"{}|^`\\\n", "<https://example.org/a%20b%3Cc%3E%22%7B%7D%7C%5E%60%5C%0A>")
	f("https://example.org/köln", "<https://example.org/köln>")
	f("mailto:a@example.org", "<mailto:a@example.org>")
}

func serve(t *testing.T) func(address string, header ...string) (*http.Response, string) {
	c := httpapitest.Serve(t, newService().Routes())
	return func(address string, header ...string) (*http.Response, string) {
		t.Helper()
		response, body := c.Do("GET", address, "", header...)
		return response, string(body)
	}
}

func TestForms(t *testing.T) {
	get := serve(t)
	f := func(address, accept, wantType, wantText string) {
		t.Helper()
		response, body := get(address, "Accept", accept)
		if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != wantType || !strings.Contains(body, wantText) {
			t.Errorf("%s: %s %s, want %s with %q", address, response.Status, got, wantType, wantText)
		}
	}
	f("/catalog.ttl", "", "text/turtle; charset=utf-8", "a dcat:Catalog")
	f("/catalog.jsonld", "", "application/ld+json", `"@type":["dcat:Catalog"]`)
	f("/catalog", "text/turtle", "text/turtle; charset=utf-8", "a dcat:Catalog")
	f("/catalog", "application/ld+json", "application/ld+json", "dcat:Catalog")
	f("/catalog", "*/*", "text/turtle; charset=utf-8", "a dcat:Catalog")
	f("/catalog.schema.jsonld", "", "application/ld+json", `"@type":"Dataset"`)
	f("/robots.txt", "", "text/plain; charset=utf-8", "Sitemap: https://luft.example.org/sitemap.xml\n")
	if response, body := get("/catalog.ttl?page=2"); response.StatusCode != http.StatusBadRequest || !strings.Contains(body, `"page"`) {
		t.Errorf("an unknown parameter: %s %s", response.Status, body)
	}
}

// A schema.org Dataset needs a name and a description; search engines for data also ask for licence, place, time and
// downloads.
func TestSchemaOrg(t *testing.T) {
	b, err := newService().SchemaOrg(t.Context(), "https://luft.example.org", now)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(b), "<>&") {
		t.Error("it holds signs that could end the element it stands in")
	}
	var d struct {
		Context          string `json:"@context"`
		Type             string `json:"@type"`
		Name             string
		Description      string
		License          []string
		TemporalCoverage string
		SpatialCoverage  struct{ Geo struct{ Box string } }
		Distribution     []struct {
			Type       string `json:"@type"`
			ContentURL string
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if d.Context != "https://schema.org/" || d.Type != "Dataset" || d.Name == "" || len(d.Description) < 50 || strings.Join(d.License, " ") != "http://dcat-ap.de/def/licenses/dl-by-de/2.0" ||
		d.TemporalCoverage != "2025-01-01/.." || d.SpatialCoverage.Geo.Box != "50.83 6.77 51.08 7.16" || len(d.Distribution) != 4 {
		t.Errorf("%s", b)
	}
	if got, want := d.Distribution[3].ContentURL, "https://luft.example.org/api/v1/readings?from=2026-01-01&to=2027-01-01&format=csv"; got != want {
		t.Errorf("this year at %s, want %s", got, want)
	}
}

// sitemaps.org: absolute addresses in loc, times in W3C format; each page in both languages and the archive's days.
func TestSitemap(t *testing.T) {
	_, body := serve(t)("/sitemap.xml")
	var m struct {
		XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URL     []struct {
			Loc     string `xml:"loc"`
			LastMod string `xml:"lastmod"`
			Links   []struct {
				Language string `xml:"hreflang,attr"`
			} `xml:"http://www.w3.org/1999/xhtml link"`
		} `xml:"url"`
	}
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, u := range m.URL {
		found[u.Loc] = u.LastMod
		if u.LastMod == "" && len(u.Links) != 3 {
			t.Errorf("%s names %d forms of itself, want 3", u.Loc, len(u.Links))
		}
	}
	want := map[string]string{"https://luft.example.org/archive/2026/04/03/": "2026-04-06T00:00:00Z"}
	for _, page := range []string{"/", "/data"} {
		for _, query := range []string{"", "?lang=de", "?lang=en"} {
			want["https://luft.example.org"+page+query] = ""
		}
	}
	for loc, modified := range want {
		if got, ok := found[loc]; !ok || got != modified {
			t.Errorf("%s: %q, %v, want %q", loc, got, ok, modified)
		}
	}
	if len(found) != len(want)+2 {
		t.Errorf("%d addresses, want %d", len(found), len(want)+2)
	}
}
