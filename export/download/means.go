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

// Means adds the selected means, ascending by start, station and quantity. It computes whole windows, also when the
// period begins or ends within one, so a mean does not depend on the period and the rest of the query.
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
	from := q.From
	if window != aggregate.Slot {
		from = from.Add(-aggregate.LookBack)
	}
	return s.means(ctx, q, window, from, stations, func(m aggregate.StationWindow) error {
		if len(q.Quantities) > 0 && !slices.Contains(q.Quantities, m.Quantity) ||
			len(q.Stations) > 0 && !slices.Contains(q.Stations, m.Station) || !q.takesMean(s.Stations, m) {
			return nil
		}
		return add(m)
	})
}

// means computes all means of stations, also of the quantities needed for corrections, from the readings since a time: to
// know the sensors' intervals, those of aggregate.LookBack before the period.
func (s Source) means(ctx context.Context, q Readings, window aggregate.Window, since time.Time, stations []string, yield func(aggregate.StationWindow) error) error {
	means := aggregate.StationAverager{
		Window: window, From: q.From, DayOffset: s.DayOffset, Correction: s.Correction, Isolated: s.apart, Hourly: s.official, Calibrations: s.calibrations, Yield: yield,
	}
	var cells averages.Cells
	selection := store.ReadingQuery{From: since, To: q.To, Stations: stations, Quantities: withAids(q.Quantities)}
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

// errLacks ends lackHumidity early.
var errLacks = errors.New("humidity is lacking")

// lackHumidity reports whether one of the selected stations needs a correction in a window for which it has no humidity
// of its own. Reading them alone first is cheap: most have one, and they have many neighbours.
func (s Source) lackHumidity(ctx context.Context, q Readings) (bool, error) {
	span := aggregate.Hour // the window that a day's means consist of
	if q.Resolution == FiveMinutes {
		span = aggregate.Slot
	}
	type stationCell struct {
		station string
		cell    geo.Cell
	}
	dry, humid := map[stationCell]bool{}, map[stationCell]bool{} // of one window
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
	err := s.means(ctx, q, span, q.From, q.Stations, func(m aggregate.StationWindow) (err error) {
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

// takesMean reports whether the query selects a mean: its cell is the station's public place.
func (q *Readings) takesMean(s Stations, m aggregate.StationWindow) bool {
	st, known := s.Station(m.Station)
	if q.hides(st) {
		return false
	}
	if q.Within == nil && q.Source == export.AllSources {
		return true
	}
	return known && export.IsFrom(st, q.Source) && (q.Within == nil || q.Within(m.Cell.Center()))
}

// cellOf returns the base cell in which a reading's station stood; the zero cell for an unknown station.
func (s Source) cellOf(cells *averages.Cells, r ingest.Reading) geo.Cell {
	st, known := s.Stations.Station(r.Station)
	if !known {
		return geo.Cell{}
	}
	cell, _ := cells.At(st.PlaceAt(r.Time).Public)
	return cell
}

// apart reports whether a station was indoors at a time, is official or unknown: it corrects no other and is not corrected.
func (s Source) apart(id string, at time.Time) bool {
	st, known := s.Stations.Station(id)
	return !known || st.Official() || st.ExposureAt(at) != ingest.Outdoor
}

// official reports whether a station is an authority's.
func (s Source) official(id string) bool {
	st, known := s.Stations.Station(id)
	return known && st.Official()
}

// calibrations returns a station's calibrations as the aggregate's type.
func (s Source) calibrations(id string) []aggregate.Calibration {
	st, known := s.Stations.Station(id)
	if !known {
		return nil
	}
	return averages.Calibrations(st)
}

// withAids adds the quantities that corrections and calibrations need.
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

// withNeighbours adds the stations whose humidity may correct the selected ones.
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

// near reports whether two stations have ever stood within the correction's radius of each other. It adds two
// cells, because the radius is measured in the projection.
func near(a, b *ingest.Station) bool {
	const most = aggregate.HumidityRadius + 2*geo.BaseSize
	return slices.ContainsFunc(a.Places, func(p ingest.Place) bool {
		return slices.ContainsFunc(b.Places, func(o ingest.Place) bool { return geo.Distance(p.Public, o.Public) <= most })
	})
}

// ceil returns the first start of a window at or after a moment.
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
