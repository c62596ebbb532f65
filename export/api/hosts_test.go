package api

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

func TestHostName(t *testing.T) {
	for host, want := range map[string]string{
		"koeln.example": "koeln.example", "KOELN.example.:8443": "koeln.example", "koeln.example:80": "koeln.example", "127.0.0.1:8080": "127.0.0.1",
		"[2001:db8::1]:8080": "2001:db8::1", "[2001:DB8::1]": "2001:db8::1", "": "",
	} {
		if got := HostName(host); got != want {
			t.Errorf("HostName(%q) = %q, want %q", host, got, want)
		}
	}
}

// TestEachHostHasItsSite asks for hosts directly and through proxies that do and do not tell the truth.
func TestEachHostHasItsSite(t *testing.T) {
	proxies, err := httpapi.ParseProxies("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Proxies: proxies, Log: slog.New(slog.DiscardHandler)}
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	hosts := s.Hosts(map[string]http.Handler{"koeln.example": say("koeln"), "2001:db8::1": say("bonn"), "ulm.example": s.HandlerElsewhere("Ulm")}, say("portal"))
	f := func(host, peer, forwarded, want string) {
		t.Helper()
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.RemoteAddr = host, peer+":4711"
		if forwarded != "" {
			r.Header.Set("X-Forwarded-Host", forwarded)
		}
		w := httptest.NewRecorder()
		hosts.ServeHTTP(w, r)
		if got := w.Body.String(); !strings.Contains(got, want) {
			t.Errorf("host %q from %s, forwarded %q: %s, want %s", host, peer, forwarded, got, want)
		}
	}
	f("koeln.example:8080", "198.51.100.7", "", "koeln")
	f("Koeln.Example", "198.51.100.7", "", "koeln")
	f("[2001:db8::1]:8080", "198.51.100.7", "", "bonn")
	f("ulm.example", "198.51.100.7", "", `"status":421`)
	f("other.example", "198.51.100.7", "", "portal")
	f("10.0.0.1:8080", "127.0.0.1", "koeln.example", "koeln")                // a proxy that has changed the host
	f("10.0.0.1:8080", "127.0.0.1", "koeln.example, inner.example", "koeln") // two of them
	f("other.example", "198.51.100.7", "koeln.example", "portal")            // whoever is no proxy is not believed
	f("koeln.example", "198.51.100.7", "ulm.example", "koeln")
}

// TestThePortalsHost asks for the catalogue at the portal's own name and at others, also through a proxy that tells both the
// host and the client.
func TestThePortalsHost(t *testing.T) {
	proxies, err := httpapi.ParseProxies("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Proxies: proxies, Log: slog.New(slog.DiscardHandler), Metrics: http.NotFoundHandler(), City: City{Access: kits.Access{HTTP: url.URL{Scheme: "https", Host: "luft.example"}}}}
	catalogue := openapi.Route{Method: "GET", Path: "/catalog.ttl", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "all") })}
	portal := s.HandlerOfPortal(nil, []openapi.Route{catalogue})
	f := func(host string, forwarded http.Header, want int) {
		t.Helper()
		r := httptest.NewRequest("GET", "/catalog.ttl", nil)
		r.Host, r.RemoteAddr = host, "127.0.0.1:4711"
		maps.Copy(r.Header, forwarded)
		w := httptest.NewRecorder()
		portal.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q, %v: status %d, want %d", host, forwarded, w.Code, want)
		}
	}
	f("luft.example", nil, http.StatusOK)
	f("10.0.0.1", nil, http.StatusNotFound)
	f("10.0.0.1", http.Header{"X-Forwarded-Host": {"luft.example"}, "X-Forwarded-For": {"203.0.113.5"}}, http.StatusOK)
	f("10.0.0.1", http.Header{"X-Forwarded-Host": {"other.example"}, "X-Forwarded-For": {"203.0.113.5"}}, http.StatusNotFound)
}
