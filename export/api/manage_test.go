package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
)

// ask sends a request with a key and decodes the answer, which must have the status.
func (h *fixture) ask(method, route, body, key string, status int, into any) {
	h.t.Helper()
	response, answer := h.do(method, route, body, "Authorization", "Bearer "+key)
	if response.StatusCode != status {
		h.t.Fatalf("%s %s: %s %s, want %d", method, route, response.Status, answer, status)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			h.t.Fatalf("%s %s: %s: %v", method, route, answer, err)
		}
	}
}

func TestManagement(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	route := "/api/v1/stations/" + h.station.ID
	var managed struct {
		Lon, Lat float64
		Email    string
		Changes  []change
		Station  struct {
			Properties struct {
				Places, Fittings []map[string]any
			}
		}
	}
	for method, way := range map[string]string{"GET": "/manage", "POST": "/token", "PATCH": "", "DELETE": ""} {
		h.ask(method, route+way, "{}", "wrong", http.StatusUnauthorized, nil)
	}
	h.ask("PATCH", route, `{"name":"Hof","side":"sw","place":{"lon":6.99,"lat":50.95},"fitting":{"kit":"sps30","sensors":["sps30"]}}`, h.owner.ManageToken, http.StatusOK, nil)
	h.ask("GET", route+"/manage", "", h.owner.ManageToken, http.StatusOK, &managed)
	last := managed.Station.Properties.Fittings
	if managed.Lon != 6.99 || managed.Lat != 50.95 || managed.Email != "me@example.org" || len(managed.Changes) != 5 || last[len(last)-1]["kit"] != "sps30" {
		t.Errorf("managed = %+v", managed)
	}
	if public := string(h.get(route)); strings.Contains(public, "6.99,") || strings.Contains(public, "50.95]") {
		t.Errorf("the public station has the exact place: %s", public)
	}
	var p problem
	h.ask("PATCH", route, `{"name":"Neu","place":{"lon":0,"lat":0}}`, h.owner.ManageToken, http.StatusUnprocessableEntity, &p)
	if st, _ := h.server.Registry.Station(h.station.ID); p.Field != "lon, lat" || st.Name != "Hof" {
		t.Errorf("a wrong edit: %+v, name %s", p, st.Name)
	}
	h.ask("PATCH", route, `{"exposure":{"is":"cellar"}}`, h.owner.ManageToken, http.StatusUnprocessableEntity, &p)
	if p.Field != "exposure" {
		t.Errorf("a wrong exposure: %+v", p)
	}
	h.ask("PATCH", route, `{"exposure":{"is":"indoor"}}`, h.owner.ManageToken, http.StatusOK, nil)
	var exposed struct {
		Properties struct {
			Exposure  string
			Exposures []struct{ Exposure string }
		}
	}
	if err := json.Unmarshal(h.get(route), &exposed); err != nil || exposed.Properties.Exposure != "indoor" || !strings.HasSuffix(fmt.Sprint(exposed.Properties.Exposures), "{indoor}]") {
		t.Errorf("exposures %+v, %v", exposed, err)
	}

	var token struct{ Token string }
	h.ask("POST", route+"/token", "", h.owner.ManageToken, http.StatusOK, &token)
	if !h.server.Registry.Authenticate(h.station.ID, token.Token) || h.server.Registry.Authenticate(h.station.ID, h.owner.Token) {
		t.Error("the new token does not take the place of the old one")
	}
	var link struct {
		Token string `json:"manage_token"`
		Link  string `json:"manage_link"`
	}
	h.ask("POST", route+"/manage-token", `{"hand_over":true}`, h.owner.ManageToken, http.StatusOK, &link)
	if link.Link != h.http.URL+"/stations/"+h.station.ID+"#manage="+link.Token {
		t.Errorf("link = %q", link.Link)
	}
	h.ask("GET", route+"/manage", "", h.owner.ManageToken, http.StatusUnauthorized, nil)
	h.ask("GET", route+"/manage", "", link.Token, http.StatusOK, &managed)
	if managed.Email != "" {
		t.Errorf("the address went over: %q", managed.Email)
	}
	if seen := h.managed(h.station.ID, link.Token); !strings.Contains(seen, `"lon":6.990101,"lat":50.950171,"email":""`) {
		t.Errorf("the old owner's place went over: %s", seen)
	}
	h.ask("DELETE", route+"?readings=some", "", link.Token, http.StatusBadRequest, nil)
	h.ask("DELETE", route+"?readings=erase", "", link.Token, http.StatusNoContent, nil)
	if st, _ := h.server.Registry.Station(h.station.ID); st.Status != ingest.Erased {
		t.Errorf("the station is %s, want erased", st.Status)
	}
}

