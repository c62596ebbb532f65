// Package feed tells by Atom (RFC 4287): which days of the archive are new, and of each station what was refused,
// which values do not count and when it was silent, so that its owner is told without e-mail.
//
// An entry keeps its id for good. A station's feed looks back Days days.
package feed

import (
	"context"
	"encoding/xml"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"stadtluft/export"
	"stadtluft/export/answer"
	"stadtluft/export/live"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Days is how far back a station's feed looks.
const Days = 7

// Source is what the feeds read.
type Source interface {
	ingest.Stations
	export.Archive
	// Latest is what is known of a station at a moment.
	Latest(id string, at time.Time) live.Station
	// Refusals are the last of a station, newest first.
	Refusals(ctx context.Context, id string) ([]ingest.Refusal, error)
	// Readings yields stored readings as store.Store does.
	Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error
	// Meta is what a document says of itself.
	Meta(at time.Time) export.Meta
}

// Service is the feeds of one city.
type Service struct {
	Source
	City      string
	DayOffset time.Duration              // a day begins at midnight UTC minus this
	Base      func(*http.Request) string // the server's address without a slash at its end
	Log       *slog.Logger
}

// Register mounts the feeds.
func (s *Service) Register(mux *http.ServeMux) {
	mux.Handle("GET /feeds/archive.atom", answer.With(s.Log, nil, s.archive))
	mux.Handle("GET /feeds/stations/{file}", answer.With(s.Log, nil, s.station))
}

// text is something in both languages.
type text struct{ en, de string }

func (t text) in(language string) string {
	if language == "de" {
		return t.de
	}
	return t.en
}

// language reads the one parameter there is.
func language(r *http.Request) (string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", answer.Wrong("", "the query cannot be read: %v", err)
	}
	q := answer.NewQuery(values)
	chosen := q.Choice("lang", answer.Language(r), answer.Languages()...)
	return chosen, q.Done()
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

// entry is one thing that happened.
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

// moment sorts entries.
type moment = time.Time

// newEntry makes an entry. What it is about, said once and for good, gives it its id.
func newEntry(at time.Time, title, words string, about ...string) entry {
	at = at.UTC().Truncate(time.Second)
	return entry{ID: identifier(about...), Title: title, Updated: at.Format(time.RFC3339), Content: content{"text", words}, at: at}
}
