package feed

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// archive answers with the feed of archived days and of their later revisions.
func (s *Service) archive(w http.ResponseWriter, r *http.Request) error {
	language := language(r)
	days, err := s.Days(r.Context())
	if err != nil {
		return err
	}
	d := document{
		Language: language, ID: identifier(s.City, "archive"),
		Title:    text{"City air of " + s.City + ": the archive", "Stadtluft " + s.City + ": das Archiv"}.in(language),
		Subtitle: text{"Days that can be had as files", "Tage, die es als Dateien gibt"}.in(language),
		Links:    []link{s.page(r, "/archive/", language)},
	}
	for _, day := range slices.Backward(days) {
		date := day.Date.Format(time.DateOnly)
		title := text{"The day " + date, "Der Tag " + date}
		if day.Revision > 1 {
			title = text{fmt.Sprintf("The day %s, revision %d", date, day.Revision), fmt.Sprintf("Der Tag %s, Revision %d", date, day.Revision)}
		}
		e := newEntry(day.Updated, title.in(language), text{
			"Readings, averages and stations of this day, with checksums and what is known of gaps.",
			"Messwerte, Mittel und Stationen dieses Tages, mit Prüfsummen und dem, was über Lücken bekannt ist.",
		}.in(language), s.City, "archive", date, strconv.Itoa(day.Revision))
		e.Link = new(s.page(r, day.ArchivePath(), language))
		d.Entries = append(d.Entries, e)
	}
	return s.send(w, r, d, began)
}

// began is the time of update of a feed without entries.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
