package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

// answered is an answer that a validator holds against the schema of its operation.
type answered struct {
	Path   string `json:"path"`
	Method string `json:"method"`
	Status string `json:"status"`
	Type   string `json:"type"`
	File   string `json:"file"`
}

// TestAnswersAreAsDescribed asks every operation of the description for each of its answers in JSON, and has a validator of
// JSON Schema compare them. Members that a schema does not name are mistakes too.
func TestAnswersAreAsDescribed(t *testing.T) {
	h := storied(t)
	routes := map[string]openapi.Route{}
	for _, route := range h.server.description().Routes {
		routes[route.ID] = route
	}
	file := h.saved("/api/openapi.json", "json")
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct {
				Content map[string]struct{ Schema any }
			}
		}
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var cases []answered
	keep := func(a answered, body []byte) {
		a.File = filepath.Join(folder, strconv.Itoa(len(cases)))
		if err := os.WriteFile(a.File, body, 0o644); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, a)
	}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for method, operation := range document.Paths[path] {
			for status, response := range operation.Responses {
				for form, content := range response.Content {
					if content.Schema == nil || !strings.Contains(form, "json") {
						continue
					}
					for _, query := range queries(routes[operation.OperationID], form) {
						keep(answered{path, method, status, form, ""}, h.example(routes[operation.OperationID], query, status, form))
					}
				}
			}
		}
	}
	for _, path := range []string{
		"Things?$count=true&$expand=Datastreams($count=true;$top=1;$expand=Observations($top=1),Sensor,ObservedProperty),Locations,HistoricalLocations", "Locations", "HistoricalLocations?$expand=Thing",
		"Datastreams?$top=1", "Sensors", "ObservedProperties", "Observations?$expand=FeatureOfInterest", "FeaturesOfInterest", "Observations?$resultFormat=dataArray", "Things?$select=name", "Things/$ref",
		"Things('" + h.station.ID + "')", "Things('" + h.station.ID + "')/properties",
	} {
		keep(answered{"/sta/v1.1/{path}", "get", "200", "application/json", ""}, h.get("/sta/v1.1/"+path))
	}
	for _, mistake := range []string{"/api/v1/readings?flags=bad", "/api/v1/nothing", "/sta/v1.1/Things?$filter=name", "/archive/2025/index.json"} {
		_, body := h.do("GET", mistake, "")
		keep(answered{mistake, "get", "default", "application/problem+json", ""}, body)
	}
	if len(cases) < len(document.Paths)/2 {
		t.Errorf("only %d answers are looked at", len(cases))
	}
	list, err := json.Marshal(cases)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "cases.json"), list, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, "node", clients+"schemas.mjs", file, filepath.Join(folder, "cases.json"))
}

// queries are those that a route's answer in a form is asked with.
func queries(route openapi.Route, form string) []string {
	has := func(name string) bool {
		return slices.ContainsFunc(route.Parameters, func(p openapi.Parameter) bool { return p.Name == name })
	}
	query := "?"
	switch {
	case has("f"):
		query = "?f=json"
	case has("format") && form == "application/geo+json":
		query = "?format=geojson"
	case has("format"):
		query = "?format=json"
	}
	day := "&from=" + time.Now().UTC().Add(-24*time.Hour).Format(time.RFC3339)
	switch route.ID {
	case "getReadings", "getStationReadings":
		return []string{query + day, query + day + "&resolution=1h", query + "&from=2026-01-01&to=2026-01-01"}
	case "getCoverage":
		return []string{query, query + "&history=month&from=2026-01-01"}
	case "getSeries":
		return []string{query + "quantity=pm2_5" + day}
	case "getGrid":
		return []string{query + "&window=1h" + day}
	case "getItems_stations", "getItems_grid_1h", "getItems_readings_latest", "getItems_districts":
		return []string{query, query + "&limit=1"}
	case "getEntities":
		return []string{"?$count=true&$expand=Datastreams($top=1)"}
	}
	return []string{query}
}

