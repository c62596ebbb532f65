// Package feed publishes Atom feeds (RFC 4287): the new days of the archive and, for each station, what was refused,
// which values do not count and when it was silent, so that its owner learns of it without e-mail.
//
// An entry keeps its id for ever. A station's feed goes back Days days.
package feed

import (
	"cmp"
	"context"
	"encoding/xml"
	"log/slog"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/store"
)

// Days is how many days a station's feed goes back.
const Days = 7

// Source gives the feeds their data.
type Source interface {
	ingest.Stations
	export.Archive
	// Latest returns a station's latest values at a moment.
	Latest(id string, at time.Time) live.Station
	// Refusals returns a station's last refusals, newest first.
	Refusals(ctx context.Context, id string) ([]ingest.Refusal, error)
	// Readings yields stored readings as store.Store does.
	Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error
	// Meta returns the licence, the attribution and the time of a document made at a moment.
	Meta(at time.Time) export.Meta
}

// Service serves the feeds of one city.
type Service struct {
	Source
	City      string
	DayOffset time.Duration              // a day begins at midnight UTC minus this
	Base      func(*http.Request) string // the server's address without a slash at its end
	Log       *slog.Logger
}

// Routes returns the routes of the feeds.
func (s *Service) Routes() []openapi.Route {
	language := openapi.Parameter{Name: "lang", Choices: httpapi.Languages(), About: bilingual.Text{
		EN: "the feed’s language; without it the one that Accept-Language asks for", DE: "Sprache des Feeds; sonst die, um die Accept-Language bittet"}}
	file := openapi.Parameter{Name: "file", About: bilingual.Text{EN: "the station’s id and .atom", DE: "Kennung der Station und .atom"}}
	atom := []openapi.Answer{{Forms: []openapi.Content{{Type: mediaType}}}}
	return []openapi.Route{{
		Method: "GET", Path: "/feeds/archive.atom", Handler: httpapi.With(s.Log, nil, s.archive), Group: "catalogue", ID: "getArchiveFeed",
		Summary:    bilingual.Text{EN: "New days of the archive, as an Atom feed.", DE: "Neue Tage des Archivs als Atom-Feed."},
		Parameters: []openapi.Parameter{language}, Answers: atom,
	}, {
		Method: "GET", Path: "/feeds/stations/{file}", Handler: httpapi.With(s.Log, nil, s.station), Group: "catalogue", ID: "getStationFeed",
		Summary:    bilingual.Text{EN: "What is wrong with a station, as an Atom feed.", DE: "Was mit einer Station nicht stimmt, als Atom-Feed."},
		Parameters: []openapi.Parameter{file, language}, Answers: atom,
	}}
}

// text is a text in both languages.
type text bilingual.Text

func (t text) in(language string) string { return bilingual.Text(t).In(language) }

// language returns the language of a request, by its parameter or by what the client accepts.
func language(r *http.Request) string {
	return cmp.Or(httpapi.NewQuery(r).Text("lang"), httpapi.Language(r))
}

// document is an Atom feed (RFC 4287, section 4.1.1).
type document struct {
	XMLName   xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Language  string   `xml:"xml:lang,attr"`
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Subtitle  string   `xml:"subtitle"`
	Updated   string   `xml:"updated"`
	Author    string   `xml:"author>name"`
	Rights    string   `xml:"rights"`
	Generator string   `xml:"generator"`
	Links     []link   `xml:"link"`
	Entries   []entry  `xml:"entry"`
}

type link struct {
	Rel      string `xml:"rel,attr"`
	Address  string `xml:"href,attr"`
	Type     string `xml:"type,attr,omitempty"`
	Language string `xml:"hreflang,attr,omitempty"`
}

// entry is an entry of a feed.
type entry struct {
	ID      string  `xml:"id"`
	Title   string  `xml:"title"`
	Updated string  `xml:"updated"`
	Link    *link   `xml:"link,omitempty"`
	Content content `xml:"content"`
	at      moment  `xml:"-"`
}

type content struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// moment is a time by which entries are sorted.
type moment = time.Time

// newEntry returns an entry; its id is made of about, which must never change.
func newEntry(at time.Time, title, words string, about ...string) entry {
	at = at.UTC().Truncate(time.Second)
	return entry{ID: identifier(about...), Title: title, Updated: at.Format(time.RFC3339), Content: content{"text", words}, at: at}
}
