package api

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest/registry"
)

const aStation = `{"name":"Neu","lon":6.9583,"lat":50.9413,"kit":"sds011","licence_consent":true}`

// TestOtherSitesChangeNothing expects no registration from a page of another site, however the browser words it.
func TestOtherSitesChangeNothing(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	public, _ := url.Parse("https://luft.example.org")
	h.server.City.Access.HTTP = *public
	h.http.Config.Handler = h.server.Handler()
	f := func(wantStatus int, header ...string) {
		t.Helper()
		before := len(h.server.Registry.Stations())
		response, body := h.do("POST", "/api/v1/stations", aStation, header...)
		if made := len(h.server.Registry.Stations()) - before; response.StatusCode != wantStatus || made != 0 && wantStatus != http.StatusCreated {
			t.Errorf("%q: %s %s, %d stations more, want %d", header, response.Status, body, made, wantStatus)
		}
	}
	f(201)
	f(201, "Sec-Fetch-Site", "same-origin")
	f(201, "Origin", h.http.URL)
	f(201, "Origin", "https://luft.example.org")
	f(403, "Sec-Fetch-Site", "cross-site")
	f(403, "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain")
	f(403, "Sec-Fetch-Site", "same-site", "Origin", "https://other.example.org")
	f(403, "Origin", "https://evil.example.org", "Content-Type", "text/plain")
	f(403, "Origin", "null")
	f(415, "Content-Type", "text/plain")
	f(415, "Content-Type", "")
	f(415, "Content-Type", "application/x-www-form-urlencoded")
}

// TestOtherSitesReachNoChange asks each route that changes something as a page of another site would.
func TestOtherSitesReachNoChange(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	tried := 0
	for _, route := range h.server.routes() {
		if route.Method == http.MethodGet || route.Method == "" {
			continue
		}
		tried++
		response, body := h.do(route.Method, h.address(route), "{}", "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain")
		if response.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "a page of another site") {
			t.Errorf("%s %s: %s %s", route.Method, route.Path, response.Status, body)
		}
	}
	if tried < 8 {
		t.Errorf("%d routes were tried", tried)
	}
}

// TestSlashesTooMany expects an answer to a kit, and not a redirect that it does not follow.
func TestSlashesTooMany(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	address := h.serve()
	f := func(method, path string, wantStatus int, want string) {
		t.Helper()
		c := dial(t, address)
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", method, path)
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); response.StatusCode != wantStatus || !strings.Contains(string(body), want) {
			t.Errorf("%s %s: %s %s, want %d and %q", method, path, response.Status, body, wantStatus, want)
		}
	}
	for _, path := range []string{
		"/api/v1/push/airrohr", "//api/v1/push/airrohr", "/api//v1/push/airrohr", "/api/v1/push/airrohr/", "/api/v1/push//airrohr//", "/api/v1/./push/airrohr", "/write/", "//write?db=luft",
	} {
		f("POST", path, http.StatusServiceUnavailable, "the role ingest") // this fixture takes nothing
	}
	f("POST", "/api/v1//stations/", http.StatusUnprocessableEntity, "lon, lat")
	f("GET", "//api/v1/city", http.StatusTemporaryRedirect, "/api/v1/city") // browsers and programs follow
	f("POST", "/../api/v1/push/airrohr", http.StatusServiceUnavailable, "the role ingest")
}

// TestSlowSocket sends a body so slowly on a real connection that it is refused.
func TestSlowSocket(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: takes 10 s")
	}
	t.Parallel()
	h := open(t, registry.PolicyOpen)
	c := dial(t, h.serve())
	begin := time.Now()
	fmt.Fprintf(c, "POST /api/v1/stations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(aStation))
	go func() {
		for i := range aStation {
			if _, err := io.WriteString(c, aStation[i:i+1]); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	if took := time.Since(begin); response.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(body), "the body came too slowly") || took < 10*time.Second || took > 15*time.Second {
		t.Errorf("%s %s after %v, want 408 after 10 s", response.Status, body, took)
	}
}
