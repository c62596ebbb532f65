package notices

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// facts are what a notice is made of, besides the station.
type facts struct {
	refusal *ingest.Refusal      // after the last reading; nil when there is none
	flags   map[ingest.Flags]int // of the last 24 hours
	week    Summary
	link    string // of the confirmation
}

// Summary is a station's week.
type Summary struct {
	From, To   time.Time
	Hours      int // in which something was measured
	Values     int
	Good       int // of them
	Quantities []Spread
}

// Spread is how the good values of a quantity lie.
type Spread struct {
	Quantity       quantity.Quantity
	Mean, Min, Max float64
}

// words is a notice in one language.
type words struct {
	title      string
	paragraphs []string
	links      []link
}

type link struct{ Text, Address string }

// say adds a paragraph.
func (w *words) say(text bilingual.Text, language string, args ...any) {
	w.paragraphs = append(w.paragraphs, fmt.Sprintf(text.In(language), args...))
}

// writer writes notices about a station.
type writer struct {
	station  *ingest.Station
	language string
	city     string
	base     string // of the pages, without a slash at its end
}

func (t writer) in(text bilingual.Text) string { return text.In(t.language) }

// time returns a time in the station's zone.
func (t writer) time(at time.Time) string {
	zone := t.station.Location
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format(t.in(bilingual.Of("2 January 2006, 15:04", "02.01.2006, 15:04 Uhr")))
}

func (t writer) date(at time.Time) string {
	zone := t.station.Location
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format(t.in(bilingual.Of("2 January", "02.01.")))
}

// page returns the address of the station's page.
func (t writer) page() string { return t.base + "/stations/" + t.station.ID }

// write returns a notice. A confirmation names the station by its id alone: its name is what a stranger may have written.
func (t writer) write(n registry.Notice, f facts) words {
	var w words
	name := t.station.Name
	switch n.Kind {
	case registry.Confirm:
		w.title = fmt.Sprintf(t.in(bilingual.Of("Confirm notices of station %s", "Nachrichten der Station %s bestätigen")), t.station.ID)
		w.say(bilingual.Of("Somebody, probably you, wants to be told of station %s of Stadtluft %s at this address.",
			"Jemand, vermutlich du, möchte an dieser Adresse Nachrichten über die Station %s von Stadtluft %s bekommen."), t.language, t.station.ID, t.city)
		w.say(bilingual.Of("Open the link and confirm. Without that nothing comes any more, and the address is deleted after %d days.",
			"Öffne den Link und bestätige das. Sonst kommt nichts mehr, und die Adresse wird nach %d Tagen gelöscht."), t.language, int(registry.ConfirmTime.Hours()/24))
		w.links = []link{{t.in(bilingual.Of("Confirm", "Bestätigen")), f.link}}
		return w
	case registry.Hello:
		w.title = name
		w.say(bilingual.Of("Stadtluft %s tells you here when something is the matter with your station.", "Stadtluft %s meldet sich hier, wenn mit deiner Station etwas ist."), t.language, t.city)
	case registry.Silent:
		t.silent(&w, n, f)
	case registry.Check:
		t.check(&w, n, f)
	case registry.Back:
		t.back(&w, n)
	case registry.Week:
		t.week(&w, f.week)
	}
	w.links = []link{{t.in(bilingual.Of("Your station’s page", "Die Seite deiner Station")), t.page()}}
	return w
}

