package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/httpapitest"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/storetest"
)

// fixture is a server with its store, registry and live state.
type fixture struct {
	t       *testing.T
	server  *Server
	store   *storetest.Memory
	http    *httptest.Server
	station *ingest.Station
	owner   registry.Credentials
}

func open(t *testing.T, policy registry.Policy) *fixture {
	t.Helper()
	city := geo.CologneSketch()
	r := registrytest.Open(t, registry.Options{Boundary: city, Policy: policy, Licence: "dl-zero-de/2.0"})
	owner, station, err := r.Add(t.Context(), registry.Registration{
		Name: "Balkon", Point: orb.Point{6.9583, 50.9413}, Kit: "sds011-bme280", Exposure: ingest.Outdoor, LicenceConsent: true, Email: "me@example.org",
	})
	if err != nil {
		t.Fatal(err)
	}
	proxies, err := httpapi.ParseProxies(httpapi.LocalProxies)
	if err != nil {
		t.Fatal(err)
	}
	h := &fixture{t: t, store: &storetest.Memory{}, station: station, owner: owner}
	h.server = &Server{
		City:  City{Name: "Köln", Zone: "Europe/Berlin", Boundary: city, Sketch: true, Resolution: 1000, Licence: "dl-zero-de/2.0", Attribution: "Stadt Köln", Policy: policy, Access: kits.Access{MQTTPort: 1883}},
		Store: h.store, Registry: r, Aggregate: &aggregate.Aggregate{}, Live: live.NewState(), Version: "test", Proxies: proxies,
		State: func(context.Context) admin.State { return admin.StateOf(nil) }, Metrics: http.NotFoundHandler(), Pages: fstest.MapFS{}, FrameAncestors: "https://www.example.org", Log: slog.New(slog.DiscardHandler), Deliveries: push.RoutesElsewhere(slog.New(slog.DiscardHandler)),
	}
	h.server.Live.CaughtUp()
	h.http = httptest.NewServer(h.server.Handler())
	t.Cleanup(h.http.Close)
	return h
}

// measure adds a reading as the pipeline would.
func (h *fixture) measure(at time.Time, values ...ingest.Value) {
	h.t.Helper()
	r := ingest.Reading{Station: h.station.ID, Time: at, Received: at, Values: values}
	h.store.Held = append(h.store.Held, r)
	h.server.Live.Observe(r)
	cell, err := geo.CellAt(h.station.Places[0].Exact, geo.BaseSize)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, v := range values {
		if v.Flags.Good() {
			h.server.Aggregate.Add(aggregate.Sample{Station: r.Station, Cell: cell, Quantity: v.Quantity, Time: at, Received: at, Milli: int64(v.Value * 1000)})
		}
	}
}

func (h *fixture) do(method, route, body string, header ...string) (*http.Response, []byte) {
	h.t.Helper()
	return h.client().Do(method, route, body, header...)
}

func (h *fixture) get(route string) []byte {
	h.t.Helper()
	return h.client().Get(route)
}

func (h *fixture) client() *httpapitest.Client { return &httpapitest.Client{T: h.t, URL: h.http.URL} }

func value(q quantity.Quantity, v float64) ingest.Value { return ingest.Value{Quantity: q, Value: v} }

