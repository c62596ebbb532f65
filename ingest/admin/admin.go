package admin

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
)

const (
	// listedChanges is how many changes the administrator sees at once, the newest.
	listedChanges = 500
	// statusTime bounds how long the parts are asked how they are.
	statusTime = 3 * time.Second
)

// Setting is one key of the configuration in force. A secret's value is "***", or empty when it is not set.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Status is what an administrator wants to know of the program.
type Status struct {
	Store       string    `json:"store"` // its kind
	Entries     uint64    `json:"journal_entries"`
	Bytes       uint64    `json:"journal_bytes"`
	Unwritten   uint64    `json:"journal_unwritten"` // entries that wait for the store
	Lag         float64   `json:"journal_lag_seconds"`
	Undecodable uint64    `json:"journal_undecodable"`
	Connected   int       `json:"broker_connected"`      // stations at the embedded broker
	Refused     uint64    `json:"broker_logins_refused"` // since the start
	Denied      uint64    `json:"broker_denied"`         // publishes and subscriptions outside a station's topics
	Settings    []Setting `json:"settings"`
}

// Copy is a file of a backup. Make writes a consistent copy to a path that is free.
type Copy struct {
	Name string
	Make func(ctx context.Context, path string) error
}

// Routes returns the addresses that only the administrator's token opens.
func (s *Service) Routes() []openapi.Route {
	route := func(name, id string, h httpapi.Handler, summary openapi.Text, parameters ...openapi.Parameter) openapi.Route {
		return openapi.Route{
			Method: "GET", Path: "/api/v1/admin/" + name, Handler: httpapi.With(s.log, nil, s.administered(h)), Group: "admin", ID: id, Login: openapi.Admin,
			Summary: summary, Parameters: parameters,
		}
	}
	telling := func(member string, of openapi.Schema, r openapi.Route) openapi.Route {
		r.Answers = openapi.AnswerOf("application/json", openapi.Schema{"type": "object"}.With(member, openapi.ListOf(of)))
		return r
	}
	backup := route("backup", "getAdminBackup", s.getAdminBackup, text("Consistent copies of the files that a restore needs; the archive is not among them.", "Stimmige Kopien der Dateien, die eine Wiederherstellung braucht; das Archiv ist nicht dabei."))
	backup.Answers = []openapi.Answer{{Forms: []openapi.Content{{Type: "application/gzip"}}}}
	status := route("status", "getAdminStatus", s.getAdmin, text("How the program is, and its configuration without secrets.", "Wie es dem Programm geht, und seine Einstellungen ohne Geheimnisse."))
	status.Answers = openapi.AnswerOf("application/json", openapi.SchemaOf(statusAnswer{}))
	return []openapi.Route{
		status,
		telling("stations", s.stations.Document.Schema.And(openapi.SchemaOf(private{})), route("stations", "getAdminStations", s.getAdminStations, text("Every station, with its contact.", "Jede Station, mit der Adresse ihres Menschen."))),
		telling("refusals", openapi.SchemaOf(stationRefusal{}), route("refusals", "getAdminRefusals", s.getAdminRefusals, text("What was refused last.", "Was zuletzt abgewiesen wurde."))),
		telling("changes", openapi.SchemaOf(stations.Change{}), route("changes", "getAdminChanges", s.getAdminChanges, text("Who changed what.", "Wer was geändert hat."),
			openapi.Parameter{Name: "station", About: text("of this station alone", "nur dieser Station")})),
		backup,
	}
}

// administered lets only the administrator through. Nothing of the answers is kept by browsers.
func (s *Service) administered(h httpapi.Handler) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !s.registry.Admin(httpapi.Bearer(r)) {
			return httpapi.New(http.StatusUnauthorized, "", "this needs the administrator's token: Authorization: Bearer …").
				InGerman("Das ist nicht das Token der Verwaltung.")
		}
		w.Header().Set("Cache-Control", "no-store")
		return h(w, r)
	}
}

// getAdmin answers with how the program is and the configuration in force.
func (s *Service) getAdmin(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), statusTime)
	defer cancel()
	status, err := s.program.Status(ctx)
	problems := append([]Problem{}, s.program.Problems(ctx)...)
	if err != nil {
		problems = append(problems, Problem{Part: "journal", Problem: err.Error(), Do: "look at the log"})
	}
	return httpapi.JSON(w, http.StatusOK, "application/json", statusAnswer{s.program.Version, problems, status})
}

// statusAnswer is how the program is.
type statusAnswer struct {
	Version  string    `json:"version"`
	Problems []Problem `json:"problems"`
	Status   Status    `json:"inside"`
}

// adminStation is a station as only the administrator sees it; not even they see the exact place.
type adminStation struct {
	document any
	private
}

// getAdminStations lists every station, whatever its status.
func (s *Service) getAdminStations(w http.ResponseWriter, _ *http.Request) error {
	now, list := time.Now().UTC(), []adminStation{}
	for _, st := range s.registry.Stations() {
		list = append(list, adminStation{s.stations.Document.Of(st, now), private{st.Email, st.Created.Format(time.RFC3339), s.stations.Day(st.ID, now)}})
	}
	return httpapi.JSON(w, http.StatusOK, "application/json", map[string]any{"stations": list})
}

// stationRefusal is a refusal with who was refused, as the message named it.
type stationRefusal struct {
	Station string `json:"station"`
	ingest.ExplainedRefusal
}

// getAdminRefusals lists the last refusals of every station and of senders that are not registered, newest first.
func (s *Service) getAdminRefusals(w http.ResponseWriter, r *http.Request) error {
	refusals, err := s.registry.AllRefusals(r.Context(), registry.KeptUnknown)
	if err != nil {
		return err
	}
	list := make([]stationRefusal, len(refusals))
	for i, f := range ingest.ExplainRefusals(refusals) {
		list[i] = stationRefusal{refusals[i].Station, f}
	}
	return httpapi.JSON(w, http.StatusOK, "application/json", map[string]any{"refusals": list})
}

// getAdminChanges lists who changed what, newest first.
func (s *Service) getAdminChanges(w http.ResponseWriter, r *http.Request) error {
	changes, err := s.registry.Changes(r.Context(), httpapi.NewQuery(r).Text("station"), listedChanges)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, "application/json", map[string]any{"changes": stations.Changes(changes)})
}

// getAdminBackup sends consistent copies of the files that a restore needs, as a compressed tar archive. They are made whole before
// the first byte goes, so a full disk is told and not sent.
func (s *Service) getAdminBackup(w http.ResponseWriter, r *http.Request) (err error) {
	folder, err := os.MkdirTemp(s.backup.Folder, "backup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copies := s.backup.Copies()
	for _, c := range copies {
		if err := c.Make(r.Context(), filepath.Join(folder, c.Name)); err != nil {
			return httpapi.New(http.StatusServiceUnavailable, "", "back up %s: %v", c.Name, err).
				InGerman("Die Kopie von %s ist nicht gelungen: %v", c.Name, err)
		}
	}
	now := time.Now().UTC()
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition", `attachment; filename="stadtluft-backup-`+now.Format("20060102T150405Z")+`.tar.gz"`)
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	for _, c := range copies {
		if err := addFile(archive, filepath.Join(folder, c.Name), c.Name, now); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

func addFile(archive *tar.Writer, path, name string, at time.Time) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

func text(english, german string) openapi.Text { return openapi.Text{English: english, German: german} }