func (t writer) silent(w *words, n registry.Notice, f facts) {
	w.title = t.station.Name + t.in(bilingual.Of(" is silent", " ist still"))
	if n.Since.IsZero() {
		w.say(bilingual.Of("Nothing has been measured by your station “%s” (%s) for a day or longer.", "Von deiner Station „%s“ (%s) kam seit einem Tag oder länger kein Messwert."), t.language, t.station.Name, t.station.ID)
	} else {
		w.say(bilingual.Of("The last reading of your station “%s” (%s) came on %s.", "Der letzte Messwert deiner Station „%s“ (%s) kam am %s."), t.language, t.station.Name, t.station.ID, t.time(n.Since))
	}
	if r := f.refusal; r != nil {
		why := r.Reason.Explain()
		w.say(bilingual.Of("It still sends: on %s something came that was not accepted.", "Sie sendet noch: Am %s kam etwas, das nicht angenommen wurde."), t.language, t.time(r.Received))
		w.say(bilingual.Of("%s", "%s"), t.language, t.in(bilingual.Of(why.English+" "+why.TodoEnglish, why.German+" "+why.TodoGerman)))
		return
	}
	w.say(bilingual.Of("Does it have power, and is its Wi-Fi there? If both are, restart it. Its page says what came last. If you have put it away on purpose, pause it there with your management link.",
		"Hat sie Strom, und ist ihr WLAN da? Wenn ja, starte sie neu. Ihre Seite sagt, was zuletzt kam. Hast du sie mit Absicht weggestellt, dann lass sie dort mit deinem Verwaltungslink Pause machen."), t.language)
}

func (t writer) check(w *words, n registry.Notice, f facts) {
	w.title = t.station.Name + t.in(bilingual.Of(" needs a look", " braucht einen Blick"))
	w.say(bilingual.Of("Your station “%s” (%s) reports, but since %s more than half of its values do not count.",
		"Deine Station „%s“ (%s) meldet sich, aber seit dem %s zählt mehr als die Hälfte ihrer Werte nicht."), t.language, t.station.Name, t.station.ID, t.time(n.Since))
	var worst ingest.Flags
	for _, flag := range ingest.AllFlags() {
		if flag&ingest.Excluding != 0 && f.flags[flag] > f.flags[worst] {
			worst = flag
		}
	}
	if worst != 0 {
		why := worst.Explain()
		w.say(bilingual.Of("%s", "%s"), t.language, t.in(bilingual.Of(why.English+" "+why.TodoEnglish, why.German+" "+why.TodoGerman)))
	}
	w.say(bilingual.Of("Nothing is lost: the values are kept, and count in no average.", "Nichts ist verloren: Die Werte bleiben, sie gehen nur in kein Mittel ein."), t.language)
}

func (t writer) back(w *words, n registry.Notice) {
	if n.Of == registry.Check {
		w.title = t.station.Name + t.in(bilingual.Of(" counts again", " zählt wieder"))
		w.say(bilingual.Of("The values of your station “%s” (%s) count again. Most had not since %s.",
			"Die Werte deiner Station „%s“ (%s) zählen wieder. Die meisten taten es seit dem %s nicht."), t.language, t.station.Name, t.station.ID, t.time(n.Since))
		return
	}
	w.title = t.station.Name + t.in(bilingual.Of(" is back", " ist wieder da"))
	w.say(bilingual.Of("Your station “%s” (%s) measures again. It had been silent since %s.",
		"Deine Station „%s“ (%s) misst wieder. Sie war seit dem %s still."), t.language, t.station.Name, t.station.ID, t.time(n.Since))
}

func (t writer) week(w *words, s Summary) {
	w.title = t.station.Name + t.in(bilingual.Of(": your station this week", ": deine Station in dieser Woche"))
	if s.Values == 0 {
		w.say(bilingual.Of("Your station “%s” (%s) measured nothing from %s to %s.", "Deine Station „%s“ (%s) hat vom %s bis %s nichts gemessen."), t.language, t.station.Name, t.station.ID, t.date(s.From), t.date(s.To.Add(-time.Hour)))
		return
	}
	w.say(bilingual.Of("Your station “%s” (%s) measured in %[5]d of %[6]d hours from %[3]s to %[4]s: %[7]d values, of which %[8]d %% count.",
		"Deine Station „%s“ (%s) hat vom %[3]s bis %[4]s in %[5]d von %[6]d Stunden gemessen: %[7]d Werte, von denen %[8]d %% zählen."), t.language,
		t.station.Name, t.station.ID, t.date(s.From), t.date(s.To.Add(-time.Hour)), s.Hours, int(s.To.Sub(s.From).Hours()), s.Values, s.Good*100/s.Values)
	for _, q := range s.Quantities {
		unit := strings.TrimSuffix(" "+q.Quantity.Unit(), " 1")
		w.paragraphs = append(w.paragraphs, fmt.Sprintf(t.in(bilingual.Of("%s: mean %s%s, from %s to %s", "%s: im Mittel %s%s, von %s bis %s")),
			quantityWords(q.Quantity).In(t.language), t.number(q.Mean), unit, t.number(q.Min), t.number(q.Max)))
	}
}

