package ogc

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/masthead"
)

// page is a document for people: headings, links and one table.
type page struct {
	Title string
	Text  string
	Links []link
	Head  []string
	Rows  []row
}

type row []cell

// cell is a text, or a link when it has an address.
type cell struct{ Text, Href string }

//go:embed pages
var pages embed.FS

var pageTemplate = template.Must(template.ParseFS(pages, "pages/page.html"))

// sendPage answers with the page in the language of the request.
func (r *request) sendPage(p page) error {
	in := func(language string) string {
		q := r.URL.Query()
		q.Set("lang", language)
		return "?" + q.Encode()
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{
		"Page": p, "Language": r.language, "Base": r.base, "Head": masthead.HTML(r.language, "Stadtluft "+r.city, in("de"), in("en")),
		"Home": bilingual.Of("Open data for geographic information systems", "Offene Daten für Geoinformationssysteme").In(r.language), "Notice": disclaimer.In(r.language),
		"More": bilingual.Of("Links", "Verweise").In(r.language), "Next": bilingual.Of("Next page", "Nächste Seite").In(r.language),
	})
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = r.w.Write(b.Bytes())
	return err
}

// style answers with the pages' style sheet.
func (s *Service) style(r *request) error {
	if err := r.query.Done(); err != nil {
		return err
	}
	content, err := pages.ReadFile("pages/style.css")
	if err != nil {
		return httpapi.New(http.StatusNotFound, "", "there is no style sheet")
	}
	r.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	http.ServeContent(r.w, r.Request, "", time.Time{}, bytes.NewReader(masthead.Style(content)))
	return nil
}

// Next returns the address of the next page; empty on the last.
func (p page) Next() string {
	for _, l := range p.Links {
		if l.Rel == "next" {
			return l.Href
		}
	}
	return ""
}
