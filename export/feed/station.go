package feed

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"stadtluft/export/live"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/store"
)

// silence is how long a station must be quiet before its feed has an entry about it.
const silence = time.Hour

// station answers with a station's feed.
func (s *Service) station(w http.ResponseWriter, r *http.Request) error {
	id, ok := strings.CutSuffix(r.PathValue("file"), ".atom")
	st, known := s.Station(id)
	if !ok || !known || !st.Shown() {
		return httpapi.New(http.StatusNotFound, "", "there is no feed %.80s; a station's is /feeds/stations/ID.atom", r.URL.Path).
			InGerman("Einen Feed %.80s gibt es nicht; der einer Station ist /feeds/stations/ID.atom.", r.URL.Path)
	}
	language := language(r)
	d := document{
		Language: language, ID: identifier(s.City, "station", id), Title: st.Name,
		Subtitle: text{"What is wrong with this station, of the last seven days", "Was mit dieser Station nicht stimmt, aus den letzten sieben Tagen"}.in(language),
		Links:    []link{{Rel: "related", Address: s.Base(r) + "/api/v1/stations/" + id + "/health", Type: "application/json"}},
	}
	t := &stationEntries{Service: s, station: st, language: language, now: time.Now().UTC()}
	if err := t.readings(r.Context()); err != nil {
		return err
	}
	if err := t.refusals(r.Context()); err != nil {
		return err
	}
	page := s.page(r, "/stations/"+id, language)
	for _, e := range t.entries {
		e.Link = &page
		d.Entries = append(d.Entries, e)
	}
	d.Links = append(d.Links, page)
	return s.send(w, r, d, st.Created)
}

// stationEntries collects the entries of a station.
type stationEntries struct {
	*Service
	station  *ingest.Station
	language string
	now      time.Time
	entries  []entry
}

// quiet is how long this station must be quiet: an official one has a value an hour, and comes late.
func (t *stationEntries) quiet() time.Duration {
	if t.station.Official() {
		return live.OfficialSilentAfter
	}
	return silence
}

// add adds an entry; about distinguishes it from the station's other entries.
func (t *stationEntries) add(at time.Time, title, words text, about ...string) {
	about = append([]string{t.City, "station", t.station.ID}, about...)
	t.entries = append(t.entries, newEntry(at, title.in(t.language), words.in(t.language), about...))
}

// refusals adds the refusals of what the station sent.
func (t *stationEntries) refusals(ctx context.Context) error {
	list, err := t.Refusals(ctx, t.station.ID)
	if err != nil {
		return err
	}
	for _, f := range list {
		why := f.Reason.Explain()
		t.add(f.Received, text{"Rejected: " + why.English, "Nicht angenommen: " + why.German},
			text{join(why.English, why.TodoEnglish, f.Detail), join(why.German, why.TodoGerman, cmp.Or(ingest.GermanDetail(f.Detail), f.Detail))},
			"refusal", f.Received.Format(time.RFC3339Nano), string(f.Reason), f.Field, f.Detail)
	}
	return nil
}

func join(parts ...string) string { return strings.Join(parts, "\n") }

// readings adds an entry for each day and flag with values that do not count, and for silences.
func (t *stationEntries) readings(ctx context.Context) error {
	flagged := &flaggedDays{offset: t.DayOffset}
	from := t.now.Add(-Days * 24 * time.Hour)
	var last time.Time
	err := t.Readings(ctx, store.ReadingQuery{From: from, To: t.now.Add(silence), Stations: []string{t.station.ID}}, func(r ingest.Reading) error {
		if !last.IsZero() && r.Time.Sub(last) > t.quiet() {
			t.silent(last, r.Time)
		}
		last = r.Time
		flagged.add(&r)
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range flagged.list {
		t.flagged(d)
	}
	t.silentNow(last)
	return nil
}

// silent adds an entry for a silence that has ended.
func (t *stationEntries) silent(from, to time.Time) {
	t.add(to, text{"Silent for " + span(to.Sub(from)), "Still für " + span(to.Sub(from))}, text{
		fmt.Sprintf("No reading between %s and %s.", stamp(from), stamp(to)),
		fmt.Sprintf("Kein Messwert zwischen %s und %s.", stamp(from), stamp(to)),
	}, "silence", stamp(from))
}

// silentNow adds an entry for a silence that has not ended. When it ends, silent writes the entry with the same id.
func (t *stationEntries) silentNow(last time.Time) {
	if seen := t.Latest(t.station.ID, t.now); last.IsZero() {
		for _, v := range seen.Values {
			if v.Time.After(last) {
				last = v.Time
			}
		}
	}
	if t.station.Status == ingest.Paused {
		return // its owner paused it
	}
	if last.IsZero() {
		since := t.station.Created
		if t.now.Sub(since) > t.quiet() {
			t.add(since.Add(t.quiet()), text{"No reading yet", "Noch kein Messwert"}, advice, "silence", "first")
		}
		return
	}
	if t.now.Sub(last) > t.quiet() {
		t.add(last.Add(t.quiet()), text{"Silent since " + stamp(last), "Still seit " + stamp(last)}, advice, "silence", stamp(last))
	}
}

var advice = text{
	"Is the station powered and in reach of its network? Its page says what came last and what was refused.",
	"Hat die Station Strom und erreicht sie ihr Netz? Ihre Seite sagt, was zuletzt kam und was nicht angenommen wurde.",
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span returns a duration in hours and minutes.
func span(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
}