func TestARetiredStationIsNotShown(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	route := "/api/v1/stations/" + h.station.ID
	h.ask("GET", route, "", "", http.StatusOK, nil)
	h.ask("DELETE", route, "", h.owner.ManageToken, http.StatusNoContent, nil)
	h.ask("GET", route, "", "", http.StatusNotFound, nil)
}

func TestSeries(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	hour := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	for i := range 12 + 8 { // 8 are too few for an hour
		pm := value(quantity.PM10, 36)
		if i >= 12 {
			pm = value(quantity.PM10, 50)
		}
		h.measure(hour.Add(time.Duration(i)*5*time.Minute), pm, value(quantity.Humidity, 80))
	}
	h.store.Held[1].Values[0] = ingest.Value{Quantity: quantity.PM10, Value: 1999.9, Flags: ingest.Sentinel}
	h.server.Aggregate.Correction = aggregate.Correction{Correct: func(_ quantity.Quantity, milli, _ int64) (int64, bool) { return milli / 2, true }}
	row := func(north, east int32, mean int64) aggregate.Row {
		return aggregate.Row{Cell: geo.Cell{Size: 1000, North: north, East: east}, Start: hour, Window: aggregate.Hour, Quantity: quantity.PM10, Mean: mean, Stations: 1}
	}
	h.store.Rows = []aggregate.Row{
		row(3096000, 4107000, 99_000),                                                               // its own
		row(3097000, 4107000, 10_000), row(3095000, 4107000, 30_000), row(3096000, 4108000, 20_000), // within 3 km
		row(3101000, 4107000, 90_000), // 5 km away
		row(3096000, 4207000, 80_000), // 100 km away
	}
	read := func() (s struct {
		Unit, Window                    string
		Start                           []string
		Measured, Corrected, Neighbours []*float64
	}) {
		t.Helper()
		route := "/api/v1/stations/" + h.station.ID + "/series?quantity=pm10&from=" + hour.Format(time.RFC3339) + "&to=" + hour.Add(3*time.Hour).Format(time.RFC3339)
		if err := json.Unmarshal(h.get(route), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := read()
	if len(s.Start) != 3 || s.Start[0] != hour.Format(time.RFC3339) || s.Unit != "µg/m³" || s.Window != "1h" {
		t.Fatalf("series = %+v, want the three hours that are over", s)
	}
	if *s.Measured[0] != 36 || *s.Corrected[0] != 18 || *s.Neighbours[0] != 20 {
		t.Errorf("the full hour: %v, %v, %v, want 36, 18 and 20", *s.Measured[0], *s.Corrected[0], *s.Neighbours[0])
	}
	if s.Measured[1] != nil || s.Corrected[2] != nil || s.Neighbours[1] != nil {
		t.Errorf("an hour of 8 slots or of none has values: %+v", s)
	}
	h.store.Rows = h.store.Rows[2:] // two within 3 km: those within 10 km count
	if s := read(); *s.Neighbours[0] != 30 {
		t.Errorf("neighbours within 10 km = %v, want 30", *s.Neighbours[0])
	}
	for query, field := range map[string]string{"": "quantity", "?quantity=pm10,pm2_5": "quantity", "?quantity=pm10&window=2h": "window", "?quantity=pm10&from=2020-01-01": "from"} {
		var p problem
		h.ask("GET", "/api/v1/stations/"+h.station.ID+"/series"+query, "", "", http.StatusBadRequest, &p)
		if p.Field != field {
			t.Errorf("%s: field %q, want %q", query, p.Field, field)
		}
	}
}

func TestAdministration(t *testing.T) {
	h := open(t, registry.PolicyApprove)
	token, err := h.server.Registry.EnsureAdmin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	h.measure(time.Now().UTC(), value(quantity.PM10, 20), ingest.Value{Quantity: quantity.PM2_5, Value: -1, Flags: ingest.Sentinel})
	var made struct {
		ID     string
		Manage string `json:"manage_token"`
	}
	h.ask("POST", "/api/v1/stations", registration, "", http.StatusCreated, &made)
	var listed struct {
		Stations []struct {
			ID, Email  string
			Values     int `json:"values_24h"`
			Good       int `json:"good_24h"`
			Properties struct{ Status string }
		}
	}
	h.ask("GET", "/api/v1/admin/stations", "", token, http.StatusOK, &listed)
	if len(listed.Stations) != 2 {
		t.Fatalf("stations = %+v, want both", listed)
	}
	for _, s := range listed.Stations {
		if waits := s.ID == made.ID; waits && s.Properties.Status != "pending" || !waits && (s.Email != "me@example.org" || s.Values != 2 || s.Good != 1) {
			t.Errorf("station %+v", s)
		}
	}
	h.ask("PATCH", "/api/v1/stations/"+made.ID, `{"status":"active"}`, token, http.StatusOK, nil)
	h.suspend(token, made.ID, made.Manage)
	var told struct{ Changes []stations.Change }
	h.ask("GET", "/api/v1/admin/changes?station="+made.ID, "", token, http.StatusOK, &told)
	if len(told.Changes) != 4 || told.Changes[1].Who != "admin" || told.Changes[1].Before != "active" || told.Changes[1].After != "suspended" || told.Changes[3].Who != "owner" {
		t.Errorf("changes = %+v", told.Changes)
	}
}

// suspend suspends a station: nobody sees it, its owner sees the reason and cannot lift the suspension.
func (h *fixture) suspend(admin, id, owner string) {
	h.t.Helper()
	route := "/api/v1/stations/" + id
	h.ask("PATCH", route, `{"status":"suspended"}`, admin, http.StatusUnprocessableEntity, nil)
	h.ask("PATCH", route, `{"status":"suspended","reason":"hangs in a kitchen"}`, admin, http.StatusOK, nil)
	var p problem
	h.ask("PATCH", route, `{"status":"active"}`, owner, http.StatusUnprocessableEntity, &p)
	if p.Field != "status" {
		h.t.Errorf("an owner lifts it: %+v", p)
	}
	h.hidden(id, admin, owner)
	_, health := h.do("GET", route+"/health", "", "Authorization", "Bearer "+owner)
	for _, seen := range []string{string(health), h.managed(id, owner)} {
		if !strings.Contains(seen, `"status":"suspended"`) || !strings.Contains(seen, `"reason":"hangs in a kitchen"`) {
			h.t.Errorf("its owner sees %s", seen)
		}
	}
}

// hidden expects that a station and its rows are nowhere, as if it had never been registered, but for its owner and the
// administrator.
func (h *fixture) hidden(id, admin, owner string) {
	h.t.Helper()
	route := "/api/v1/stations/" + id
	_, unknown := h.do("GET", "/api/v1/stations/"+strings.Repeat("0", len(id))+"?", "")
	for _, path := range []string{"", "/health", "/readings", "/readings?resolution=1h", "/series?quantity=pm10", "/manage"} {
		for _, wrong := range []string{"", h.owner.ManageToken}[:2-len(path)%2] {
			var p problem
			h.ask("GET", route+path, "", wrong, http.StatusNotFound, &p)
			if want := "no station " + id + " is registered"; p.Detail != want {
				h.t.Errorf("%s: %q, want %q as for %s", path, p.Detail, want, unknown)
			}
		}
		for _, right := range []string{admin, owner} {
			if response, body := h.do("GET", route+path, "", "Authorization", "Bearer "+right); response.StatusCode != http.StatusOK {
				h.t.Errorf("%s with a key: %s %s", path, response.Status, body)
			}
		}
	}
	h.ask("GET", "/api/v1/readings?station="+id, "", "", http.StatusNotFound, nil)
	if response, _ := h.do("GET", "/feeds/stations/"+id+".atom", ""); response.StatusCode != http.StatusNotFound {
		h.t.Errorf("its feed: %s", response.Status)
	}
	for _, path := range []string{
		"/api/v1/stations", "/api/v1/readings", "/api/v1/readings?resolution=5m", "/api/v1/readings?format=json", "/ogc/collections/stations/items", "/ogc/collections/readings-latest/items",
		"/sta/v1.1/Things", "/sta/v1.1/Datastreams", "/sta/v1.1/Observations", "/sitemap.xml",
	} {
		if response, body := h.do("GET", path, ""); strings.Contains(string(body), id) {
			h.t.Errorf("%s (%s) tells of it", path, response.Status)
		}
	}
}

func (h *fixture) managed(id, owner string) string {
	_, answer := h.do("GET", "/api/v1/stations/"+id+"/manage", "", "Authorization", "Bearer "+owner)
	return string(answer)
}
