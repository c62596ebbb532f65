package archive

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"stadtluft/export"
	"stadtluft/ingest/httpapi/masthead"
)

var (
	//go:embed page.html
	pageText string
	//go:embed archive.css
	styleText []byte

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"bytes": humanBytes}).Parse(pageText))
)

const styleName = "archive.css"

// words are the page's texts in one language.
type words struct {
	Language                                                                     string
	Title, Intro, Back, Name, Days, Size, Revision, Missing, Download, Files     string
	Hours, GapsOf, EmptyHours, None, Stations, Silent, Readings, Late, Revisions string
	Licence, Notice, Demo, JSON, Feed, Empty, Checksum, Differs                  string
	Without, SingleStation                                                       string
}

var german = words{
	Language: "de",
	Title:    "Archiv", Back: "Übersicht", Name: "Was", Days: "Tage", Size: "Größe", Revision: "Revision", Missing: "Tage ohne Archiv", Download: "Alles herunterladen", Files: "Dateien",
	Intro:  "Abgeschlossene Tage als Dateien. Ein Tag ist abgeschlossen, wenn seit seinem Ende zwei Tage vergangen sind: So lange zählen verspätete Messwerte noch. Spätere Korrekturen werden eine neue Revision; die alte bleibt.",
	GapsOf: "Stationen ohne Messwerte, in ganzen Stunden", EmptyHours: "Stunden ohne einen einzigen Messwert", None: "keine", Stations: "Stationen", Silent: "davon ohne Messwerte",
	Readings: "Meldungen", Late: "zu spät für die Mittelwerte", Revisions: "Alle Revisionen", Licence: "Lizenz", JSON: "Dasselbe als JSON", Feed: "Neue Tage als Atom-Feed", Empty: "Noch ist kein Tag abgeschlossen.",
	Notice: export.DisclaimerDE, Demo: "Unter den Quellen sind simulierte Stationen.", Checksum: "SHA-256", Differs: "Geändert gegenüber der Revision davor",
	Without: "Tage ohne Mittel von Stationen", SingleStation: "Mittel einer einzelnen Station als eine Datei", Hours: "Zeitraum",
}

var english = words{
	Language: "en",
	Title:    "Archive", Back: "Overview", Name: "What", Days: "Days", Size: "Size", Revision: "Revision", Missing: "Days without an archive", Download: "Download all of it", Files: "Files",
	Intro:  "Closed days as files. A day is closed two days after its end: until then late readings still count. Later corrections become a new revision; the old one stays.",
	GapsOf: "Stations without readings, in whole hours", EmptyHours: "Hours without a single reading", None: "none", Stations: "Stations", Silent: "of them silent",
	Readings: "Messages", Late: "too late for the averages", Revisions: "All revisions", Licence: "Licence", JSON: "This page as JSON", Feed: "New days as an Atom feed", Empty: "No day is closed yet.",
	Notice: export.Disclaimer, Demo: "Simulated stations are among the sources.", Checksum: "SHA-256", Differs: "Changed since the revision before",
	Without: "Days without means of stations", SingleStation: "Means of a single station as one file", Hours: "Period",
}

// wordsFor returns the texts in the language of ?lang=, else of the browser.
func wordsFor(r *http.Request) words {
	switch r.URL.Query().Get("lang") {
	case "de":
		return german
	case "en":
		return english
	}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "de") {
		return german
	}
	return english
}

// servePage answers with a level as a page for people.
func (a *Archive) servePage(w http.ResponseWriter, r *http.Request, parts []string) error {
	x, err := a.index(parts[1], parts[2], parts[3], revisionName(parts[4]))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	words := wordsFor(r)
	err = pageTemplate.Execute(&b, map[string]any{"W": words, "Head": masthead.HTML(words.Language, strings.TrimSpace("Stadtluft "+a.About.City), "?lang=de", "?lang=en"), "X": x, "Root": Root, "Style": Root + styleName, "Lang": r.URL.Query().Get("lang")})
	if err != nil {
		return fmt.Errorf("archive page: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Language")
	_, _ = w.Write(b.Bytes()) // the client may have gone
	return nil
}

func serveStyle(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(masthead.Style(styleText)) // as above
	return nil
}

// humanBytes returns a size for people, such as 1.4 MB.
func humanBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n), 0
	for size >= 1000 && unit < 4 {
		size /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", size, " kMGT"[unit])
}
