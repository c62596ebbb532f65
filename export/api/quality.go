package api

import (
	"net/http"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/ingest"
)

// getQuality answers with the rules by which numbers are checked, corrected and averaged.
func (s *Server) getQuality(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, "application/json", export.QualityOf(s.City.Rules, s.City.Correction, s.City.DayOffset))
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
