package openapi

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi/masthead"
)

//go:embed page.css
var style []byte

// Style returns the page's style sheet, for the address that WritePage is told.
func Style() []byte { return masthead.Style(style) }

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Parse(pageHTML))

// words are the page's texts.
var words = map[string]bilingual.Text{
	"title":      bilingual.Of("The API", "Die Schnittstelle"),
	"skip":       bilingual.Of("Skip to the addresses", "Zu den Adressen springen"),
	"contents":   bilingual.Of("Contents", "Inhalt"),
	"machine":    bilingual.Of("For programs: the same as OpenAPI 3.1", "Für Programme: dasselbe als OpenAPI 3.1"),
	"version":    bilingual.Of("Version of the program", "Version des Programms"),
	"parameter":  bilingual.Of("Parameter", "Parameter"),
	"what":       bilingual.Of("What", "Bedeutung"),
	"allowed":    bilingual.Of("Allowed", "Erlaubt"),
	"default":    bilingual.Of("Without it", "Sonst"),
	"answers":    bilingual.Of("Answers", "Antworten"),
	"try":        bilingual.Of("Try", "Ausprobieren"),
	"list":       bilingual.Of("several, separated by commas", "mehrere, durch Kommas getrennt"),
	"atMost":     bilingual.Of("at most", "höchstens"),
	"time":       bilingual.Of("time (RFC 3339) or date", "Zeitpunkt (RFC 3339) oder Datum"),
	"station":    bilingual.Of("Needs a station’s id and token (HTTP Basic).", "Braucht Kennung und Token einer Station (HTTP Basic)."),
	"admin":      bilingual.Of("Needs the administrator’s token (Bearer).", "Braucht das Token der Verwaltung (Bearer)."),
	"owner":      bilingual.Of("Needs the station’s management token (Bearer).", "Braucht das Verwaltungstoken der Station (Bearer)."),
	"licence":    bilingual.Of("Licence of the data", "Lizenz der Daten"),
	"body":       bilingual.Of("Body", "Inhalt der Anfrage"),
	"notAllowed": bilingual.Of("Errors are problem documents (RFC 9457) that say what is wrong, where, and what to do.", "Fehler sind Dokumente nach RFC 9457, die sagen, was falsch ist, wo, und was zu tun ist."),
}

// view is the data of the page, in one language.
type view struct {
	Document
	Language string
	Style    string // address of the style sheet
	Machine  string // address of the JSON document
}

func (v view) In(t bilingual.Text) string { return t.In(v.Language) }
func (v view) Word(name string) string    { return words[name].In(v.Language) }
func (v view) Login(l Login) string       { return words[string(l)].In(v.Language) }

// Masthead returns the head of the site.
func (v view) Masthead() template.HTML {
	return masthead.HTML(v.Language, v.Title, "?lang=de", "?lang=en")
}

// Of returns the routes of a group.
func (v view) Of(group string) []Route {
	var list []Route
	for _, r := range v.Routes {
		if r.Group == group {
			list = append(list, r)
		}
	}
	return list
}

// Allowed returns a short text about a parameter's valid values.
func (v view) Allowed(p Parameter) string {
	var parts []string
	switch {
	case p.Kind == Moment:
		parts = append(parts, v.Word("time"))
	case p.Kind == Integer && p.Most > 0:
		parts = append(parts, fmt.Sprintf("%s %d", v.Word("atMost"), p.Most))
	}
	if p.Choices != nil {
		parts = append(parts, strings.Join(p.Choices, ", "))
	}
	if p.Kind == List {
		parts = append(parts, v.Word("list"))
	}
	return strings.Join(parts, "; ")
}

// Example returns an address of a route to try; empty when it needs more than a link.
func (v view) Example(r Route) string {
	if r.Method != http.MethodGet || r.Login != Anyone {
		return ""
	}
	path, query := r.Address(), []string{}
	for _, p := range r.Parameters {
		switch {
		case r.inPath(p.Name) && p.Example == "":
			return ""
		case r.inPath(p.Name):
			path = strings.ReplaceAll(path, "{"+p.Name+"}", p.Example)
		case p.Example != "":
			query = append(query, p.Name+"="+p.Example)
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path
}

// StatusOf returns an answer's status code.
func (v view) StatusOf(a Answer) int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

// WritePage writes the page for people in a language, "de" or "en". style and machine are the addresses of Style and of
// the JSON document.
func (d Document) WritePage(w io.Writer, language, style, machine string) error {
	return page.Execute(w, view{d, language, style, machine})
}