func (t writer) number(x float64) string {
	text := fmt.Sprintf("%.1f", x)
	if t.language == "de" {
		return strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Names of quantities that need words; the others have a formula.
var names = map[quantity.Quantity]bilingual.Text{
	quantity.Temperature: bilingual.Of("temperature", "Temperatur"), quantity.Humidity: bilingual.Of("humidity", "Luftfeuchte"), quantity.Pressure: bilingual.Of("air pressure", "Luftdruck"),
	quantity.NoiseLAeq: bilingual.Of("noise", "Lärm"), quantity.PM1: bilingual.Of("PM1", "PM1"), quantity.PM2_5: bilingual.Of("PM2.5", "PM2,5"), quantity.PM4: bilingual.Of("PM4", "PM4"), quantity.PM10: bilingual.Of("PM10", "PM10"),
}

func quantityWords(q quantity.Quantity) bilingual.Text {
	if text, ok := names[q]; ok {
		return text
	}
	text := strings.ToUpper(q.String())
	return bilingual.Of(text, text)
}

// Told reports whether a week's summary has a quantity: not what tells of the device.
func Told(q quantity.Quantity) bool {
	return !slices.Contains([]quantity.Quantity{quantity.Battery, quantity.RSSI, quantity.VOCIndex, quantity.NOxIndex}, q)
}

// letter returns a notice as a mail with an address to unsubscribe.
func (t writer) letter(w words, unsubscribe string) letter {
	foot := fmt.Sprintf(t.in(bilingual.Of("Stadtluft %s sent this automatically. You manage the station with your management link, which is never in a mail; if it is lost, the city can renew it.",
		"Stadtluft %s hat das automatisch verschickt. Verwalten kannst du die Station mit deinem Verwaltungslink, der nie in einer Mail steht; ist er verloren, kann die Stadt ihn erneuern.")), t.city)
	stop := link{t.in(bilingual.Of("No more mails to this address", "Keine Mails mehr an diese Adresse")), unsubscribe}
	var text strings.Builder
	for _, p := range w.paragraphs {
		text.WriteString(wrapped(p) + "\n\n")
	}
	for _, l := range w.links {
		fmt.Fprintf(&text, "%s:\n%s\n\n", l.Text, l.Address)
	}
	fmt.Fprintf(&text, "-- \n%s\n%s:\n%s\n", wrapped(foot), stop.Text, stop.Address)
	var html strings.Builder
	_ = page.Execute(&html, map[string]any{"Language": t.language, "Title": w.title, "Paragraphs": w.paragraphs, "Links": w.links, "Foot": foot, "Stop": stop}) // a Builder takes everything
	return letter{language: t.language, subject: w.title, text: text.String(), html: html.String(), unsubscribe: unsubscribe}
}

var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body style="font-family:sans-serif;line-height:1.5;max-width:36em">
{{range .Paragraphs}}<p>{{.}}</p>
{{end}}{{range .Links}}<p><a href="{{.Address}}">{{.Text}}</a></p>
{{end}}<hr><p style="font-size:smaller">{{.Foot}}<br><a href="{{.Stop.Address}}">{{.Stop.Text}}</a></p>
</body></html>
`))

// lineWidth is the width of lines in the text of a mail (RFC 5322, section 2.1.1: at most 78 characters).
const lineWidth = 76

// wrapped breaks a paragraph into lines.
func wrapped(text string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		switch n := len([]rune(word)); {
		case i == 0:
			width = n
		case width+1+n > lineWidth:
			b.WriteByte('\n')
			width = n
		default:
			b.WriteByte(' ')
			width += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}
