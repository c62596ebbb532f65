package feed

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/httpapitest"
	"stadtluft/ingest/store"
)

// town has one station, with its readings and refusals.
type town struct {
	now      time.Time // when the test began, a full minute
	station  *ingest.Station
	readings []ingest.Reading
	refusals []ingest.Refusal
	days     []export.Day
	seen     live.Station
	fail     error
}

const id = "AAAAAA1"

func newTown() *town {
	now := time.Now().UTC().Truncate(time.Minute)
	created := now.AddDate(0, 0, -60)
	return &town{now: now, station: &ingest.Station{
		ID: id, Name: "Balkon <Süd> & Nord", Status: ingest.Active, Email: "owner@example.org", Created: created, Places: []ingest.Place{{From: created}},
	}}
}

// measure adds readings every ten minutes in a period given as ages.
func (w *town) measure(from, to time.Duration, flags ingest.Flags) {
	for ago := from; ago > to; ago -= 10 * time.Minute {
		at := w.now.Add(-ago)
		w.readings = append(w.readings, ingest.Reading{Station: id, Time: at, Received: at, Values: []ingest.Value{
			{Quantity: quantity.PM2_5, Value: 5, Flags: flags}, {Quantity: quantity.Temperature, Value: 14},
		}})
	}
}

func (w *town) Station(name string) (*ingest.Station, bool) { return w.station, name == id }

func (w *town) Days(context.Context) ([]export.Day, error) { return w.days, w.fail }

func (w *town) Latest(string, time.Time) live.Station { return w.seen }

func (w *town) Refusals(context.Context, string) ([]ingest.Refusal, error) { return w.refusals, w.fail }