func TestBadRequests(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	f := func(method, route, body string, wantStatus int, wantField, wantDetail string) {
		t.Helper()
		response, answer := h.do(method, route, body)
		var p problem
		if err := json.Unmarshal(answer, &p); err != nil {
			t.Errorf("%s %s: %s: %v", method, route, answer, err)
			return
		}
		if response.StatusCode != wantStatus || p.Status != wantStatus || p.Field != wantField || !strings.Contains(p.Detail, wantDetail) || p.Title == "" {
			t.Errorf("%s %s: %s %+v, want %d, field %q and %q", method, route, response.Status, p, wantStatus, wantField, wantDetail)
		}
		if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s %s: content type %q", method, route, got)
		}
	}
	const stations = "/api/v1/stations"
	f("GET", "/api/v1/readings?form=csv", "", 400, "form", `no parameter "form"`)
	f("GET", "/api/v1/readings?format=excel", "", 400, "format", `"excel"`)
	f("GET", "/api/v1/readings?from=yesterday", "", 400, "from", `"yesterday"`)
	f("GET", "/api/v1/readings?from=2026-05-02&to=2026-05-01", "", 400, "from", "is after to")
	f("GET", "/api/v1/readings?from=2020-01-01&format=geojson", "", 400, "from", "31 days")
	f("GET", "/api/v1/readings?quantity=pm3", "", 400, "quantity", `"pm3"`)
	f("GET", "/api/v1/readings?bbox=7.1,50.8,6.8,51", "", 400, "bbox", "swapped")
	f("GET", "/api/v1/readings?bbox=7.1,50.8", "", 400, "bbox", "west,south,east,north")
	f("GET", "/api/v1/readings?bbox=a,b,c,d", "", 400, "bbox", `"a"`)
	f("GET", "/api/v1/readings?flags=bad", "", 400, "flags", `"bad"`)
	f("GET", "/api/v1/readings?format=csv&format=csv", "", 400, "format", "2 times")
	f("GET", "/api/v1/readings?station=0000000", "", 404, "station", "0000000")
	f("GET", "/api/v1/grid?window=2h", "", 400, "window", `"2h"`)
	f("GET", "/api/v1/grid?resolution=300", "", 400, "resolution", `"300"`)
	f("GET", "/api/v1/grid?window=live&time=2026-05-01", "", 400, "time", "window=1h")
	f("GET", "/api/v1/grid?window=1h&time=noon", "", 400, "time", `"noon"`)
	h.server.recomputing.Lock()
	f("GET", "/api/v1/grid?window=1h&time=2020-01-01&resolution=500", "", 503, "resolution", "ask for 1000 m")
	h.server.recomputing.Unlock()
	h.server.Recompute = func(context.Context, aggregate.Window, time.Time, int32) ([]aggregate.Row, error) {
		return nil, fmt.Errorf("read: %w", context.DeadlineExceeded)
	}
	f("GET", "/api/v1/grid?window=1h&time=2020-01-01&resolution=500", "", 503, "resolution", "too many readings")
	f("GET", "/api/v1/coverage?quantity=pm3", "", 400, "quantity", `"pm3"`)
	f("GET", "/api/v1/coverage?quantity=pm10,pm2_5", "", 400, "quantity", "not one of those")
	f("GET", "/api/v1/coverage?proposals=many", "", 400, "proposals", `"many"`)
	f("GET", "/api/v1/coverage?proposals=101", "", 400, "proposals", "at once, 100")
	f("GET", "/api/v1/coverage?history=year", "", 400, "history", `"year"`)
	f("GET", "/api/v1/coverage?history=day&from=2026-05-02&to=2026-05-01", "", 400, "from", "is after to")
	f("GET", "/api/v1/coverage?history=day&from=2016-05-02", "", 400, "from", "at most 1830 days")
	f("GET", "/api/v1/index?quantity=pm10", "", 400, "quantity", "no parameter")
	f("GET", stations+"?fields=name,email", "", 400, "fields", `"email"`)
	f("GET", stations+"/0000001", "", 404, "id", "mistype")
	f("GET", stations+"/0000000", "", 404, "id", "no station")
	f("GET", "/api/v1/nothing", "", 404, "", "/api/v1/nothing")
	f("GET", "/nothing", "", 404, "", "/nothing")
	f("POST", stations, "{", 400, "", "JSON")
	f("POST", stations, `{"nme":"x"}`, 400, "", "nme")
	f("POST", stations, `{"name":"x"}{}`, 400, "", "more than one")
	f("POST", stations, `{"name":"x"}`, 422, "lon, lat", "say where")
	f("POST", stations, `{"name":"x","lon":50.94,"lat":6.96,"kit":"sds011","licence_consent":true}`, 422, "lon, lat", "20 km outside")
	f("POST", stations, `{"name":"x","lon":6.96,"lat":50.94,"kit":"sds011"}`, 422, "licence_consent", "consent")
	f("POST", stations, `{"name":"`+strings.Repeat("x", httpapi.MaxBody)+`"}`, 413, "", "bytes")
	f("PATCH", stations+"/"+h.station.ID, `{"name":"x"}`, 401, "", "Bearer")
	f("DELETE", stations+"/"+h.station.ID, "", 401, "", "Bearer")
}

