package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/push"
)

// Description returns the OpenAPI document of a server that has no city yet: every address but those of the archive, with the
// shape of each answer. The types of the web pages are generated from it.
func Description() ([]byte, error) {
	s := &Server{City: City{Boundary: &geo.Boundary{}}, Deliveries: push.RoutesElsewhere(nil)}
	return s.describe(openapi.Described(s.routes())).JSON()
}

// description returns the description of the whole interface.
func (s *Server) description() openapi.Document {
	return s.describe(s.withExamples(openapi.Described(append(s.routes(), s.archiveRoutes()...))))
}

func (s *Server) describe(routes []openapi.Route) openapi.Document {
	return openapi.Document{
		Title: "Stadtluft " + s.City.Name, Version: s.Version,
		About: bilingual.Of("Air of the city, measured by its people, as open data. "+export.Disclaimer+" "+export.QualityRule(),
			"Die Luft der Stadt, gemessen von den Menschen, die in ihr leben, als offene Daten. "+export.DisclaimerDE),
		Contact: s.contact(),
		Licence: map[string]string{"name": s.City.Licence, "url": export.LicenceURL(s.City.Licence)},
		Groups:  groups, Routes: routes, Schemas: schemas(),
		LoginAbout: map[openapi.Login]bilingual.Text{
			openapi.Station: bilingual.Of("the station’s id as user, its token as password", "die Kennung der Station als Name, ihr Token als Passwort"),
			openapi.Admin:   bilingual.Of("the administrator’s token", "das Token der Verwaltung"),
			openapi.Owner:   bilingual.Of("the station’s management token, or the administrator’s", "das Verwaltungstoken der Station oder das der Verwaltung"),
		},
		Problem: "Problem", ProblemType: "application/problem+json",
	}
}

// withExamples gives the routes of stations an existing station as their example.
func (s *Server) withExamples(routes []openapi.Route) []openapi.Route {
	stations := s.Registry.Stations()
	i := slices.IndexFunc(stations, (*ingest.Station).Shown)
	if i < 0 {
		return routes
	}
	id := stations[i].ID
	examples := map[string]string{"id": id, "feature": id, "file": id + ".atom"}
	if cell, err := geo.CellAt(stations[i].PlaceAt(time.Now()).Public, s.City.Resolution); err == nil {
		examples["cell"] = cell.String()
	}
	for i, route := range routes {
		if route.Group != "archive" { // whose files belong to the archive
			routes[i] = route.WithExamples(examples)
		}
	}
	return routes
}

// contact returns the contact for the description.
func (s *Server) contact() map[string]string {
	contact := map[string]string{"name": s.City.Attribution}
	switch {
	case strings.Contains(s.City.Contact, "://"):
		contact["url"] = s.City.Contact
	case s.City.Contact != "":
		contact["email"] = s.City.Contact
	}
	return contact
}

func (s *Server) getOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	document, err := s.description().JSON()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(append(document, '\n'))
	return err
}

// getDescription answers with the description for people.
func (s *Server) getDescription(w http.ResponseWriter, r *http.Request) error {
	language := newQuery(r).text("lang")
	if language == "" {
		language = preferred(r.Header.Get("Accept-Language"))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language)
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Language")
	return s.description().WritePage(w, language, "/api/style.css", "/api/openapi.json")
}

// preferred returns the more preferred of English and German: German only when it is named before English.
func preferred(accepted string) string {
	for _, part := range strings.Split(strings.ToLower(accepted), ",") {
		switch tag, _, _ := strings.Cut(strings.TrimSpace(part), ";"); {
		case strings.HasPrefix(tag, "de"):
			return "de"
		case strings.HasPrefix(tag, "en"):
			return "en"
		}
	}
	return "en"
}

func (s *Server) getStyle(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, err := w.Write(openapi.Style())
	return err
}

func (s *Server) schemaParameters() []openapi.Parameter {
	file := openapi.Parameter{Name: "file", Example: "readings.json", About: bilingual.Of("the table", "die Tabelle")}
	for _, t := range export.Tables() {
		file.Choices = append(file.Choices, t.Name+".json")
	}
	return []openapi.Parameter{file,
		{Name: "resolution", Choices: download.Resolutions()[1:], Default: string(download.Hours), About: bilingual.Of("of means", "der Mittel")},
		{Name: "window", Choices: []string{"live", "1h", "24h"}, Default: "1h", About: bilingual.Of("of averages of cells and districts", "der Mittel von Zellen und Stadtteilen")},
	}
}

// getSchema answers with the columns of a table and the rules of its values.
func (s *Server) getSchema(w http.ResponseWriter, r *http.Request) error {
	q, file := newQuery(r), r.PathValue("file")
	i := slices.IndexFunc(export.Tables(), func(t export.Table) bool { return t.Name+".json" == file })
	if i < 0 {
		p := newProblem(http.StatusNotFound, "file", "there is no table %.80q", file).InGerman("Eine Tabelle %.80q gibt es nicht.", file)
		p.Allowed = s.schemaParameters()[0].Choices
		return p
	}
	meta := s.source().Meta(s.Registry.Stations())
	window, _ := aggregate.ParseWindow(q.text("window")) // checked
	switch table := export.Tables()[i].Name; table {
	case "readings":
		meta.Averaging = export.Single
	case "means":
		meta.Averaging = export.StationRule(download.Resolution(q.text("resolution")).Window(), s.City.Corrected)
	case "history":
		meta.Averaging = export.GridRule(aggregate.Day, s.City.Corrected)
	case "grid", "index", "coverage":
		meta.Averaging = export.GridRule(window, s.City.Corrected)
	case "districts":
		meta.Averaging = export.AreaRule(window, s.City.Corrected)
	case "comparison", "pairs":
		meta.Averaging = export.ComparisonRule
	}
	language, h := preferred(r.Header.Get("Accept-Language")), w.Header()
	h.Set("Content-Language", language)
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Language")
	licences(h, meta)
	return writeJSON(w, http.StatusOK, "application/json", export.Tables()[i].Schema(meta, language))
}
