package portal

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/masthead"
	"stadtluft/ingest/httpapi/openapi"
)

//go:embed page/page.html
var pageText string

//go:embed page/style.css
var pageStyle []byte

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// Routes returns the routes of the page and of what it needs.
func (p *Portal) Routes() []openapi.Route {
	return []openapi.Route{
		{Method: "GET", Path: "/{$}", Handler: httpapi.With(p.Log, nil, p.page), Free: true},
		{Method: "GET", Path: "/portal.css", Handler: httpapi.With(p.Log, nil, p.style)},
		{Method: "GET", Path: "/icon.svg", Handler: p.Icon},
	}
}

// view is the page in one language.
type view struct {
	Language string
	Title    string
	Base     string // of the portal
	Head     template.HTML
	Cities   []cityView
}

// Words returns a text of the page itself.
func (v view) Words(english, german string) string {
	return bilingual.Of(english, german).In(v.Language)
}

// cityView is a city on the page.
type cityView struct {
	City
	Known    bool // what its air is like
	Demo     bool
	Index    string // name of the index, and its class or why there is none
	Class    string
	Colour   string // of the class; may be empty
	Values   []string
	Stations string
	Time     string // of the last reading, in the city's time; empty for none
	Machine  string // the same for programs
}

func (p *Portal) page(w http.ResponseWriter, r *http.Request) error {
	language := r.URL.Query().Get("lang")
	if !slices.Contains(httpapi.Languages(), language) {
		language = httpapi.Language(r)
	}
	name := strings.TrimSpace("Stadtluft " + p.Name)
	v := view{Language: language, Title: name, Base: p.URL, Head: masthead.WithoutLinks(language, name, "?lang=de", "?lang=en")}
	now := time.Now()
	for _, c := range p.Cities {
		h, known := p.headline(c, now)
		v.Cities = append(v.Cities, viewOf(c, h, known, language))
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Language", language)
	w.Header().Set("Vary", "Accept-Language")
	_, err := w.Write(b.Bytes())
	return err
}

// shown are the quantities of a headline, with their names.
var shown = []struct {
	quantity string
	name     bilingual.Text
}{{"pm2_5", bilingual.Of("PM2.5", "PM2,5")}, {"pm10", bilingual.Of("PM10", "PM10")}, {"no2", bilingual.Of("NO₂", "NO₂")}, {"o3", bilingual.Of("O₃", "O₃")}}

func viewOf(c City, h headline, known bool, language string) cityView {
	v := cityView{City: c, Known: known, Demo: h.Demo}
	in := func(english, german string) string { return bilingual.Of(english, german).In(language) }
	index := h.Indices[h.Index]
	v.Index, v.Class, v.Colour = in(index.NameEnglish, index.NameGerman), in(index.English, index.German), index.Colour
	if index.Reason == "no_particles" {
		v.Class = in("not available", "nicht verfügbar") // as the pages of a city say
	}
	stations := 0
	for _, q := range h.Quantities {
		stations = max(stations, q.Stations)
		for _, s := range shown {
			if s.quantity == q.Quantity {
				v.Values = append(v.Values, s.name.In(language)+" "+decimal(q.Mean, language)+"\u00a0"+q.Unit)
			}
		}
	}
	switch stations {
	case 0:
		v.Stations = in("no station measures now", "zurzeit misst keine Station")
	case 1:
		v.Stations = in("1 station", "1 Station")
	default:
		v.Stations = strconv.Itoa(stations) + in(" stations", " Stationen")
	}
	if h.LastReading != nil {
		v.Machine, v.Time = h.LastReading.UTC().Format(time.RFC3339), clock(*h.LastReading, h.Zone, language)
	}
	return v
}

// decimal returns a value with one decimal.
func decimal(x float64, language string) string {
	text := strconv.FormatFloat(x, 'f', 1, 64)
	if language == "de" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// clock returns a time in a zone.
func clock(at time.Time, zone, language string) string {
	if location, err := time.LoadLocation(cmp.Or(zone, "UTC")); err == nil {
		at = at.In(location)
	}
	if language == "de" {
		return at.Format("2.1.2006, 15:04") + "\u00a0Uhr"
	}
	return at.Format("2 Jan 2006, 15:04")
}

func (p *Portal) style(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(masthead.Style(pageStyle)))
	return nil
}
