// Package admin answers a city's administrator over HTTP: the state of the program, its configuration without secrets,
// every station with its contact, refusals, changes, and a backup. It changes nothing: package stations approves and
// suspends stations.
package admin

import (
	"log/slog"
	"net/http"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
)

const jsonType = "application/json"

// Service answers requests of the administrator.
type Service struct {
	registry *registry.Registry
	keys     *stations.Keys
	program  Program
	stations Stations
	backup   Backup
	log      *slog.Logger
}

// New returns a Service. It reads the token, stations, refusals and changes from the registry, the rest from the others.
func New(r *registry.Registry, keys *stations.Keys, program Program, stations Stations, backup Backup, log *slog.Logger) *Service {
	return &Service{r, keys, program, stations, backup, log}
}

// Routes returns the routes, which need the administrator's token.
func (s *Service) Routes() []openapi.Route {
	route := func(name, id string, h httpapi.Handler, summary bilingual.Text, parameters ...openapi.Parameter) openapi.Route {
		return openapi.Route{
			Method: "GET", Path: "/api/v1/admin/" + name, Handler: httpapi.With(s.log, nil, s.guard(h)), Group: "admin", ID: id, Login: openapi.Admin,
			Summary: summary, Parameters: parameters,
		}
	}
	list := func(member string, of openapi.Schema, r openapi.Route) openapi.Route {
		r.Answers = openapi.AnswerOf(jsonType, openapi.Schema{"type": "object"}.With(member, openapi.ListOf(of)))
		return r
	}
	backup := route("backup", "getAdminBackup", s.getBackup, bilingual.Of("Consistent copies of the files that a restore needs; the archive is not among them.", "Stimmige Kopien der Dateien, die eine Wiederherstellung braucht; das Archiv ist nicht dabei."))
	backup.Answers = openapi.AnswerOf("application/gzip", nil)
	status := route("status", "getAdminStatus", s.getStatus, bilingual.Of("How the program is, and its configuration without secrets.", "Wie es dem Programm geht, und seine Einstellungen ohne Geheimnisse."))
	status.Answers = openapi.AnswerOf(jsonType, openapi.SchemaOf(statusAnswer{}))
	return []openapi.Route{
		status,
		list("stations", s.stations.Document.Schema.And(openapi.SchemaOf(privatePart{})), route("stations", "getAdminStations", s.getStations, bilingual.Of("Every station, with its contact.", "Jede Station, mit der Adresse ihres Menschen."))),
		list("refusals", openapi.SchemaOf(stationRefusal{}), route("refusals", "getAdminRefusals", s.getRefusals, bilingual.Of("What was refused last.", "Was zuletzt abgewiesen wurde."))),
		list("changes", openapi.SchemaOf(stations.Change{}), route("changes", "getAdminChanges", s.getChanges, bilingual.Of("Who changed what.", "Wer was geändert hat."),
			openapi.Parameter{Name: "station", About: bilingual.Of("of this station alone", "nur dieser Station")})),
		backup,
	}
}

// guard accepts requests with the administrator's token only. Browsers do not store the answers.
func (s *Service) guard(h httpapi.Handler) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.keys.Admin(w, r); err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		return h(w, r)
	}
}
