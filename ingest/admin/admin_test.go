package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/httpapitest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
	"stadtluft/ingest/stations"
)

// fixture is a Service of a registry with one station, and a client of it.
type fixture struct {
	*httpapitest.Client
	registry *registry.Registry
	token    string // the administrator's
	station  registry.Credentials
}

func open(t *testing.T, backup Backup) *fixture {
	t.Helper()
	r := registrytest.Open(t, registry.Options{})
	token, err := r.EnsureAdmin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	station, _, err := r.Add(t.Context(), registry.Registration{Name: "Hof & Garten", Point: orb.Point{6.9583, 50.9413}, Kit: "sds011-bme280", LicenceConsent: true, Email: "me@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	h := &fixture{registry: r, token: token, station: station}
	program := Program{
		Version: "test", State: func(context.Context) State { return StateOf(nil) },
		Status: func(context.Context) (Status, error) {
			return Status{Store: "sqlite", Unwritten: 7, Settings: []Setting{{"admin_token", "***"}}}, errors.New("the journal is away")
		},
	}
	shown := Stations{
		Document: stations.DocumentOf(func(st *ingest.Station, _ time.Time) map[string]string { return map[string]string{"name": st.Name} }),
		Day:      func(string, time.Time) Day { return Day{Values: 2, Good: 1, Flags: map[string]int{"sentinel": 1}} },
	}
	h.Client = httpapitest.Serve(t, New(r, stations.NewKeys(r), program, shown, backup, slog.New(slog.DiscardHandler)).Routes())
	return h
}

// ask sends a request with a token and decodes the answer, which must have the status.
func (h *fixture) ask(what, token string, status int, into any) {
	h.T.Helper()
	response, answer := h.Do("GET", "/api/v1/admin/"+what, "", "Authorization", "Bearer "+token)
	if err := json.Unmarshal(answer, into); err != nil || response.StatusCode != status {
		h.T.Fatalf("%s: %s %s %v, want %d", what, response.Status, answer, err, status)
	}
}

func TestOnlyForTheAdministrator(t *testing.T) {
	h := open(t, nil)
	for _, what := range []string{"status", "stations", "refusals", "changes", "backup"} {
		for _, wrong := range []string{"", h.station.Token, h.station.ManageToken} {
			h.ask(what, wrong, http.StatusUnauthorized, new(httpapi.Problem))
		}
	}
}

func TestStatus(t *testing.T) {
	h := open(t, nil)
	var status struct {
		Problems []Problem
		Inside   struct {
			Unwritten int `json:"journal_unwritten"`
		}
	}
	h.ask("status", h.token, http.StatusOK, &status)
	if len(status.Problems) != 1 || status.Problems[0].Problem != "the journal is away" || status.Inside.Unwritten != 7 {
		t.Errorf("status = %+v", status)
	}
}

// TestStations expects one object of each station, its text as it is.
func TestStations(t *testing.T) {
	h := open(t, nil)
	response, body := h.Do("GET", "/api/v1/admin/stations", "", "Authorization", "Bearer "+h.token)
	st, _ := h.registry.Station(h.station.ID)
	want := `{"stations":[{"name":"Hof & Garten","email":"me@example.org","created":"` + st.Created.Format(time.RFC3339) + `","values_24h":2,"good_24h":1,"flags_24h":{"sentinel":1}}]}`
	if got := strings.TrimSpace(string(body)); got != want || response.StatusCode != http.StatusOK {
		t.Errorf("stations = %s %s, want %s", response.Status, got, want)
	}
}

func TestRefusals(t *testing.T) {
	h := open(t, nil)
	err := h.registry.KeepRefusals(t.Context(), []ingest.Refusal{{Station: "NOBODY", Received: time.Now(), Reason: wire.UnknownStation, Detail: "who"}})
	if err != nil {
		t.Fatal(err)
	}
	var refused struct{ Refusals []map[string]string }
	h.ask("refusals", h.token, http.StatusOK, &refused)
	if len(refused.Refusals) != 1 || refused.Refusals[0]["station"] != "NOBODY" || refused.Refusals[0]["de"] == "" {
		t.Errorf("refusals = %+v", refused)
	}
}

// TestBackup downloads a backup whole, and its file is closed after it.
func TestBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, []byte("all of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, func(context.Context) (*os.File, error) { return file, nil })
	response, body := h.Do("GET", "/api/v1/admin/backup", "", "Authorization", "Bearer "+h.token)
	head := response.Header
	if string(body) != "all of it" || head.Get("Content-Type") != "application/gzip" || head.Get("Content-Length") != "9" || !strings.HasPrefix(head.Get("Content-Disposition"), "attachment; ") {
		t.Errorf("backup: %s %v %q", response.Status, head, body)
	}
	if err := file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was left open: %v", err)
	}
}

func TestABackupFails(t *testing.T) {
	h := open(t, func(context.Context) (*os.File, error) { return nil, errors.New("no space left on device") })
	var p httpapi.Problem
	h.ask("backup", h.token, http.StatusServiceUnavailable, &p)
	if p.Detail != "no space left on device" {
		t.Errorf("a backup that cannot be: %+v", p)
	}
}