func TestReadings(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC().Truncate(time.Second)
	h.measure(now.Add(-2*time.Hour), value(quantity.PM10, 1))
	h.measure(now.Add(-time.Minute), value(quantity.PM10, 20.1), ingest.Value{Quantity: quantity.PM2_5, Value: 1999.9, Flags: ingest.Sentinel})
	f := func(query string, wantRows int) {
		t.Helper()
		rows, err := csv.NewReader(bytes.NewReader(h.get("/api/v1/readings?" + query))).ReadAll()
		if err != nil || strings.Join(rows[0], ",") != export.ReadingsTable.Header() || len(rows)-1 != wantRows {
			t.Errorf("%s: %d rows, %v, want %d", query, len(rows)-1, err, wantRows)
		}
	}
	f("", 2)
	f("flags=good", 1)
	f("from="+now.Add(-3*time.Hour).Format(time.RFC3339), 3)
	f("from="+now.Add(-3*time.Hour).Format(time.RFC3339)+"&to="+now.Add(-time.Hour).Format(time.RFC3339), 1)
	f("station="+h.station.ID, 2)
	f("bbox=6.9,50.9,7,51", 2)
	f("bbox=6,50,6.5,50.5", 0)
	var doc struct{ Features []any }
	if err := json.Unmarshal(h.get("/api/v1/stations/"+h.station.ID+"/readings?format=geojson"), &doc); err != nil || len(doc.Features) != 2 {
		t.Errorf("GeoJSON: %d features, %v, want 2", len(doc.Features), err)
	}
}

func TestAnAnswerThatBreaksOffIsNotWhole(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC()
	for i := range 30_000 { // more than maxHeld
		h.store.Held = append(h.store.Held, ingest.Reading{Station: h.station.ID, Time: now.Add(-time.Duration(i) * time.Millisecond), Values: []ingest.Value{value(quantity.PM10, 20)}})
	}
	h.store.Fail = errors.New("the disk is gone")
	response, err := http.Get(h.http.URL + "/api/v1/readings")
	if err == nil {
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	if err == nil {
		t.Error("an answer that broke off ended like a whole one")
	}
	h.store.Held = h.store.Held[:100]
	if response, body := h.do("GET", "/api/v1/readings", ""); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a store that fails early: %s %s", response.Status, body)
	}
}

