package stations

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/httpapitest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
)

// fixture is a Service whose documents are stations' names, and a client of it.
type fixture struct {
	*httpapitest.Client
	registry *registry.Registry
}

func open(t *testing.T, policy registry.Policy) *fixture {
	t.Helper()
	city := geo.CologneSketch()
	r := registrytest.Open(t, registry.Options{Boundary: city, Policy: policy, Licence: "dl-zero-de/2.0"})
	document := DocumentOf(func(st *ingest.Station, _ time.Time) map[string]string { return map[string]string{"name": st.Name} })
	s := New(r, NewKeys(r), city, kits.Access{MQTTPort: 1883}, document, slog.New(slog.DiscardHandler))
	s.Notices = Notices{Mail: true, Hook: func(address string) error {
		if strings.HasPrefix(address, "http://") {
			return errors.New("it does not begin with https://")
		}
		return nil
	}}
	return &fixture{httpapitest.Serve(t, slices.Concat(s.RegistrationRoutes(), s.ManagementRoutes(), s.NoticeRoutes())), r}
}

// ask sends a request and decodes the answer, which must have the status.
func (h *fixture) ask(method, route, body string, status int, into any) {
	h.T.Helper()
	response, answer := h.Do(method, route, body)
	if err := json.Unmarshal(answer, into); err != nil || response.StatusCode != status {
		h.T.Fatalf("%s %s: %s %s %v, want %d", method, route, response.Status, answer, err, status)
	}
}

const registration = `{"name":"Garten","lon":6.99,"lat":50.95,"kit":"sds011-dht22","height":2,"exposure":"outdoor","licence_consent":true}`

func TestRegistration(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	response, body := h.Do("POST", "/api/v1/stations", registration)
	var made struct {
		ID, Token, Status, Cell string
		Manage                  string `json:"manage_token"`
		MQTT                    struct {
			Host, Topic string
			Port        int
		}
	}
	if err := json.Unmarshal(body, &made); err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s %v", response.Status, body, err)
	}
	if made.Status != "active" || made.MQTT.Topic != "stadtluft/v1/"+made.ID+"/reading" || made.MQTT.Port != 1883 || made.MQTT.Host != "127.0.0.1" ||
		!h.registry.Authenticate(made.ID, made.Token) || !strings.HasPrefix(made.Cell, "CRS3035RES100m") {
		t.Errorf("answer %+v", made)
	}
	bearer := []string{"Authorization", "Bearer " + made.Manage}
	if response, body := h.Do("PATCH", "/api/v1/stations/"+made.ID, `{"name":"Hof","status":"paused"}`, bearer...); response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"name":"Hof"`) {
		t.Errorf("PATCH: %s %s", response.Status, body)
	}
	if response, body := h.Do("PATCH", "/api/v1/stations/"+made.ID, `{"status":"retired"}`, bearer...); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("PATCH to retired: %s %s", response.Status, body)
	}
	other, _, err := h.registry.Add(t.Context(), registry.Registration{Name: "Balkon", Point: orb.Point{6.9583, 50.9413}, Kit: "sds011-bme280", LicenceConsent: true})
	if err != nil {
		t.Fatal(err)
	}
	if response, _ := h.Do("DELETE", "/api/v1/stations/"+made.ID, "", "Authorization", "Bearer "+other.ManageToken); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("DELETE with another's token: %s", response.Status)
	}
	if response, _ := h.Do("DELETE", "/api/v1/stations/"+made.ID, "", bearer...); response.StatusCode != http.StatusNoContent {
		t.Errorf("DELETE: %s", response.Status)
	}
	if st, _ := h.registry.Station(made.ID); st.Shown() {
		t.Error("a retired station is shown")
	}
	if response, _ := open(t, registry.PolicyClosed).Do("POST", "/api/v1/stations", registration); response.StatusCode != http.StatusForbidden {
		t.Errorf("closed registration: %s", response.Status)
	}
	for i := range registry.DefaultPerDay {
		h.Do("POST", "/api/v1/stations", registration, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 198.51.100.7", i))
	}
	if response, _ := h.Do("POST", "/api/v1/stations", registration, "X-Forwarded-For", "203.0.113.99, 198.51.100.7"); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many from an address behind the proxy: %s", response.Status)
	}
	for i := range registry.DefaultPerDay {
		h.Do("POST", "/api/v1/stations", registration, "X-Forwarded-For", fmt.Sprintf("2001:db8:1:2::%d", i))
	}
	if response, _ := h.Do("POST", "/api/v1/stations", registration, "X-Forwarded-For", "2001:db8:1:2:3::1"); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many from an IPv6 network: %s", response.Status)
	}
}

func TestOnlyTheAdministratorApproves(t *testing.T) {
	h := open(t, registry.PolicyApprove)
	admin, err := h.registry.EnsureAdmin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, body := h.Do("POST", "/api/v1/stations", registration)
	var made struct {
		ID, Status string
		Manage     string `json:"manage_token"`
	}
	if err := json.Unmarshal(body, &made); err != nil || made.Status != "pending" {
		t.Fatalf("%s %v, want a pending station", body, err)
	}
	f := func(token string, want int) {
		t.Helper()
		if response, body := h.Do("PATCH", "/api/v1/stations/"+made.ID, `{"status":"active"}`, "Authorization", "Bearer "+token); response.StatusCode != want {
			t.Errorf("approve: %s %s, want %d", response.Status, body, want)
		}
	}
	f("", http.StatusNotFound)
	f(made.Manage, http.StatusUnprocessableEntity)
	f(admin, http.StatusOK)
	if st, _ := h.registry.Station(made.ID); st.Status != ingest.Active {
		t.Errorf("the station is %s, want active", st.Status)
	}
}

func TestCell(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	var cell struct {
		ID         string
		Geometry   struct{ Coordinates [][][2]float64 }
		Properties struct {
			Lon, Lat float64
			Within   bool
		}
	}
	h.ask("POST", "/api/v1/cell", `{"lon":6.9583,"lat":50.9413}`, http.StatusOK, &cell)
	// The cathedral is at E 4107276.63 N 3096656.30 by PROJ 9.1.1.
	if cell.ID != "CRS3035RES100mN3096600E4107200" || !cell.Properties.Within || len(cell.Geometry.Coordinates[0]) != 5 {
		t.Errorf("cell = %+v", cell)
	}
	f := func(body, field, detail, suggestion string) {
		t.Helper()
		var p httpapi.Problem
		h.ask("POST", "/api/v1/cell", body, http.StatusUnprocessableEntity, &p)
		if p.Field != field || !strings.Contains(p.Detail, detail) || !strings.Contains(p.Suggestion, suggestion) {
			t.Errorf("%s: %+v, want %q, %q and %q", body, p, field, detail, suggestion)
		}
	}
	f(`{"lon":50.9413,"lat":6.9583}`, "lon, lat", "20 km outside", "longitude 6.95830, latitude 50.94130")
	f(`{"lon":0,"lat":0}`, "lon, lat", "Atlantic", "")
	f(`{"lon":6.96}`, "lon, lat", "say where", "")
}
