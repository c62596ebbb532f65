package api

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"stadtluft/ingest/registry"
)

func built(t *testing.T) *fixture {
	t.Helper()
	h := open(t, registry.PolicyOpen)
	h.server.Pages = fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><head></head>the page")}, "assets/page-abc.js": {Data: []byte("export {}")}, "icon.svg": {Data: []byte("<svg/>")},
		"placeholder": {},
	}
	return h
}

func TestPages(t *testing.T) {
	h := built(t)
	f := func(route, accept string, status int, kind, cache string) {
		t.Helper()
		response, body := h.do("GET", route, "", "Accept", accept)
		if response.StatusCode != status || !strings.HasPrefix(response.Header.Get("Content-Type"), kind) || response.Header.Get("Cache-Control") != cache {
			t.Errorf("%s: %s %q %q, want %d %q %q: %s", route, response.Status, response.Header.Get("Content-Type"), response.Header.Get("Cache-Control"), status, kind, cache, body)
		}
	}
	const browser, program = "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"
	for _, route := range []string{"/", "/register", "/stations/K7D2Q9RM4T", "/coverage", "/data", "/about", "/school", "/admin", "/embed/city", "/embed/district/K%C3%B6ln", "/?quantity=pm10"} {
		f(route, browser, http.StatusOK, "text/html", "no-cache")
	}
	f("/assets/page-abc.js", browser, http.StatusOK, "text/javascript", "public, max-age=31536000, immutable")
	f("/icon.svg", program, http.StatusOK, "image/svg+xml", "no-cache")
	for _, route := range []string{"/nothing", "/stations", "/stations/a/b", "/register/", "/embed", "/index.html", "/assets", "/placeholder", "/assets/gone.js"} {
		f(route, browser, http.StatusNotFound, "text/html", "no-cache")
		f(route, program, http.StatusNotFound, "application/problem+json", "no-store")
	}
	if response, _ := h.do("POST", "/register", ""); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /register: %s", response.Status)
	}
}

// TestDownloadPageDescribesTheDataset reads the page as a search engine for data does: a schema.org Dataset as a data block in its head, with a name and a description of 50 to
// 5,000 signs (https://developers.google.com/search/docs/appearance/structured-data/dataset), whatever the city is called.
func TestDownloadPageDescribesTheDataset(t *testing.T) {
	h := built(t)
	h.server.City.Name = `Köln "Süd" </script><b>&`
	_, body := h.do("GET", "/data", "", "Accept", "text/html")
	blocks := regexp.MustCompile(`(?s)<head>.*<script type="application/ld\+json">(.*?)</script>.*</head>the page$`).FindSubmatch(body)
	var d struct {
		Type        string `json:"@type"`
		Name        string
		Description string
	}
	if blocks == nil || json.Unmarshal(blocks[1], &d) != nil || d.Type != "Dataset" || !strings.Contains(d.Name, h.server.City.Name) || len(d.Description) < 50 || len(d.Description) > 5000 {
		t.Errorf("the page has %+v: %s", d, body)
	}
	if _, body := h.do("GET", "/", "", "Accept", "text/html"); strings.Contains(string(body), "ld+json") {
		t.Errorf("the map has it too: %s", body)
	}
}

func TestPagesThatAreNotBuilt(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	if response, body := h.do("GET", "/", ""); response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "run make") {
		t.Errorf("GET /: %s %s", response.Status, body)
	}
}

func TestOnlyEmbeddedPagesAreFramed(t *testing.T) {
	h := built(t)
	for route, want := range map[string]string{"/": "'none'", "/register": "'none'", "/embed/city": "'self' https://www.example.org"} {
		response, _ := h.do("GET", route, "")
		policy := response.Header.Get("Content-Security-Policy")
		if _, got, _ := strings.Cut(policy, "frame-ancestors "); got != want {
			t.Errorf("%s: frame-ancestors %s, want %s", route, got, want)
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", route, policy)
		}
	}
}

// TestOnlyPagesWithAMapAskElsewhere expects the basemap's origin, and nothing more of its address, in the policy of
// pages with a map only.
func TestOnlyPagesWithAMapAskElsewhere(t *testing.T) {
	h := built(t)
	f := func(route, want string) {
		t.Helper()
		response, _ := h.do("GET", route, "", "Accept", "text/html")
		for _, directive := range []string{"connect-src 'self'" + want + ";", "img-src 'self' data: blob:" + want + ";"} {
			if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, directive) {
				t.Errorf("%s: %s, want %s in it", route, policy, directive)
			}
		}
	}
	maps := []string{"/", "/?quantity=pm10", "/register", "/stations/K7D2Q9RM4T", "/coverage", "/embed/map"}
	for _, route := range maps {
		f(route, "")
	}
	h.server.City.Basemap.Style = "https://tiles.example.org:8443/style.json?key=secret"
	for _, route := range maps {
		f(route, " https://tiles.example.org:8443")
	}
	for _, route := range []string{"/data", "/about", "/school", "/admin", "/embed/city", "/embed/cell/map", "/nothing", "/api/v1/city", "/assets/page-abc.js"} {
		f(route, "")
	}
	if _, body := h.do("GET", "/api/v1/city", ""); !strings.Contains(string(body), `"basemap":"https://tiles.example.org:8443/style.json?key=secret","basemap_tiles":""`) {
		t.Errorf("the city does not say its basemap: %s", body)
	}
}

// TestPagesAreThoseOfTheBrowser compares the server's addresses of pages with those of the web pages.
func TestPagesAreThoseOfTheBrowser(t *testing.T) {
	text, err := os.ReadFile("../web/src/routes.ts")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^  \["(/[^"]*)", "\w+"\],$`).FindAllStringSubmatch(string(text), -1) {
		got = append(got, m[1])
	}
	want := slices.Clone(pagePatterns)
	want[0] = "/"
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("routes.ts has %q, the server %q", got, want)
	}
}