func (w *town) Readings(_ context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	for _, r := range w.readings {
		if !r.Time.Before(q.From) && r.Time.Before(q.To) {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return w.fail
}

func (w *town) Meta(at time.Time) export.Meta {
	return export.Meta{Licence: "dl-by-de/2.0", Attribution: "Stadt Köln", Generated: at}
}

// read is a feed as a reader decodes it.
type read struct {
	XMLName  xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
	Language string     `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	IDs      []string   `xml:"id"`
	Titles   []string   `xml:"title"`
	Updated  []string   `xml:"updated"`
	Authors  []string   `xml:"author>name"`
	Links    []readLink `xml:"link"`
	Entries  []struct {
		IDs     []string   `xml:"id"`
		Titles  []string   `xml:"title"`
		Updated []string   `xml:"updated"`
		Links   []readLink `xml:"link"`
		Content []struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

type readLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

func ask(t *testing.T, w *town, address string) (*http.Response, string) {
	t.Helper()
	s := &Service{Source: w, City: "Köln", DayOffset: time.Hour, Base: func(*http.Request) string { return "https://luft.example.org" }, Log: slog.New(slog.DiscardHandler)}
	response, body := httpapitest.Serve(t, s.Routes()).Do("GET", address, "")
	return response, string(body)
}

var uuid = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// get reads a feed and checks the requirements of RFC 4287 for every feed.
func get(t *testing.T, w *town, address string) read {
	t.Helper()
	response, body := ask(t, w, address)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Fatalf("%s: %s %s: %s", address, response.Status, response.Header.Get("Content-Type"), body)
	}
	var f read
	if err := xml.Unmarshal([]byte(body), &f); err != nil {
		t.Fatalf("%s: %v: %s", address, err, body)
	}
	one := func(what string, list []string) string {
		t.Helper()
		if len(list) != 1 || list[0] == "" { // 4.1.1 and 4.1.2: exactly one of each
			t.Fatalf("%s: %s is %q, want exactly one", address, what, list)
		}
		return list[0]
	}
	moment := func(text string) time.Time {
		t.Helper()
		at, err := time.Parse(time.RFC3339, text) // 3.3
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
		return at
	}
	one("title", f.Titles)
	one("author", f.Authors) // 4.1.1: of the feed, since entries have none
	if got := one("id", f.IDs); !uuid.MatchString(got) {
		t.Errorf("%s: id %q is no UUID", address, got)
	}
	newest := moment(one("updated", f.Updated))
	self := 0
	for _, l := range f.Links {
		if l.Rel == "self" && strings.HasPrefix(l.Href, "https://luft.example.org/feeds/") {
			self++
		}
	}
	if self != 1 { // 4.1.1: should have one
		t.Errorf("%s: %d links to itself", address, self)
	}
	ids := map[string]bool{}
	for i, e := range f.Entries {
		one("an entry's title", e.Titles)
		at := moment(one("an entry's updated", e.Updated))
		if i == 0 && !at.Equal(newest) || at.After(newest) {
			t.Errorf("%s: updated %s, with an entry of %s", address, newest, at)
		}
		if got := one("an entry's id", e.IDs); ids[got] || !uuid.MatchString(got) {
			t.Errorf("%s: id %q comes twice or is no UUID", address, got)
		}
		ids[e.IDs[0]] = true
		if len(e.Content) != 1 || e.Content[0].Type != "text" || e.Content[0].Text == "" { // 4.1.2: else a link rel=alternate
			t.Errorf("%s: content %+v", address, e.Content)
		}
	}
	return f
}

// titles returns the titles of the entries with their times.
func (f *read) titles() string {
	var list []string
	for _, e := range f.Entries {
		list = append(list, e.Titles[0])
	}
	return strings.Join(list, "; ")
}

const address = "/feeds/stations/" + id + ".atom"

func TestArchive(t *testing.T) {
	w := newTown()
	if f := get(t, w, "/feeds/archive.atom"); len(f.Entries) != 0 {
		t.Errorf("entries without an archive: %s", f.titles())
	}
	day := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	w.days = []export.Day{{Date: day, Updated: day.AddDate(0, 0, 5), Revision: 2}, {Date: day.AddDate(0, 0, 1), Updated: day.AddDate(0, 0, 4), Revision: 1}}
	f := get(t, w, "/feeds/archive.atom?lang=en")
	if got, want := f.titles(), "The day 2026-05-01, revision 2; The day 2026-05-02"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if l := f.Entries[0].Links; len(l) != 1 || l[0].Rel != "alternate" || l[0].Href != "https://luft.example.org/archive/2026/05/01/?lang=en" {
		t.Errorf("links %+v", l)
	}
	first := f.Entries[0].IDs[0]
	w.days[0].Revision = 3 // a further revision is news
	if got := get(t, w, "/feeds/archive.atom"); got.Entries[0].IDs[0] == first || got.Entries[1].IDs[0] != f.Entries[1].IDs[0] {
		t.Errorf("ids after a revision: %s, before %s", got.Entries[0].IDs, first)
	}
	for i := range 2 * maxEntries {
		w.days = append(w.days, export.Day{Date: day.AddDate(0, 0, 2+i), Updated: day.AddDate(0, 0, 6+i), Revision: 1})
	}
	if f := get(t, w, "/feeds/archive.atom"); len(f.Entries) != maxEntries || f.Entries[0].Links[0].Href != "https://luft.example.org"+w.days[len(w.days)-1].ArchivePath()+"?lang=en" {
		t.Errorf("%d entries of %d days", len(f.Entries), len(w.days))
	}
	w.days[1].Updated, w.days[1].Revision = w.days[len(w.days)-1].Updated.Add(time.Hour), 2 // of a day long ago
	if f := get(t, w, "/feeds/archive.atom"); f.Entries[0].Titles[0] != "The day 2026-05-02, revision 2" {
		t.Errorf("a revision of an old day is not the news: %s", f.Entries[0].Titles)
	}
	for i := range w.days {
		w.days[i].Updated = began // all at once
	}
	if f := get(t, w, "/feeds/archive.atom"); f.Entries[0].Links[0].Href != "https://luft.example.org"+w.days[len(w.days)-1].ArchivePath()+"?lang=en" {
		t.Errorf("of days written at once the first is %s", f.Entries[0].Titles)
	}
}

func TestAHealthyStationHasNoEntries(t *testing.T) {
	w := newTown()
	w.measure(8*24*time.Hour, 0, ingest.Humid) // which does not keep a value from counting
	if f := get(t, w, address); len(f.Entries) != 0 || f.Titles[0] != w.station.Name || f.Updated[0] != w.station.Created.Format(time.RFC3339) {
		t.Errorf("%s, updated %s: %s", f.Titles, f.Updated, f.titles())
	}
}

func TestSilence(t *testing.T) {
	w := newTown()
	w.measure(30*time.Hour, 20*time.Hour, 0)
	w.measure(15*time.Hour, 3*time.Hour, 0)
	last := w.readings[len(w.readings)-1].Time
	f := get(t, w, address+"?lang=en")
	if got, want := f.titles(), "Silent since "+last.Format(time.RFC3339)+"; Silent for 5 h 10 min"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if got, want := f.Entries[0].Updated[0], last.Add(time.Hour).Format(time.RFC3339); got != want {
		t.Errorf("it is silent from %s on, want %s", got, want)
	}
	lasting := f.Entries[0].IDs[0]
	w.measure(30*time.Minute, 0, 0) // it sends again
	f = get(t, w, address+"?lang=en")
	if got, want := f.titles(), "Silent for 2 h 40 min; Silent for 5 h 10 min"; got != want || f.Entries[0].IDs[0] != lasting {
		t.Errorf("%s, %s, want %s with the id %s", got, f.Entries[0].IDs, want, lasting)
	}
}

// TestAnOfficialStationIsLate has the readings above: 5 h 10 min and 3 h are no silence of a station that sends hours, late.
func TestAnOfficialStationIsLate(t *testing.T) {
	w := newTown()
	w.station.Source = ingest.UBA
	w.measure(30*time.Hour, 20*time.Hour, 0)
	w.measure(15*time.Hour, 3*time.Hour, 0)
	if f := get(t, w, address+"?lang=en"); len(f.Entries) != 0 {
		t.Errorf("%s", f.titles())
	}
	w.readings = w.readings[:60] // the last is from 20 h 10 min ago
	if f := get(t, w, address+"?lang=en"); !strings.HasPrefix(f.titles(), "Silent since ") {
		t.Errorf("after 20 hours: %s", f.titles())
	}
}

func TestAStationThatNeverSent(t *testing.T) {
	w := newTown()
	if got := get(t, w, address+"?lang=de"); got.titles() != "Noch kein Messwert" {
		t.Errorf("%s", got.titles())
	}
	long := w.now.AddDate(0, 0, -20)
	w.seen.Values = map[quantity.Quantity]live.Latest{quantity.PM10: {Time: long}}
	if got, want := get(t, w, address+"?lang=de"), "Still seit "+long.Format(time.RFC3339); got.titles() != want {
		t.Errorf("%s, want %s", got.titles(), want)
	}
	w.station.Status = ingest.Paused
	if got := get(t, w, address); len(got.Entries) != 0 {
		t.Errorf("a station that pauses: %s", got.titles())
	}
}

func TestFlags(t *testing.T) {
	w := newTown()
	w.measure(72*time.Hour, 0, ingest.Stuck|ingest.Humid)
	f := get(t, w, address+"?lang=en")
	days := map[string]int{}
	for _, r := range w.readings {
		days[r.Time.Add(time.Hour).Format(time.DateOnly)]++ // the city's day begins an hour before midnight UTC
	}
	if len(f.Entries) != len(days) {
		t.Errorf("%d entries for %d days: %s", len(f.Entries), len(days), f.titles())
	}
	for _, e := range f.Entries {
		date, _, _ := strings.Cut(e.Titles[0], ":")
		want := fmt.Sprintf("%s\nValues with the flag stuck on this day: pm2_5: %d.", ingest.Stuck.Explain().TodoEnglish, days[date])
		if e.Titles[0] != date+": values do not count: has not changed for hours" || !strings.HasPrefix(e.Content[0].Text, want) {
			t.Errorf("%s: %s, want %s", e.Titles, e.Content[0].Text, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newTown()
	w.measure(time.Hour, 0, 0)
	at := w.now.Add(-time.Minute)
	w.refusals = []ingest.Refusal{
		{Station: id, Received: at, Reason: wire.Malformed, Detail: `not JSON: "<&>"`}, {Station: id, Received: at, Reason: wire.Malformed, Field: "pm10", Detail: "x"},
	}
	english, german := get(t, w, address+"?lang=en"), get(t, w, address+"?lang=de")
	if len(english.Entries) != 2 || english.Language != "en" || german.Language != "de" {
		t.Fatalf("%s; %s", english.titles(), german.titles())
	}
	why := wire.Malformed.Explain()
	for i, e := range english.Entries {
		if e.IDs[0] != german.Entries[i].IDs[0] || e.Titles[0] != "Rejected: "+why.English || german.Entries[i].Titles[0] != "Nicht angenommen: "+why.German {
			t.Errorf("%s %s, in German %s %s", e.IDs, e.Titles, german.Entries[i].IDs, german.Entries[i].Titles)
		}
		if !strings.Contains(e.Content[0].Text, why.TodoEnglish) {
			t.Errorf("it does not say what to do: %s", e.Content[0].Text)
		}
	}
	all := english.Entries[0].Content[0].Text + english.Entries[1].Content[0].Text
	if !strings.Contains(all, `not JSON: "<&>"`) {
		t.Errorf("the detail is missing: %s", all)
	}
}

func TestBadRequests(t *testing.T) {
	w := newTown()
	f := func(address string, want int) {
		t.Helper()
		if response, body := ask(t, w, address); response.StatusCode != want || response.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(body, "gone") {
			t.Errorf("%s: %s %s, want %d", address, response.Status, body, want)
		}
	}
	f("/feeds/stations/0000000.atom", 404)
	f("/feeds/stations/"+id, 404)
	f(address+"?lang=fr", 400)
	f(address+"?x=1", 400)
	f("/feeds/archive.atom?x=1", 400)
	w.fail = errors.New("the disk is gone")
	f(address, 503)
	f("/feeds/archive.atom", 503)
	w.fail, w.station.Status = nil, ingest.Retired
	f(address, 404)
}

func TestNothingPrivate(t *testing.T) {
	_, body := ask(t, newTown(), address)
	if strings.Contains(body, "owner@") {
		t.Error("the owner's address is told")
	}
}

// RFC 9562, appendix A.4: the UUID of www.example.com in the namespace of names of hosts.
func TestIdentifier(t *testing.T) {
	hosts := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	if got, want := named(hosts, "www.example.com"), "urn:uuid:2ed6657d-e927-568b-95e1-2665a8aea6a2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The README names how far feeds go back.
func TestPromise(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("on which of the last %d days", Days); !strings.Contains(string(page), want) {
		t.Errorf("export/README.md does not say %q", want)
	}
}
