package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"stadtluft/export"
	"stadtluft/export/basemap"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/httpapi/openapi"
)

func TestZstandard(t *testing.T) {
	h := living(t)
	question := "/api/v1/readings?from=" + time.Now().UTC().Add(-5*time.Hour).Format(time.RFC3339)
	response, body := h.do("GET", question, "", "Accept-Encoding", "zstd")
	if got := response.Header.Get("Content-Encoding"); got != "zstd" || !strings.Contains(strings.Join(response.Header["Vary"], ","), "Accept-Encoding") {
		t.Fatalf("encoding %q, Vary %q", got, response.Header["Vary"])
	}
	r, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	plain, err := r.DecodeAll(body, nil)
	if err != nil || !bytes.Equal(plain, h.get(question)) {
		t.Errorf("unpacked %d bytes, %v, want the plain answer", len(plain), err)
	}
}

// TestConditions sends the first answer's tag and time with later requests (RFC 9110, section 13).
func TestConditions(t *testing.T) {
	h := living(t)
	hour := time.Now().UTC().Add(-5 * time.Hour).Format(time.RFC3339)
	for _, route := range []string{"/api/v1/readings?from=" + hour, "/api/v1/readings?format=json&from=" + hour, "/api/v1/stations", "/api/v1/schema/grid.json", "/api/openapi.json", "/archive/index.json", "/archive/2026/05/", "/catalog.ttl",
		"/feeds/archive.atom", "/feeds/stations/" + h.station.ID + ".atom"} {
		first, _ := h.do("GET", route, "")
		tag, modified := first.Header.Get("ETag"), first.Header.Get("Last-Modified")
		f := func(want int, header ...string) {
			t.Helper()
			if again, body := h.do("GET", route, "", header...); again.StatusCode != want || want == http.StatusNotModified && len(body) > 0 {
				t.Errorf("%s with %q: %s, want %d", route, header, again.Status, want)
			}
		}
		f(304, "If-None-Match", tag)
		f(304, "If-None-Match", `"other", `+tag)
		f(304, "If-None-Match", "*")
		f(200, "If-None-Match", `"other"`)
		f(304, "If-Modified-Since", modified)
		f(200, "If-Modified-Since", "Mon, 01 Jan 2018 00:00:00 GMT")
		f(200, "If-Modified-Since", "yesterday")
		f(200, "If-None-Match", `"other"`, "If-Modified-Since", modified) // the tag decides
	}
}

// TestChanges changes an address's tag several times.
func TestChanges(t *testing.T) {
	var c changes
	at := time.Date(2026, 5, 1, 12, 0, 0, 5e8, time.UTC)
	f := func(address, tag string, after, want time.Duration) {
		t.Helper()
		if got := c.since(address, tag, at.Add(after)); !got.Equal(at.Truncate(time.Second).Add(want)) {
			t.Errorf("since(%s, %s) after %v = %v, want %v", address, tag, after, got, want)
		}
	}
	f("a", "1", 0, 0)
	f("a", "1", time.Minute, 0)
	f("b", "1", time.Minute, time.Minute)
	f("a", "2", 2*time.Minute, 2*time.Minute)
	f("a", "3", 2*time.Minute, 2*time.Minute+time.Second) // in the same second: never the same time
	f("a", "2", 3*time.Minute, 3*time.Minute)             // back again is a change too
	for i := range maxRemembered {
		c.since(fmt.Sprint(i), "1", at)
	}
	f("a", "2", 5*time.Minute, 5*time.Minute) // forgotten
	if len(c.last) > maxRemembered {
		t.Errorf("%d addresses are remembered", len(c.last))
	}
}

