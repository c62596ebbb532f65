package api

import (
	"context"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// getQuality answers with the rules by which numbers are checked, corrected and averaged, and with what was checked on a
// day.
func (s *Server) getQuality(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r)
	day := q.text("day")
	date, err := time.Parse(time.DateOnly, day)
	if day != "" && err != nil {
		q.Fail(wrong("day", "day: %.80q is not a day such as 2026-05-01", day).InGerman("day: %.80q ist kein Tag wie 2026-05-01.", day))
	}
	if err := q.done(); err != nil {
		return err
	}
	answer := export.QualityOf(s.City.Rules, s.City.Correction, s.City.DayOffset)
	if day != "" {
		if answer.Day, err = s.checkedDay(r.Context(), date); err != nil {
			return err
		}
	}
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, "application/json", answer)
}

// checkedDay returns what was checked of a day's stored values.
func (s *Server) checkedDay(ctx context.Context, date time.Time) (*export.QualityDay, error) {
	d := export.CheckedDay{From: date.Add(-s.City.DayOffset)}
	err := s.Store.Readings(ctx, store.ReadingQuery{From: d.From, To: d.From.Add(24 * time.Hour)}, func(r ingest.Reading) error {
		if st, ok := s.Registry.Station(r.Station); ok && !st.Hidden() {
			d.Add(&r)
		}
		return nil
	})
	return &export.QualityDay{Date: date.Format(time.DateOnly), Hours: d.Hours(), Stations: d.Stations()}, err
}

// checkState is what became of a check of a station's hours of the last day.
type checkState struct {
	Check        string `json:"check"`
	NameEnglish  string `json:"name_en"`
	NameGerman   string `json:"name_de"`
	Checked      int    `json:"checked"` // hours of its quantities
	NoNeighbours int    `json:"too_few_neighbours"`
	NoHistory    int    `json:"too_little_history"`
	English      string `json:"english"` // why most could not be checked; empty when they were
	German       string `json:"german"`
}

// checked returns the checks of a station's last 24 hours, in order.
func (s *Server) checked(t live.DayStats) []checkState {
	list := []checkState{}
	for _, check := range ingest.AllChecks() {
		stats, there := t.Checks[check]
		if !there {
			continue
		}
		name := check.Flag().Words()
		state := checkState{Check: check.String(), NameEnglish: name.EN, NameGerman: name.DE, Checked: stats.Checked, NoNeighbours: stats.NoNeighbours, NoHistory: stats.NoHistory}
		if missed := stats.NoNeighbours + stats.NoHistory; missed > stats.Checked {
			result := ingest.NoHistory
			if stats.NoNeighbours >= stats.NoHistory {
				result = ingest.NoNeighbours
			}
			why := export.WhyUnchecked(check, result, &s.City.Rules)
			state.English, state.German = why.EN, why.DE
		}
		list = append(list, state)
	}
	return list
}

// foundFlag is a flag, its description, and the number of a station's values that have it.
type foundFlag struct {
	Values int `json:"values"`
	export.QualityFlag
}

// found returns the flags of a station's last 24 hours, in the order of their bits.
func found(t live.DayStats) []foundFlag {
	list := []foundFlag{}
	for _, f := range ingest.AllFlags() {
		if n := t.Flags[f]; n > 0 {
			list = append(list, foundFlag{n, export.FlagOf(f)})
		}
	}
	return list
}
