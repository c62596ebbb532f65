package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/comparison"
)

// comparisonFolder holds the comparison with official stations, which can be made again from the stored readings.
const comparisonFolder = "comparison"

// NewComparer returns what compares the city's stations with official ones.
func NewComparer(c Config, stations comparison.Stations, store comparison.Store, log *slog.Logger) *comparison.Comparer {
	return &comparison.Comparer{
		Store: store, Stations: stations, Correction: c.Correction(), DayOffset: c.DayOffset(), Folder: filepath.Join(c.Data, comparisonFolder), Log: log,
	}
}

// comparing returns the part that compares each night.
func comparing(b *base, c *comparison.Comparer) part {
	return part{name: "comparison", run: c.Run, problems: func(_ context.Context, add addProblem) {
		if r, ok := c.Latest(); ok {
			if text := uncompared(b.config.QualityKappa, r); text != "" {
				add("comparison", notice{fmt.Errorf("%s", text)}, "see the page /comparison, and deploy/README.md on official stations")
			}
		}
	}}
}

// uncompared returns what an operator should know of the humidity correction by the last comparison; empty when kappa is
// the city's own.
func uncompared(kappa float64, r *comparison.Result) string {
	if !r.Compared() {
		return fmt.Sprintf("particles are corrected for humidity with kappa %v, and nothing has been compared with official instruments here: stadtluft import official brings them in", kappa)
	}
	for _, k := range r.Kappas {
		if k.Quantity == quantity.PM2_5.String() && (kappa < k.Low || kappa > k.High) {
			return fmt.Sprintf("quality.kappa is %v; the comparison with official instruments over %d days proposes %v (%v to %v)", kappa, k.Days, k.Proposed, k.Low, k.High)
		}
	}
	return ""
}