func TestHead(t *testing.T) {
	h := living(t)
	for _, format := range []string{"csv", "geojson", "json", "parquet"} {
		route := "/api/v1/readings?format=" + format
		get, _ := h.do("GET", route, "")
		head, body := h.do("HEAD", route, "")
		if head.StatusCode != 200 || len(body) != 0 {
			t.Errorf("HEAD as %s: %s with %d bytes", format, head.Status, len(body))
		}
		for _, name := range []string{"Content-Type", "Cache-Control"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want || want == "" {
				t.Errorf("HEAD as %s: %s is %q, want %q", format, name, got, want)
			}
		}
		if tag := head.Header.Get("ETag"); tag != "" && tag != get.Header.Get("ETag") {
			t.Errorf("HEAD as %s: another tag", format)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "HEAD", h.http.URL+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := h.http.Client().Do(request); err != nil || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD of the stream: %v, %v", response, err)
	}
	if response, _ := h.do("GET", "/healthz", ""); response.StatusCode != 200 { // on the same connection
		t.Errorf("after HEAD of the stream: %s", response.Status)
	}
	if subscribers, _ := h.server.Live.Subscribers(); subscribers != 0 {
		t.Errorf("HEAD of the stream leaves %d subscribers", subscribers)
	}
	s := &endless{begun: make(chan struct{}), ended: make(chan error, 1)}
	h.server.Store = s
	if response, _ := h.do("HEAD", "/api/v1/readings", ""); response.StatusCode != 200 {
		t.Errorf("HEAD: %s", response.Status)
	}
	select {
	case <-s.begun:
		t.Error("HEAD reads the store")
	default:
	}
}

func TestOtherSitesMayRead(t *testing.T) {
	h := living(t)
	f := func(route, allow string, open bool) {
		t.Helper()
		response, _ := h.do("OPTIONS", route, "", "Origin", "https://example.org", "Access-Control-Request-Method", "GET")
		header := response.Header
		if response.StatusCode != http.StatusNoContent || header.Get("Allow") != allow {
			t.Errorf("OPTIONS %s: %s, Allow %q, want %q", route, response.Status, header.Get("Allow"), allow)
		}
		if got := header.Get("Access-Control-Allow-Origin") == "*" && strings.Contains(header.Get("Access-Control-Allow-Headers"), "If-None-Match"); got != open {
			t.Errorf("OPTIONS %s: everyone may read is %v, want %v", route, got, open)
		}
		if methods := header.Get("Access-Control-Allow-Methods"); strings.ContainsAny(methods, "PO") {
			t.Errorf("OPTIONS %s: other sites may %s", route, methods)
		}
	}
	f("/api/v1/readings?format=csv", "GET, HEAD, OPTIONS", true)
	f("/api/v1/stations", "GET, HEAD, OPTIONS, POST", true)
	f("/api/v1/stations/"+h.station.ID, "DELETE, GET, HEAD, OPTIONS, PATCH", true)
	f("/api/v1/push/airrohr", "OPTIONS, POST", false)
	f("/ogc/collections/stations/items", "GET, HEAD, OPTIONS", true)
	f("/sta/v1.1/Things", "GET, HEAD, OPTIONS", true)
	f("/archive/2026/05/01/readings.parquet", "GET, HEAD, OPTIONS", true)
	f("/catalog.ttl", "GET, HEAD, OPTIONS", true)
	response, _ := h.do("GET", "/api/v1/readings", "", "Origin", "https://example.org")
	for _, name := range []string{"Link", "ETag", "Content-Disposition"} {
		if !strings.Contains(response.Header.Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("scripts of other sites cannot read %s", name)
		}
	}
}

// TestFilesSayWhatTheyAre checks names, licences and rules in each format.
func TestFilesSayWhatTheyAre(t *testing.T) {
	h := living(t)
	h.server.City.Corrected = "kappa-koehler kappa=0.4"
	f := func(route, disposition, schema string) {
		t.Helper()
		response, _ := h.do("GET", route, "")
		if got := response.Header.Get("Content-Disposition"); !strings.HasPrefix(got, disposition) {
			t.Errorf("%s: %q, want %q", route, got, disposition)
		}
		links := strings.Join(response.Header["Link"], "\n")
		if !strings.Contains(links, `<http://dcat-ap.de/def/licenses/dl-zero-de/2.0>; rel="license"`) || !strings.Contains(links, "</api/v1/schema/"+schema+`>; rel="describedby"`) {
			t.Errorf("%s: Link %s, want the licence and %s", route, links, schema)
		}
		var described struct {
			Licence, Attribution, Averaging, Quality, Notice string
			Fields                                           []struct{ Name string }
		}
		if err := json.Unmarshal(h.get("/api/v1/schema/"+schema), &described); err != nil || described.Licence == "" || described.Attribution != "Stadt Köln" ||
			described.Averaging == "" || described.Notice != export.Disclaimer || described.Quality != export.QualityRule() || len(described.Fields) == 0 {
			t.Errorf("%s: %+v %v", schema, described, err)
		}
	}
	f("/api/v1/readings?from=2026-05-01&to=2026-05-02", `attachment; filename="stadtluft-readings-20260501T000000Z-20260502T000000Z.csv"`, "readings.json")
	f("/api/v1/readings?resolution=1h&format=parquet&from=2026-05-01&to=2026-05-02", `attachment; filename="stadtluft-readings-1h-20260501T000000Z-20260502T000000Z.parquet"`, "means.json?resolution=1h")
	f("/api/v1/stations/"+h.station.ID+"/readings?format=geojson&from=2026-05-01&to=2026-05-02", `inline; filename="stadtluft-readings-`+h.station.ID+`-20260501T000000Z-20260502T000000Z.geojson"`, "readings.json")
	f("/api/v1/grid?window=1h&time=2026-05-01T10:20:00Z&format=csv&delimiter=semicolon", `attachment; filename="stadtluft-grid-1h-20260501T100000Z.csv"`, "grid.json?window=1h")
	f("/api/v1/districts?window=24h&time=2026-05-01&format=json", `inline; filename="stadtluft-districts-24h-20260501T000000Z.json"`, "districts.json?window=24h")
	for _, list := range questions(h) {
		for _, route := range list {
			if strings.Contains(route, "?") {
				route += "&format=geojson"
			}
			var document map[string]any
			if err := json.Unmarshal(h.get(route), &document); err != nil {
				t.Fatal(err)
			}
			for _, member := range []string{"licence", "attribution", "notice", "generated", "averaging", "quality"} {
				if route == "/api/v1/stations/"+h.station.ID {
					continue // a feature of /api/v1/stations
				}
				if text, _ := document[member].(string); text == "" {
					t.Errorf("%s does not say its %s", route, member)
				}
			}
		}
	}
}

// patterns is a mux that records the mounted patterns.
type patterns struct {
	http.ServeMux
	list []string
}

func (p *patterns) Handle(pattern string, h http.Handler) {
	p.list = append(p.list, pattern)
	p.ServeMux.Handle(pattern, h)
}

// undescribed are the patterns that are not part of the interface for programs: pages, their files, and answers to
// unknown addresses.
var undescribed = []string{
	"GET /{$}", "GET /register", "GET /stations/{id}", "GET /coverage", "GET /comparison", "GET /data", "GET /about", "GET /school", "GET /mine", "GET /specification", "GET /admin", "GET /notices/{action}/{id}/{token}", "GET /embed/{kind}/{id}", "GET /embed/{kind}",
	"GET /basemap.pmtiles", "/", "/api/", "/ogc/", "/sta/v1.1/",
}

// TestTheDescriptionIsWhatIsServed compares the mounted patterns with the document, both ways.
func TestTheDescriptionIsWhatIsServed(t *testing.T) {
	h := living(t)
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(h.get("/api/openapi.json"), &document); err != nil || document.OpenAPI != "3.1.0" {
		t.Fatalf("%v %s", err, document.OpenAPI)
	}
	h.server.City.Basemap.Tiles = new(basemap.Tiles)
	var mux patterns
	h.server.mount(&mux)
	served := map[string]bool{}
	for _, pattern := range mux.list {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.ReplaceAll(path, "...}", "}")
		served[pattern] = true
		if _, described := document.Paths[path][strings.ToLower(method)]; !described && method != http.MethodOptions && !slices.Contains(undescribed, pattern) {
			t.Errorf("%s is served and neither described nor a page", pattern)
		}
	}
	for _, pattern := range undescribed {
		if !served[pattern] {
			t.Errorf("%s is not served", pattern)
		}
	}
	for path, methods := range document.Paths {
		for method, operation := range methods {
			pattern := strings.ToUpper(method) + " " + path
			if rest := strings.TrimSuffix(pattern, "}") + "...}"; !served[pattern] && !served[rest] {
				t.Errorf("%s is described and not served", pattern)
			}
			for _, p := range operation.Parameters {
				if in := strings.Contains(path, "{"+p.Name+"}"); in != (p.In == "path") {
					t.Errorf("%s %s: parameter %s is in %s", method, path, p.Name, p.In)
				}
			}
		}
	}
}

// TestUnknownParametersAreRefusedEverywhere sends an unknown parameter to each route.
func TestUnknownParametersAreRefusedEverywhere(t *testing.T) {
	h := living(t)
	for _, route := range h.server.description().Routes {
		if route.Method != http.MethodGet || route.Free && route.Group != "sta" {
			continue
		}
		response, body := h.do("GET", h.address(route)+"?colour=red", "")
		var p problem
		if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != http.StatusBadRequest || p.Field != "colour" || !strings.Contains(p.Detail, `"colour"`) {
			t.Errorf("%s: %s %.200s", route.Pattern(), response.Status, body)
		}
		for _, parameter := range route.Parameters {
			if !slices.Contains(p.Allowed, parameter.Name) && !strings.Contains(route.Path, "{"+parameter.Name) {
				t.Errorf("%s does not name %s among %v", route.Pattern(), parameter.Name, p.Allowed)
			}
		}
	}
}

func TestTheDescriptionForPeople(t *testing.T) {
	h := living(t)
	f := func(route, accept, want string) {
		t.Helper()
		response, body := h.do("GET", route, "", "Accept-Language", accept)
		if !strings.Contains(string(body), `<html lang="`+want+`">`) || response.Header.Get("Content-Language") != want {
			t.Errorf("%s for %q is in %s, want %s", route, accept, response.Header.Get("Content-Language"), want)
		}
		for _, route := range h.server.description().Routes {
			if !bytes.Contains(body, []byte(route.Address())) {
				t.Errorf("the page does not name %s", route.Address())
			}
		}
		if bytes.Contains(body, []byte("http://")) && !bytes.Contains(body, []byte(`href="http://dcat-ap.de`)) {
			t.Error("the page names another site")
		}
	}
	f("/api", "de-DE,de;q=0.9,en;q=0.8", "de")
	f("/api", "fr, en-GB;q=0.8, de;q=0.7", "en")
	f("/api", "", "en")
	f("/api?lang=de", "en", "de")
	for _, route := range h.server.description().Routes {
		for _, text := range append([]bilingual.Text{route.Summary}, abouts(route)...) {
			if text.EN == "" || text.DE == "" {
				t.Errorf("%s: a text is missing in a language: %+v", route.Pattern(), text)
			}
		}
	}
	if response, body := h.do("GET", "/api/style.css", ""); response.StatusCode != 200 || len(body) == 0 {
		t.Errorf("style: %s", response.Status)
	}
}

func abouts(r openapi.Route) []bilingual.Text {
	var list []bilingual.Text
	for _, p := range r.Parameters {
		list = append(list, p.About)
	}
	return list
}

// address returns a route's address with existing values for its path.
func (h *fixture) address(route openapi.Route) string {
	parts := map[string]string{
		"id": h.station.ID, "family": "airrohr", "file": "grid.json", "cell": "1kmN3096E4107", "year": "2026", "month": "05", "day": "01", "revision": "r1",
		"collection": "stations", "feature": h.station.ID, "path": "Things", "token": h.server.Registry.Notices(h.station.ID).Token,
	}
	switch route.Group {
	case "archive":
		parts["file"], parts["path"] = "SHA256SUMS", "2026/05/" // which each level has
	case "catalogue":
		parts["file"] = h.station.ID + ".atom"
	}
	address := route.Path
	for name, value := range parts {
		address = strings.NewReplacer("{"+name+"}", value, "{"+name+"...}", value).Replace(address)
	}
	return address
}

// TestParametersAreRead sends every parameter to the routes that have it.
func TestParametersAreRead(t *testing.T) {
	h := living(t)
	token, err := h.server.Registry.EnsureAdmin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	h.server.AdminStatus = func(context.Context) (admin.Status, error) { return admin.Status{}, nil }
	h.server.Backup = func(context.Context) (*os.File, error) { return os.Open(os.DevNull) }
	h.http.Config.Handler = h.server.Handler()
	values := map[string]string{
		"from": "2026-05-01", "to": "2026-05-02", "bbox": "6,50,8,52", "limit": "5", "format": "json", "window": "1h", "time": "latest", "station": h.station.ID, "lang": "de",
		"$filter": "id ne 'x'", "$orderby": "id", "$select": "name", "$expand": "Datastreams($top=1;$expand=Sensor)", "$skip": "0",
	}
	for _, route := range h.server.description().Routes {
		if route.Method != http.MethodGet || slices.Contains([]string{"getStream", "getMetrics"}, route.ID) {
			continue
		}
		address, query := h.address(route), []string{}
		for _, p := range route.Parameters {
			value := values[p.Name]
			if value == "" || len(p.Choices) > 0 && !slices.Contains(p.Choices, value) {
				value = p.Default
			}
			if value == "" && len(p.Choices) > 0 {
				value = p.Choices[0]
			}
			if !strings.Contains(route.Path, "{"+p.Name) {
				query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(value))
			}
		}
		if response, body := h.do("GET", address+"?"+strings.Join(query, "&"), "", "Authorization", "Bearer "+token); response.StatusCode != http.StatusOK {
			t.Errorf("%s?%s: %s %s", address, strings.Join(query, "&"), response.Status, body)
		}
	}
}