// witness is a fixture in which everything that an answer can tell of has happened.
type witness struct {
	*fixture
	admin string
	guest registry.Credentials // of a station that delivers by HTTP
}

func storied(t *testing.T) *witness {
	h := &witness{fixture: living(t)}
	h.server.City.People = map[geo.Cell]int{{Size: 1000, North: 3096000, East: 4107000}: 3000}
	out := make(chan ingest.Message)
	h.server.Deliveries = (&push.Handler{Registry: h.server.Registry, Out: out}).Routes(h.server.Log)
	h.server.AdminStatus = func(context.Context) (admin.Status, error) {
		return admin.Status{Settings: []admin.Setting{{Key: "a", Value: "b"}}}, nil
	}
	h.server.Notices.Mail = true
	h.server.Backup = func(context.Context) (*os.File, error) { return os.Open(os.DevNull) }
	h.http.Config.Handler = h.server.Handler()
	now := time.Now().UTC().Truncate(time.Second)
	refusal := ingest.Refusal{Station: h.station.ID, Received: now, Reason: wire.Clock, Field: "t", Detail: "1970"}
	go func() {
		for {
			select {
			case m := <-out:
				m.Done(ingest.Outcome{
					Readings: []ingest.Reading{{Station: h.guest.ID, Time: now, Received: now, Values: []ingest.Value{value(quantity.PM10, 12.3)}}},
					Refusals: []ingest.Refusal{refusal}, Duplicates: 1, Ignored: []string{"signal"},
				})
			case <-t.Context().Done():
				return
			}
		}
	}()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	h.admin, err = h.server.Registry.EnsureAdmin(t.Context(), "")
	do(err)
	h.guest, _, err = h.server.Registry.Add(t.Context(), registry.Registration{Name: "Gast", Point: orb.Point{6.99, 50.95}, Kit: "sds011", Exposure: ingest.Outdoor, LicenceConsent: true})
	do(err)
	do(h.server.Registry.Subscribe(t.Context(), h.station.ID, registry.Owner, registry.Wanted{Email: "me@example.org", Silent: true}, ""))
	do(h.server.Registry.KeepRefusals(t.Context(), []ingest.Refusal{refusal}))
	do(h.server.Registry.AddCalibration(t.Context(), h.station.ID, registry.Shell, ingest.Calibration{Quantity: quantity.NO2, From: now.Truncate(time.Hour), Slope: 2, Reference: "LANUV"}))
	return h
}

// example is a route's answer of a status in a form.
func (h *witness) example(route openapi.Route, query, status, form string) []byte {
	h.t.Helper()
	bodies := map[string]string{
		"addStation": registration, "getPublicCell": `{"lon":6.99,"lat":50.95}`, "changeStation": `{"name":"Anders"}`, "renewManageToken": `{"hand_over":false}`,
		"setNotices": `{"email":"me@example.org","silent":true}`, "push": `{"sensordatavalues":[{"value_type":"SDS_P1","value":"12.3"}]}`, "pushLines": "feinstaub,node=esp8266-1 SDS_P1=12.3",
	}
	h.server.State = func(context.Context) admin.State {
		if status == "503" {
			return admin.StateOf([]admin.Problem{{Part: "store", Problem: "is away", Do: "look at it"}})
		}
		return admin.StateOf(nil)
	}
	login := "Bearer " + h.admin
	if route.Login == openapi.Station {
		login = "Basic " + base64.StdEncoding.EncodeToString([]byte(h.guest.ID+":"+h.guest.Token))
	}
	response, body := h.do(route.Method, h.address(route)+query, bodies[route.ID], "Authorization", login, "Accept", form)
	if strconv.Itoa(response.StatusCode) != status {
		h.t.Errorf("%s %s: %s %s, want %s", route.Method, h.address(route)+query, response.Status, body, status)
	}
	return body
}
