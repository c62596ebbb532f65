package api

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/registry"
)

// Packages that implement standards are at their addresses, open to pages of other sites, and have the measured values.
func TestServices(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.Archive = h.archived()
	h.http.Config.Handler = h.server.Handler()
	h.measure(time.Now().UTC().Truncate(time.Second), value(quantity.PM10, 20.1))
	f := func(route, wantType, wantText string) {
		t.Helper()
		response, body := h.do("GET", route, "")
		if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != wantType || !strings.Contains(string(body), wantText) {
			t.Errorf("GET %s: %s %s %.500s, want %s with %q", route, response.Status, got, body, wantType, wantText)
		}
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("GET %s: open to %q", route, got)
		}
		head, body := h.do("HEAD", route, "")
		if head.StatusCode != http.StatusOK || head.Header.Get("Content-Type") != wantType || len(body) > 0 {
			t.Errorf("HEAD %s: %s %s", route, head.Status, head.Header.Get("Content-Type"))
		}
	}
	id := h.station.ID
	f("/ogc", "application/json", h.http.URL+"/ogc/collections")
	f("/ogc/", "application/json", h.http.URL+"/ogc/collections")
	f("/ogc/collections/stations/items", "application/geo+json", id)
	f("/ogc/collections/readings-latest/items", "application/geo+json", `"value":20.1`)
	f("/ogc/collections/grid-1h/items", "application/geo+json", `"numberMatched":0`)
	f("/ogc/collections/stations/items?f=html", "text/html; charset=utf-8", "Balkon")
	f("/ogc/style.css", "text/css; charset=utf-8", "color-scheme")
	f("/sta/v1.1", "application/json", h.http.URL+"/sta/v1.1/Things")
	f("/sta/v1.1/Things('"+id+"')/Datastreams", "application/json", "PM10, Balkon")
	f("/sta/v1.1/Observations", "application/json", `"result":20.1`)
	f("/catalog.ttl", "text/turtle; charset=utf-8", "a dcat:Catalog")
	f("/catalog.jsonld", "application/ld+json", "dcat:Catalog")
	f("/catalog.schema.jsonld", "application/ld+json", "schema.org")
	f("/robots.txt", "text/plain; charset=utf-8", h.http.URL+"/sitemap.xml")
	f("/sitemap.xml", "application/xml; charset=utf-8", h.http.URL+"/?lang=de")
	f("/sitemap.xml", "application/xml; charset=utf-8", h.http.URL+"/api?lang=de")
	f("/sitemap.xml", "application/xml; charset=utf-8", h.http.URL+"/archive/?lang=de")
	f("/sitemap.xml", "application/xml; charset=utf-8", h.http.URL+"/archive/2026/05/01/")
	f("/feeds/archive.atom", "application/atom+xml; charset=utf-8", "<feed")
	f("/archive/?lang=de", "text/html; charset=utf-8", "Archiv")
	f("/archive/index.json", "application/json", "2026/")
	f("/archive/2026/05/01/index.json", "application/json", "readings.parquet")
	f("/archive/2026/05/01/", "text/html; charset=utf-8", "readings.parquet")
	f("/archive/2026/05/01/r1/stations.geojson", "application/geo+json", id)
	f("/archive/2026/05.tar", "application/x-tar", "2026-05-01")
	f("/feeds/stations/"+id+".atom", "application/atom+xml; charset=utf-8", "Balkon")
}

// They publish nothing private either.
func TestServicesKeepSecrets(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.measure(time.Now().UTC().Truncate(time.Second), value(quantity.PM10, 20.1))
	exact, err := json.Marshal(h.station.Places[0].Exact[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range []string{
		"/ogc/collections/stations/items", "/ogc/collections/readings-latest/items", "/sta/v1.1/Things?$expand=Locations,HistoricalLocations,Datastreams",
		"/sta/v1.1/FeaturesOfInterest", "/catalog.ttl", "/feeds/stations/" + h.station.ID + ".atom",
	} {
		body := string(h.get(route))
		if strings.Contains(body, "example.org") || strings.Contains(body, string(exact)) || strings.Contains(body, h.owner.Token) {
			t.Errorf("%s tells what is private", route)
		}
	}
}

// Behind a proxy links begin with the configured address.
func TestServicesKnowTheirAddress(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.server.City.Access.HTTP.Scheme, h.server.City.Access.HTTP.Host = "https", "luft.example.org"
	for _, route := range []string{"/ogc", "/sta/v1.1", "/catalog.ttl", "/feeds/archive.atom"} {
		if body := string(h.get(route)); !strings.Contains(body, "https://luft.example.org/") || strings.Contains(body, h.http.URL) {
			t.Errorf("%s: %.300s", route, body)
		}
	}
}

// The addresses in the catalogue and the sitemap exist.
func TestAddressesInTheCatalogueExist(t *testing.T) {
	h := living(t)
	h.server.Pages = built(t).server.Pages
	h.http.Config.Handler = h.server.Handler()
	quoted := regexp.QuoteMeta(h.http.URL)
	seen := map[string]bool{}
	for document, pattern := range map[string]string{
		"/catalog.ttl": `(?:dcat:accessURL|dcat:downloadURL|dcat:landingPage|dcat:endpointURL|dcat:endpointDescription|foaf:homepage) <(` + quoted + `[^>]*)>`, "/sitemap.xml": `<loc>(` + quoted + `[^<]*)</loc>`,
	} {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(h.get(document)), -1) {
			address := strings.TrimPrefix(html.UnescapeString(match[1]), h.http.URL)
			if seen[address] || address == "/api/v1" { // prefixes of addresses are not addresses themselves
				continue
			}
			seen[address] = true
			if response, body := h.do("GET", address, "", "Accept", "text/html, */*;q=0.8"); response.StatusCode != http.StatusOK {
				t.Errorf("%s leads to %s: %s %.200s", document, address, response.Status, body)
			}
		}
	}
	for _, want := range []string{"/data", "/archive/2026.tar", "/archive/2026/05/01/", "/api/v1/districts", "/ogc/api", "/sta/v1.1"} {
		if !seen[want] {
			t.Errorf("nothing leads to %s", want)
		}
	}
}
