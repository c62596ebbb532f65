package api

import (
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stadtluft/ingest/registry"
)

// TestExamplesWork requests every example of the page for people.
func TestExamplesWork(t *testing.T) {
	h := living(t)
	page := string(h.get("/api?lang=en"))
	var tried []string
	for _, match := range regexp.MustCompile(`Try: <a href="([^"]*)"><code>([^<]*)</code>`).FindAllStringSubmatch(page, -1) {
		address := html.UnescapeString(match[1])
		if shown := html.UnescapeString(match[2]); shown != address {
			t.Errorf("%q leads to %q", shown, address)
		}
		tried = append(tried, address)
		if slices.Contains([]string{"/api/v1/stream", "/readyz", "/metrics"}, address) { // endless, with its own status, not in this fixture
			continue
		}
		if response, body := h.do("GET", address, ""); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", address, response.Status, body)
		}
	}
	id := h.station.ID
	for _, want := range []string{"/api/v1/stations/" + id + "/readings", "/feeds/stations/" + id + ".atom", "/ogc/collections/stations/items/" + id, "/sta/v1.1/Things", "/api/v1/readings"} {
		if !slices.Contains(tried, want) {
			t.Errorf("%s is not among %v", want, tried)
		}
	}
	if strings.Contains(strings.Join(tried, " "), "/admin/") {
		t.Errorf("what needs a token is invited to: %v", tried)
	}
}

// TestDescriptionWithoutCity compares it with the description of a server without an archive.
func TestDescriptionWithoutCity(t *testing.T) {
	type description struct {
		Paths, Components map[string]any
	}
	var got, want description
	body, err := Description()
	if err == nil {
		err = json.Unmarshal(body, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(open(t, registry.PolicyOpen).get("/api/openapi.json"), &want); err != nil {
		t.Fatal(err)
	}
	if paths := slices.Sorted(maps.Keys(want.Paths)); !slices.Equal(slices.Sorted(maps.Keys(got.Paths)), paths) {
		t.Errorf("paths %v, want %v", slices.Sorted(maps.Keys(got.Paths)), paths)
	}
	if !reflect.DeepEqual(got.Components, want.Components) {
		t.Error("the shapes are others")
	}
}

// A server whose only station waits for approval can be described too.
func TestDescriptionWithoutStations(t *testing.T) {
	h := open(t, registry.PolicyApprove)
	if body := string(h.get("/api")); !strings.Contains(body, "/api/v1/stations/{id}/readings") {
		t.Errorf("the page is %s", body)
	}
}
