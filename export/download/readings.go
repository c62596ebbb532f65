package download

import (
	"context"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Resolution is the time resolution of readings.
type Resolution string

// The resolutions.
const (
	Raw         Resolution = "raw" // single values
	FiveMinutes Resolution = "5m"  // means per station, as the next two
	Hours       Resolution = "1h"
	Days        Resolution = "1d"
)

// Resolutions returns all resolutions, the finest first.
func Resolutions() []string {
	return []string{string(Raw), string(FiveMinutes), string(Hours), string(Days)}
}

// Window returns the window of the means; it has no meaning for Raw.
func (r Resolution) Window() aggregate.Window {
	switch r {
	case FiveMinutes:
		return aggregate.Slot
	case Days:
		return aggregate.Day
	}
	return aggregate.Hour
}

// Readings is a query for readings with From <= time < To, or for means of windows that start then.
type Readings struct {
	From, To   time.Time
	Resolution Resolution
	Quantities []quantity.Quantity  // empty = all
	Stations   []string             // empty = all
	Within     func(orb.Point) bool // nil = everywhere; called with public places only
	OnlyGood   bool                 // means have good values only in any case
	Hidden     bool                 // also those of hidden stations, for the archive
	Source     string               // one of export.Sources
}

// Of returns the stations whose data the query can select.
func (q Readings) Of(s Stations) []*ingest.Station {
	return slices.DeleteFunc(slices.Clone(s.Stations()), func(st *ingest.Station) bool {
		return !export.IsFrom(st, q.Source) || len(q.Stations) > 0 && !slices.Contains(q.Stations, st.ID)
	})
}

// takes reports whether the query selects a station's values at a moment, by its public place then.
func (q *Readings) takes(s Stations, id string, at time.Time) bool {
	st, known := s.Station(id)
	if q.hides(st) {
		return false
	}
	if q.Within == nil && q.Source == export.AllSources {
		return true
	}
	return known && export.IsFrom(st, q.Source) && (q.Within == nil || q.Within(st.PlaceAt(at).Public))
}

// hides reports whether a station's values are kept back: it is hidden, and was not named. Who may name it is for the
// caller to know.
func (q *Readings) hides(st *ingest.Station) bool {
	return st != nil && st.Hidden() && !q.Hidden && !slices.Contains(q.Stations, st.ID)
}

// Readings adds the selected readings, ascending by time, then station.
func (s Source) Readings(ctx context.Context, q Readings, add func(ingest.Reading) error) error {
	selection := store.ReadingQuery{From: q.From, To: q.To, Stations: q.Stations, Quantities: q.Quantities}
	return s.Store.Readings(ctx, selection, func(r ingest.Reading) error {
		if !q.takes(s.Stations, r.Station, r.Time) {
			return nil
		}
		if q.OnlyGood {
			if r.Values = good(r.Values); len(r.Values) == 0 {
				return nil
			}
		}
		return add(r)
	})
}

func good(values []ingest.Value) []ingest.Value {
	kept := values[:0]
	for _, v := range values {
		if v.Flags.Good() {
			kept = append(kept, v)
		}
	}
	return kept
}
