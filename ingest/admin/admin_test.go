package admin

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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
	folder   string // of backups
	station  registry.Credentials
}

func open(t *testing.T, copies func(*registry.Registry) []Copy) *fixture {
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
	h := &fixture{registry: r, token: token, folder: t.TempDir(), station: station}
	program := Program{
		Version: "test", Problems: func(context.Context) []Problem { return nil },
		Status: func(context.Context) (Status, error) {
			return Status{Store: "sqlite", Unwritten: 7, Settings: []Setting{{"admin_token", "***"}}}, errors.New("the journal is away")
		},
	}
	shown := Stations{
		Document: stations.DocumentOf(func(st *ingest.Station, _ time.Time) map[string]string { return map[string]string{"name": st.Name} }),
		Day:      func(string, time.Time) Day { return Day{Values: 2, Good: 1, Flags: map[string]int{"sentinel": 1}} },
	}
	backup := Backup{h.folder, func() []Copy { return copies(r) }}
	h.Client = httpapitest.Serve(t, New(r, stations.NewKeys(r), program, shown, backup, slog.New(slog.DiscardHandler)).Routes())
	return h
}

func ofRegistry(r *registry.Registry) []Copy { return []Copy{{registry.SnapshotFile, r.Backup}} }

// ask sends a request with a token and decodes the answer, which must have the status.
func (h *fixture) ask(what, token string, status int, into any) {
	h.T.Helper()
	response, answer := h.Do("GET", "/api/v1/admin/"+what, "", "Authorization", "Bearer "+token)
	if err := json.Unmarshal(answer, into); err != nil || response.StatusCode != status {
		h.T.Fatalf("%s: %s %s %v, want %d", what, response.Status, answer, err, status)
	}
}

func TestOnlyForTheAdministrator(t *testing.T) {
	h := open(t, ofRegistry)
	for _, what := range []string{"status", "stations", "refusals", "changes", "backup"} {
		for _, wrong := range []string{"", h.station.Token, h.station.ManageToken} {
			h.ask(what, wrong, http.StatusUnauthorized, new(httpapi.Problem))
		}
	}
}

func TestStatus(t *testing.T) {
	h := open(t, ofRegistry)
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
	h := open(t, ofRegistry)
	response, body := h.Do("GET", "/api/v1/admin/stations", "", "Authorization", "Bearer "+h.token)
	st, _ := h.registry.Station(h.station.ID)
	want := `{"stations":[{"name":"Hof & Garten","email":"me@example.org","created":"` + st.Created.Format(time.RFC3339) + `","values_24h":2,"good_24h":1,"flags_24h":{"sentinel":1}}]}`
	if got := strings.TrimSpace(string(body)); got != want || response.StatusCode != http.StatusOK {
		t.Errorf("stations = %s %s, want %s", response.Status, got, want)
	}
}

func TestRefusals(t *testing.T) {
	h := open(t, ofRegistry)
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

// TestBackup downloads a backup and opens the registry in it.
func TestBackup(t *testing.T) {
	h := open(t, ofRegistry)
	response, body := h.Do("GET", "/api/v1/admin/backup", "", "Authorization", "Bearer "+h.token)
	plain, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil || response.Header.Get("Content-Type") != "application/gzip" {
		t.Fatalf("backup: %s %v", response.Status, err)
	}
	archive := tar.NewReader(plain)
	head, err := archive.Next()
	if err != nil || head.Name != registry.SnapshotFile || head.Mode != 0o600 {
		t.Fatalf("backup holds %+v, %v", head, err)
	}
	content, err := io.ReadAll(archive)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("backup holds more: %v", err)
	}
	restored := t.TempDir()
	if err := os.WriteFile(filepath.Join(restored, registry.SnapshotFile), content, 0o600); err != nil {
		t.Fatal(err)
	}
	r := registrytest.Open(t, registry.Options{Folder: restored})
	if !slices.ContainsFunc(r.Stations(), func(st *ingest.Station) bool { return st.ID == h.station.ID }) {
		t.Errorf("station %s is not in the backup", h.station.ID)
	}
	if left, err := os.ReadDir(h.folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestUnfinishedBackupsGo has the folder of a backup that a crash ended, and one of the operator's.
func TestUnfinishedBackupsGo(t *testing.T) {
	b := Backup{Folder: t.TempDir()}
	for _, name := range []string{copiesPrefix + "123", "backup-2026"} {
		if err := os.Mkdir(b.Folder+"/"+name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.Folder+"/"+name+"/"+registry.SnapshotFile, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.RemoveUnfinished(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(b.Folder); err != nil || len(left) != 1 || left[0].Name() != "backup-2026" {
		t.Errorf("left are %v, %v, want the operator's folder", left, err)
	}
}

func TestABackupFails(t *testing.T) {
	h := open(t, func(*registry.Registry) []Copy {
		return []Copy{{"readings.db", func(context.Context, string) error { return errors.New("7 entries wait") }}}
	})
	var p httpapi.Problem
	h.ask("backup", h.token, http.StatusServiceUnavailable, &p)
	if p.Detail != "back up readings.db: 7 entries wait" {
		t.Errorf("a backup that cannot be: %+v", p)
	}
}
