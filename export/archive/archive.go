// Package archive keeps closed days as files: each reading, each average and the stations as they were, with checksums,
// schemas and a manifest of what is missing. Files are written once, ahead of all requests, and are what researchers
// download.
//
// A day is closed when nothing can correct its averages any more. It is written into a temporary folder and published
// with one rename. A later change makes a further revision; revisions are never changed or removed. The same data gives
// the same bytes on every machine: no file contains the time of its making.
//
//	DIR/2026/05/01/r1/readings.parquet …   a revision of a day
//	DIR/2026/05/01/spared                  the store may lack the day's readings: they are read from here
//	DIR/.pending/2026-05-01                a day that has something the archive does not have yet
//
// Store joins archive and store, so that readers need not know which of them has a day.
package archive

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/comparison"
)

// Closed is the time between a day's end and its being closed.
const Closed = export.DayClosed

// Archive is the closed days. It is safe for concurrent use, also by several processes.
type Archive struct {
	Dir       string        // a folder of this machine, in which days are built and marked
	Files     Files         // the published files; nil for those in Dir
	DayOffset time.Duration // a day begins at midnight UTC minus this
	Size      int32         // metres, of the cells whose averages are stored
	Meta      export.Meta   // the city's licence and attribution
	About     About
	Rules     Rules
	Stations  Stations
	// Correction is how the means of stations are corrected for humidity.
	Correction aggregate.Correction
	// Compare returns the pairs of the day that starts at start, from the readings of s; nil compares nothing.
	Compare func(ctx context.Context, s comparison.Store, start time.Time) ([]comparison.Pair, error)
	Log     *slog.Logger

	Retention time.Duration // how long the store keeps readings of archived days; 0 = for ever

	joined joinedFiles
	listed listed
	turn   turn
}

// Stations gives the registered stations.
type Stations interface {
	ingest.Stations
	Stations() []*ingest.Station
}

// Rules are the rules in force, as they are stored with the data.
type Rules struct {
	Averaging string            `json:"averaging"` // sentences
	Quality   map[string]string `json:"quality"`   // thresholds of the checks by name
}

// Day is a day of the archive, by its date.
type Day struct{ date time.Time } // midnight UTC of the same name

// ParseDay parses a date such as 2026-05-01.
func ParseDay(text string) (Day, error) {
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Day{}, fmt.Errorf("%q is not a day such as 2026-05-01", text)
	}
	return Day{date}, nil
}

// String returns the day's date.
func (d Day) String() string { return d.date.Format(time.DateOnly) }

// Next returns the day after d.
func (d Day) Next() Day { return Day{d.date.AddDate(0, 0, 1)} }

// Compare compares days by time.
func (d Day) Compare(o Day) int { return d.date.Compare(o.date) }

// DayOf returns the day of a time.
func (a *Archive) DayOf(t time.Time) Day {
	return Day{t.UTC().Add(a.DayOffset).Truncate(24 * time.Hour)}
}

// Period returns the time span of a day: from is included, to is not.
func (a *Archive) Period(d Day) (from, to time.Time) {
	from = d.date.Add(-a.DayOffset)
	return from, from.Add(24 * time.Hour)
}

// IsClosed reports whether nothing can correct the day's averages at now.
func (a *Archive) IsClosed(d Day, now time.Time) bool {
	_, to := a.Period(d)
	return !now.Before(to.Add(Closed))
}

// meta returns the licence and attribution of a document of many days, by the stations that may be in it.
func (a *Archive) meta() export.Meta { return a.Meta.From(a.Stations.Stations()) }

// folder returns the name of a day's folder.
func (a *Archive) folder(d Day) string { return d.date.Format("2006/01/02") }

func (a *Archive) revisionFolder(d Day, revision int) string {
	return path.Join(a.folder(d), "r"+strconv.Itoa(revision))
}

// Revisions returns the revisions of a day, ascending.
func (a *Archive) Revisions(d Day) ([]int, error) {
	names, err := a.list(a.folder(d))
	if err != nil {
		return nil, err
	}
	var revisions []int
	for _, name := range names {
		if n, ok := parseRevision(name); ok {
			revisions = append(revisions, n)
		}
	}
	slices.Sort(revisions)
	return revisions, nil
}

// newest returns a day's latest revision; 0 when it has none.
func (a *Archive) newest(d Day) (int, error) {
	revisions, err := a.Revisions(d)
	if len(revisions) == 0 {
		return 0, err
	}
	return revisions[len(revisions)-1], nil
}

func parseRevision(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, "r")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && strconv.Itoa(n) == digits
}

// Days returns the archived days from first to last, both included, ascending.
func (a *Archive) Days(first, last Day) ([]Day, error) {
	var days []Day
	years, err := a.list(".")
	for _, year := range years {
		if err != nil || year < first.date.Format("2006") || year > last.date.Format("2006") {
			continue
		}
		var months []string
		months, err = a.list(year)
		for _, month := range months {
			var names []string
			if err == nil {
				names, err = a.list(path.Join(year, month))
			}
			for _, name := range names {
				if d, wrong := ParseDay(year + "-" + month + "-" + name); wrong == nil && d.Compare(first) >= 0 && d.Compare(last) <= 0 {
					days = append(days, d)
				}
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return slices.DeleteFunc(days, func(d Day) bool { n, _ := a.newest(d); return n == 0 }), nil
}

// Published returns all archived days.
func (a *Archive) Published(ctx context.Context) ([]export.Day, error) {
	first, last := Ends()
	return a.published(ctx, first, last)
}

func (a *Archive) published(ctx context.Context, first, last Day) ([]export.Day, error) {
	days, err := a.Days(first, last)
	if err != nil {
		return nil, err
	}
	published := make([]export.Day, len(days))
	for i, d := range days {
		revision, err := a.newest(d)
		if err != nil {
			return nil, err
		}
		made, err := a.files().Stat(path.Join(a.revisionFolder(d, revision), sumsName))
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return nil, fmt.Errorf("list the archive: %w", err)
		}
		published[i] = export.Day{Date: d.date, Updated: made.ModTime(), Revision: revision}
	}
	return published, nil
}

// Ends returns a day before and a day after every day that can be archived.
func Ends() (first, last Day) {
	return Day{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)}, Day{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
}