func TestGrid(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC().Truncate(time.Second)
	h.measure(now.Add(-time.Minute), value(quantity.PM2_5, 12), value(quantity.Temperature, 20))
	h.measure(now, value(quantity.PM2_5, 14))
	hour := now.Add(-aggregate.GracePeriod).Truncate(time.Hour).Add(-time.Hour)
	for i := range 12 {
		h.measure(hour.Add(time.Duration(i)*5*time.Minute), value(quantity.PM10, 50))
	}
	type features struct {
		Features []struct {
			ID         string
			Properties struct {
				Mean     float64
				Stations int
				EAQI     *int
				Start    string `json:"window_start"`
			}
		}
	}
	read := func(query string) (f features) {
		t.Helper()
		if err := json.Unmarshal(h.get("/api/v1/grid?"+query), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	if got := read(""); len(got.Features) != 1 || got.Features[0].ID != "CRS3035RES1000mN3096000E4107000" || got.Features[0].Properties.Mean != 13 || *got.Features[0].Properties.EAQI != 2 {
		t.Errorf("live = %+v, want 13 in the cathedral's cell, class 2", got)
	}
	if got := read("quantity=temperature,pm2_5"); len(got.Features) != 2 {
		t.Errorf("two quantities = %+v, want two cells", got)
	}
	if got := read("resolution=500"); len(got.Features) != 1 || !strings.HasPrefix(got.Features[0].ID, "CRS3035RES500m") {
		t.Errorf("at 500 m = %+v", got)
	}
	if got := read("quantity=temperature"); len(got.Features) != 1 || got.Features[0].Properties.EAQI != nil {
		t.Errorf("temperature = %+v, want no class", got)
	}
	if got := read("window=1h&quantity=pm10"); len(got.Features) != 1 || got.Features[0].Properties.Mean != 50 || got.Features[0].Properties.Start != hour.Format(time.RFC3339) {
		t.Errorf("last hour = %+v, want 50 from %v", got, hour)
	}
	old := now.Add(-100 * time.Hour).Truncate(time.Hour)
	h.store.Rows = []aggregate.Row{{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000}, Start: old, Window: aggregate.Hour, Quantity: quantity.PM10, Mean: 7000, Stations: 1}}
	if got := read("window=1h&quantity=pm10&time=" + old.Format(time.RFC3339)); len(got.Features) != 1 || got.Features[0].Properties.Mean != 7 {
		t.Errorf("an old hour = %+v, want 7 from the store", got)
	}
	h.server.Recompute = func(_ context.Context, window aggregate.Window, start time.Time, size int32) ([]aggregate.Row, error) {
		if window != aggregate.Hour || !start.Equal(old) || size != 100 {
			t.Errorf("asked again for %v of %v at %d m", window, start, size)
		}
		return []aggregate.Row{{Quantity: quantity.PM2_5, Mean: 1000}, {Quantity: quantity.PM10, Mean: 9000}}, nil
	}
	if got := read("window=1h&quantity=pm10&resolution=100&time=" + old.Format(time.RFC3339)); len(got.Features) != 1 || got.Features[0].Properties.Mean != 9 {
		t.Errorf("an old hour at another resolution = %+v, want 9 from readings", got)
	}
	rows, err := csv.NewReader(bytes.NewReader(h.get("/api/v1/grid?format=csv"))).ReadAll()
	if err != nil || strings.Join(rows[0], ",") != export.GridTable.Header() || len(rows) < 3 {
		t.Errorf("CSV of every quantity: %v %v", rows, err)
	}
}

func TestCityAndStations(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC().Truncate(time.Second)
	h.measure(now, value(quantity.PM2_5, 12.345))
	var city struct {
		Geometry   struct{ Type string }
		Properties struct {
			Name       string
			Sketch     bool
			Headline   string `json:"headline_index"`
			Quantities []struct {
				Quantity string
				Mean     float64
				Cells    int
				All      int `json:"all_cells"`
				EAQI     int
			}
		}
	}
	if err := json.Unmarshal(h.get("/api/v1/city"), &city); err != nil {
		t.Fatal(err)
	}
	q := city.Properties.Quantities
	if city.Properties.Name != "Köln" || city.Properties.Headline != "eaqi" || !city.Properties.Sketch || city.Geometry.Type != "MultiPolygon" || len(q) != 1 ||
		q[0].Mean != 12.345 || q[0].Cells != 1 || q[0].All != len(geo.CologneSketch().Cells(1000)) || q[0].EAQI != 0 { // one station says nothing about a city
		t.Errorf("city = %+v", city)
	}
	for _, route := range []string{"/api/v1/stations", "/api/v1/stations/" + strings.ToLower(h.station.ID), "/api/v1/stations/" + h.station.ID + "/health"} {
		body := string(h.get(route))
		for _, secret := range []string{"50.9413", "6.9583", "me@example.org", h.owner.Token, h.owner.ManageToken} {
			if strings.Contains(body, secret) {
				t.Errorf("%s gives away %s: %s", route, secret, body)
			}
		}
		if !strings.Contains(body, h.station.ID) || !strings.Contains(body, `"state":"ok"`) {
			t.Errorf("%s = %s", route, body)
		}
	}
}

func TestHealthExplainsRefusals(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.measure(time.Now().UTC(), value(quantity.PM10, 20), ingest.Value{Quantity: quantity.PM2_5, Value: -1, Flags: ingest.Sentinel})
	err := h.server.Registry.KeepRefusals(t.Context(), []ingest.Refusal{{Station: h.station.ID, Received: time.Now(), Reason: wire.NotANumber, Field: "pm10", Detail: `"20"`}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Share    float64          `json:"good_share_24h"`
		Flags    map[string]int   `json:"flags_24h"`
		Found    []map[string]any `json:"flags"`
		Refusals []map[string]string
	}
	if err := json.Unmarshal(h.get("/api/v1/stations/"+h.station.ID+"/health"), &got); err != nil {
		t.Fatal(err)
	}
	if got.Share != 0.5 || got.Flags["sentinel"] != 1 || len(got.Found) != 1 || len(got.Refusals) != 1 {
		t.Fatalf("health = %+v", got)
	}
	for member, want := range map[string]any{"flag": "sentinel", "values": 1.0, "excludes": true, "en": "The number means that the sensor had no value.",
		"todo_de": "Prüfe Stecker und Kabel des Sensors; schalte die Station aus und wieder ein."} {
		if got.Found[0][member] != want {
			t.Errorf("%s = %v, want %v", member, got.Found[0][member], want)
		}
	}
	for member, want := range map[string]string{"reason": "not_a_number", "field": "pm10", "detail": `"…"`, "de": "Ein Wert war keine Zahl.", "en": "A value was not a number."} {
		if got.Refusals[0][member] != want {
			t.Errorf("%s = %q, want %q", member, got.Refusals[0][member], want)
		}
	}
}

const registration = `{"name":"Garten","lon":6.99,"lat":50.95,"kit":"sds011-dht22","height":2,"exposure":"outdoor","licence_consent":true}`

func TestStream(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", h.http.URL+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	lines := bufio.NewScanner(response.Body)
	next := func(want string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() != "" {
				if !strings.HasPrefix(lines.Text(), want) {
					t.Errorf("line %q, want %q", lines.Text(), want)
				}
				return
			}
		}
		t.Errorf("the stream ended before %q", want)
	}
	next("retry: 3000") // the subscription has begun
	h.measure(time.Now().UTC(), value(quantity.PM10, 20.5))
	next("event: reading")
	next(`data: {"station":"` + h.station.ID + `","time":`)
	h.server.Live.GridChanged(time.Now())
	next("event: grid")
	next(`data: {"generated":`)
}

func TestWhatEveryAnswerCarries(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	for i := range 50 {
		h.measure(time.Now().UTC().Add(-time.Duration(i)*time.Minute), value(quantity.PM10, 20))
	}
	response, body := h.do("GET", "/api/v1/readings", "", "Accept-Encoding", "gzip")
	if response.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("not compressed: %v", response.Header)
	}
	plain, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(plain); err != nil || bytes.Count(text, []byte("\n")) != 51 {
		t.Errorf("%d lines, %v, want 51", bytes.Count(text, []byte("\n")), err)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'self'",
		"Link": `rel="license"`, "Content-Disposition": "stadtluft-readings-", "Content-Type": "text/csv",
	} {
		if !strings.Contains(response.Header.Get(name), want) {
			t.Errorf("%s = %q, want %q in it", name, response.Header.Get(name), want)
		}
	}
	response, body = h.do("POST", "/api/v1/stations", aStation, "Content-Type", "application/json", "Accept-Encoding", "gzip")
	if response.StatusCode != http.StatusCreated || response.Header.Get("Content-Encoding") != "" || len(body) < minCompressed || !json.Valid(body) {
		t.Errorf("answer to a registration: %s, %d bytes, Content-Encoding %q, want none", response.Status, len(body), response.Header.Get("Content-Encoding"))
	}
}

