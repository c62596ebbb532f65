package download

import (
	"context"
	"errors"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/store"
)

// Means adds the means that are asked for, ascending by start, station and quantity: of whole windows, also where
// the period begins or ends within one, and so the same whatever the period and whatever else is asked for.
func (s Source) Means(ctx context.Context, q Readings, add func(aggregate.StationWindow) error) error {
	window := q.Resolution.Window()
	q.From, q.To = s.ceil(window, q.From), s.ceil(window, q.To)
	stations := q.Stations
	if around := s.withNeighbours(q); len(around) > len(stations) {
		lacks, err := s.lackHumidity(ctx, q)
		if err != nil {
			return err
		}
		if lacks {
			stations = around
		}
	}
	return s.means(ctx, q, window, stations, func(m aggregate.StationWindow) error {
		if len(q.Quantities) > 0 && !slices.Contains(q.Quantities, m.Quantity) ||
			len(q.Stations) > 0 && !slices.Contains(q.Stations, m.Station) || !q.takesMean(s.Stations, m) {
			return nil
		}
		return add(m)
	})
}

// means makes all means of stations, also of what the quantities that are asked for are corrected with.
func (s Source) means(ctx context.Context, q Readings, window aggregate.Window, stations []string, yield func(aggregate.StationWindow) error) error {
	means := aggregate.StationAverager{
		Window: window, DayOffset: s.DayOffset, Correction: s.Correction, Isolated: s.apart, Calibrations: s.calibrations, Yield: yield,
	}
	var cells averages.Cells
	selection := store.ReadingQuery{From: q.From, To: q.To, Stations: stations, Quantities: withAids(q.Quantities)}
	err := s.Store.Readings(ctx, selection, func(r ingest.Reading) error {
		cell := s.cellOf(&cells, r)
		for _, v := range r.Values {
			if !v.Flags.Good() {
				continue
			}
			sample := aggregate.Sample{Station: r.Station, Cell: cell, Quantity: v.Quantity, Time: r.Time, Milli: averages.Milli(v.Value)}
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

// errLacks ends a look for what is lacking.
var errLacks = errors.New("humidity is lacking")

// lackHumidity reports whether one of the stations that are asked for is to be corrected in a span for which it has no
// humidity of its own. To read them alone first costs little: most have one, and their neighbours are many.
func (s Source) lackHumidity(ctx context.Context, q Readings) (bool, error) {
	span := aggregate.Hour // which a day's means are made of
	if q.Resolution == FiveMinutes {
		span = aggregate.Slot
	}
	type stationCell struct {
		station string
		cell    geo.Cell
	}
	dry, humid := map[stationCell]bool{}, map[stationCell]bool{} // of one span
	end := func() error {
		for at := range dry {
			if !humid[at] {
				return errLacks
			}
		}
		clear(dry)
		clear(humid)
		return nil
	}
	var start time.Time
	err := s.means(ctx, q, span, q.Stations, func(m aggregate.StationWindow) (err error) {
		if !m.Start.Equal(start) {
			start, err = m.Start, end()
		}
		switch at := (stationCell{m.Station, m.Cell}); {
		case m.Quantity == quantity.Humidity:
			humid[at] = true
		case m.Corrected || m.Uncorrected:
			dry[at] = true
		}
		return err
	})
	if err == nil {
		err = end()
	}
	if errors.Is(err, errLacks) {
		return true, nil
	}
	return false, err
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

// withAids adds the quantities that others are corrected and calibrated with.
func withAids(quantities []quantity.Quantity) []quantity.Quantity {
	if len(quantities) == 0 {
		return nil
	}
	all := slices.Clone(quantities)
	for _, aid := range []quantity.Quantity{quantity.Humidity, quantity.Temperature} {
		if !slices.Contains(all, aid) {
			all = append(all, aid)
		}
	}
	return all
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
	const most = aggregate.HumidityRadius + 2*geo.BaseSize
	return slices.ContainsFunc(a.Places, func(p ingest.Place) bool {
		return slices.ContainsFunc(b.Places, func(o ingest.Place) bool { return geo.Distance(p.Exact, o.Exact) <= most })
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
