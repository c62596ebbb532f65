package api

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stadtluft/ingest/registry"
)

// TestExamplesWork follows every address that the page for people invites to try, as it stands there.
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
		if slices.Contains([]string{"/api/v1/stream", "/readyz", "/metrics"}, address) { // without an end, with its own status, not in this fixture
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

// A server whose only station waits for approval describes itself as well.
func TestDescriptionWithoutStations(t *testing.T) {
	h := open(t, registry.PolicyApprove)
	if body := string(h.get("/api")); !strings.Contains(body, "/api/v1/stations/{id}/readings") {
		t.Errorf("the page is %s", body)
	}
}