func TestETag(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	h.measure(time.Now().UTC(), value(quantity.PM10, 20))
	for _, route := range []string{"/api/v1/stations", "/api/v1/city", "/api/v1/grid?window=1h&quantity=pm10"} {
		response, _ := h.do("GET", route, "")
		tag := response.Header.Get("ETag")
		if tag == "" {
			t.Errorf("%s has no ETag", route)
			continue
		}
		if again, body := h.do("GET", route, "", "If-None-Match", tag); again.StatusCode != http.StatusNotModified || len(body) > 0 {
			t.Errorf("%s again: %s with %d bytes, want 304", route, again.Status, len(body))
		}
	}
}

func TestReadiness(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	if got := string(h.get("/healthz")); got != "ok\n" {
		t.Errorf("healthz = %q", got)
	}
	if got := string(h.get("/readyz")); !strings.Contains(got, `"ready":true`) {
		t.Errorf("readyz = %q", got)
	}
	h.server.State = func(context.Context) admin.State {
		return admin.StateOf([]admin.Problem{{Part: "journal", Problem: "it is full", Do: "look at the store"}})
	}
	if response, body := h.do("GET", "/readyz", ""); response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "look at the store") {
		t.Errorf("readyz with a problem: %s %s", response.Status, body)
	}
}

// haltingStore yields one reading, and the other when it may continue.
type haltingStore struct {
	store.Store
	halted, goOn chan struct{}
}

func (s *haltingStore) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	for i := range 2 {
		if i == 1 {
			close(s.halted)
			<-s.goOn
		}
		if err := errors.Join(ctx.Err(), yield(ingest.Reading{Station: "A", Time: q.From.Add(time.Duration(i) * time.Second), Values: []ingest.Value{value(quantity.PM10, 1)}})); err != nil {
			return err
		}
	}
	return nil
}

// TestServeFinishesDownloads stops the server during a download.
func TestServeFinishesDownloads(t *testing.T) {
	h := living(t)
	s := &haltingStore{halted: make(chan struct{}), goOn: make(chan struct{})}
	h.server.Store = s
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.server.Serve(ctx, l, h.server.Handler()) }()
	type file struct {
		body []byte
		err  error
	}
	got := make(chan file, 1)
	go func() {
		response, err := http.Get("http://" + l.Addr().String() + "/api/v1/readings?format=csv&from=2026-05-01&to=2026-05-02")
		if err != nil {
			got <- file{nil, err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		got <- file{body, err}
	}()
	<-s.halted
	cancel()
	refused := func() bool {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}
	for ticker := time.NewTicker(time.Millisecond); !refused(); <-ticker.C { // until the server stops
	}
	close(s.goOn)
	if f := <-got; f.err != nil || strings.Count(string(f.body), "\n") != 3 {
		t.Errorf("a download under way: %q, %v, want a header and both readings", f.body, f.err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeEndsItsStreams(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(l.Addr().String()); err == nil || !strings.Contains(err.Error(), "set http.listen") {
		t.Errorf("a port in use: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.server.Serve(ctx, l, h.server.Handler()) }()
	response, err := http.Get("http://" + l.Addr().String() + "/api/v1/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	_, _ = io.ReadAll(response.Body) // returns, complete or not
}
