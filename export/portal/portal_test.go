package portal

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest/httpapi"
)

// cities answers as cities do: a good one, one with too few stations, and one that is broken.
func cities(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	say := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	mux.HandleFunc("/good/api/v1/city", say(`{"geometry":{"coordinates":[[1,2]]},"properties":{"zone":"Europe/Berlin","headline_index":"eaqi","last_reading":"2026-07-01T10:05:00Z","demo":true,
		"quantities":[{"quantity":"pm2_5","unit":"µg/m³","mean":12.34,"stations":7},{"quantity":"temperature","unit":"°C","mean":20,"stations":9}],
		"index":{"eaqi":{"name_en":"European index","name_de":"Europäischer Index","class":2,"en":"fair","de":"ordentlich","colour":"#50CCAA"},"lqi":{"en":"wrong","de":"falsch"}}}}`))
	mux.HandleFunc("/few/api/v1/city", say(`{"properties":{"headline_index":"lqi","quantities":[],"index":{"lqi":{"en":"too few stations for a statement","de":"zu wenige Stationen für eine Aussage","reason":"too_few_stations"}}}}`))
	mux.HandleFunc("/broken/api/v1/city", say(`{"properties":`))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// page returns the page as a browser gets it.
func page(t *testing.T, p *Portal, query string) string {
	t.Helper()
	mux := http.NewServeMux()
	httpapi.Mount(mux, p.Routes())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/"+query, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /%s: %d %s", query, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestPage(t *testing.T) {
	s := cities(t)
	var log strings.Builder
	p := &Portal{Name: "Rheinland", URL: "https://luft.example", Client: http.DefaultClient, Icon: http.NotFoundHandler(), Log: slog.New(slog.NewTextHandler(&log, nil)), Cities: []City{
		{"Köln <1>", s.URL + "/good"}, {"Bonn", s.URL + "/few"}, {"Ulm", s.URL + "/broken"}, {"Aachen", s.URL + "/away"},
	}}
	for range 2 { // what fails twice is logged once
		for _, c := range p.Cities {
			p.ask(t.Context(), c)
		}
	}
	f := func(query string, wants ...string) {
		t.Helper()
		got := page(t, p, query)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("the page %s lacks %q: %s", query, want, got)
			}
		}
		if strings.Contains(got, "wrong") || strings.Contains(got, "falsch") || strings.Contains(got, "temperature") {
			t.Errorf("the page %s shows another index, or what is no headline: %s", query, got)
		}
	}
	f("?lang=de", `<html lang="de">`, "<title>Stadtluft Rheinland</title>", ">Köln &lt;1&gt;</a>", "ordentlich", `fill="#50CCAA"`, "PM2,5 12,3\u00a0µg/m³", "9 Stationen", "1.7.2026, 12:05\u00a0Uhr", "Erfundene Stationen",
		"zu wenige Stationen für eine Aussage", "zurzeit misst keine Station", "Hier zurzeit keine Werte", `href="https://luft.example/catalog"`)
	f("?lang=en&utm_source=x", `<html lang="en">`, "fair", "PM2.5 12.3\u00a0µg/m³", "9 stations", "1 Jul 2026, 12:05", "too few stations for a statement", "No values here")
	f("?lang=fr", `<html lang="en">`)
	if got := strings.Count(log.String(), "asking again"); got != 2 {
		t.Errorf("%d cities are said to be silent, want 2: %s", got, log.String())
	}
	p.Cities[2].URL, p.answers[s.URL+"/good"] = s.URL+"/good", answer{headline{Zone: "UTC"}, time.Now().Add(-2 * keptFor), true}
	if got := page(t, p, ""); strings.Contains(got, "ordentlich") || strings.Count(got, "No values here") != 3 {
		t.Errorf("old values are still shown: %s", got)
	}
	p.ask(t.Context(), p.Cities[0])
	if !strings.Contains(log.String(), "city answers again") {
		t.Errorf("nothing is logged when a city answers again: %s", log.String())
	}
}

func TestRunAsksUntilItEnds(t *testing.T) {
	s := cities(t)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{}, 1)
	p := &Portal{Cities: []City{{"Köln", s.URL + "/good"}}, Log: slog.New(slog.DiscardHandler), Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		defer func() { asked <- struct{}{} }()
		return http.DefaultTransport.RoundTrip(r)
	})}}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	<-asked
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
