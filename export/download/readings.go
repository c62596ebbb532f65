package download

import (
	"context"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/store"
)

// Resolution is how fine readings are wanted.
type Resolution string

// The resolutions.
const (
	Raw         Resolution = "raw" // single values
	FiveMinutes Resolution = "5m"  // means of stations, as the next two
	Hours       Resolution = "1h"
	Days        Resolution = "1d"
)

// Resolutions are all there are, the finest first.
func Resolutions() []string {
	return []string{string(Raw), string(FiveMinutes), string(Hours), string(Days)}
}

// Window is the window of means; it has no meaning for Raw.
func (r Resolution) Window() aggregate.Window {
	switch r {
	case FiveMinutes:
		return aggregate.Slot
	case Days:
		return aggregate.Day
	}
	return aggregate.Hour
}

// Readings is a question for readings with From <= time < To, or for means of windows that begin then.
type Readings struct {
	From, To   time.Time
	Resolution Resolution
	Quantities []wire.Quantity      // empty = all
	Stations   []string             // empty = all
	Within     func(orb.Point) bool // nil = everywhere; told public places only
	OnlyGood   bool                 // means are always of good values
	Source     string               // one of export.Sources
}

// Of are the stations that the question's data may come from.
func (q Readings) Of(s Stations) []*ingest.Station {
	return slices.DeleteFunc(slices.Clone(s.Stations()), func(st *ingest.Station) bool {
		return !export.IsFrom(st, q.Source) || len(q.Stations) > 0 && !slices.Contains(q.Stations, st.ID)
	})
}

// takes reports whether a station's values of a moment are asked for, by where it publicly stood.
func (q *Readings) takes(s Stations, id string, at time.Time) bool {
	if q.Within == nil && q.Source == export.AllSources {
		return true
	}
	st, known := s.Station(id)
	return known && export.IsFrom(st, q.Source) && (q.Within == nil || q.Within(st.PlaceAt(at).Public))
}

// Readings adds the readings that are asked for, ascending by time, then station.
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

// Means adds the means that are asked for, ascending by start, station and quantity: of whole windows, also where
// the period begins or ends within one, and so the same whatever the period.
func (s Source) Means(ctx context.Context, q Readings, add func(aggregate.StationWindow) error) error {
	window := q.Resolution.Window()
	from, to := s.ceil(window, q.From), s.ceil(window, q.To)
	means := aggregate.Stations{
		Window: window, DayOffset: s.DayOffset, Correction: s.Correction, Apart: s.apart, Calibrations: s.calibrations,
		Yield: func(m aggregate.StationWindow) error {
			if len(q.Quantities) > 0 && !slices.Contains(q.Quantities, wire.Quantity(m.Quantity)) ||
				len(q.Stations) > 0 && !slices.Contains(q.Stations, m.Station) || !q.takesMean(s.Stations, m) {
				return nil
			}
			return add(m)
		},
	}
	var cells averages.Cells
	selection := store.ReadingQuery{From: from, To: to, Stations: s.withNeighbours(q), Quantities: withHumidity(q.Quantities)}
	err := s.Store.Readings(ctx, selection, func(r ingest.Reading) error {
		cell := s.cellOf(&cells, r)
		for _, v := range r.Values {
			if !v.Flags.Good() {
				continue
			}
			sample := aggregate.Sample{Station: r.Station, Cell: cell, Quantity: uint8(v.Quantity), Time: r.Time, Milli: averages.Milli(v.Value)}
			if err := means.Add(sample); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return means.End()
}

// takesMean is takes for a mean: its cell is where the station publicly stood.
func (q *Readings) takesMean(s Stations, m aggregate.StationWindow) bool {
	if q.Within == nil && q.Source == export.AllSources {
		return true
	}
	st, known := s.Station(m.Station)
	return known && export.IsFrom(st, q.Source) && (q.Within == nil || q.Within(m.Cell.Center()))
}

// cellOf is the base cell a reading's station stood in; none for a station that is not known.
func (s Source) cellOf(cells *averages.Cells, r ingest.Reading) geo.Cell {
	st, known := s.Stations.Station(r.Station)
	if !known {
		return geo.Cell{}
	}
	cell, _ := cells.At(st.PlaceAt(r.Time).Exact) // the registry lets no place in that has none
	return cell
}

// apart are stations that hang indoors or are not known: the air there is not the neighbours'.
func (s Source) apart(id string) bool {
	st, known := s.Stations.Station(id)
	return !known || st.Exposure != ingest.Outdoor
}

// calibrations are those of a station in the aggregate's words.
func (s Source) calibrations(id string) []aggregate.Calibration {
	st, known := s.Stations.Station(id)
	if !known {
		return nil
	}
	return averages.Calibrations(st)
}

// withHumidity adds the quantity that particles are corrected with.
func withHumidity(quantities []wire.Quantity) []wire.Quantity {
	if len(quantities) == 0 || slices.Contains(quantities, wire.Humidity) {
		return quantities
	}
	return append(slices.Clone(quantities), wire.Humidity)
}

// withNeighbours adds the stations whose humidity may correct those that are asked for.
func (s Source) withNeighbours(q Readings) []string {
	if len(q.Stations) == 0 {
		return nil
	}
	all := slices.Clone(q.Stations)
	for _, id := range q.Stations {
		st, known := s.Stations.Station(id)
		if !known {
			continue
		}
		for _, other := range s.Stations.Stations() {
			if near(st, other) && !slices.Contains(all, other.ID) {
				all = append(all, other.ID)
			}
		}
	}
	return all
}

// near reports whether two stations have ever stood within reach of each other. A cell's diagonal is added, for the reach is
// between cells.
func near(a, b *ingest.Station) bool {
	const most = aggregate.Reach + 2*geo.BaseSize
	return slices.ContainsFunc(a.Places, func(p ingest.Place) bool {
		return slices.ContainsFunc(b.Places, func(o ingest.Place) bool { return geo.Metres(p.Exact, o.Exact) <= most })
	})
}

// ceil is the first start of a window at or after a moment.
func (s Source) ceil(window aggregate.Window, at time.Time) time.Time {
	length := time.Duration(window.Seconds()) * time.Second
	start := at.UTC().Truncate(length)
	if window == aggregate.Day {
		start = aggregate.DayOf(at, s.DayOffset)
	}
	if start.Before(at) {
		start = start.Add(length)
	}
	return start
}
