package aggregate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

// part gathers the values of a series in a window; ok reports whether they are enough to count.
type part func(st *station, s *series) (m stationMean, ok bool)

// Live returns the average of each cell of the given size over the 60 minutes up to and including at, with no
// condition on coverage, sorted by quantity and cell. Quantity 0 means every quantity. The calibrations that are
// valid at the window's end apply.
func (a *Aggregate) Live(at time.Time, size int32, q quantity.Quantity) []Row {
	a.mu.Lock()
	defer a.mu.Unlock()
	cells := cells{}
	a.means(a.live(at), q, func(_ *station, s *series, m windowMean) { cells.add(size, s, m) })
	return cells.rows(Row{Start: at.Add(-time.Hour).Truncate(time.Second).UTC(), Window: Live})
}

// live returns the window of the 60 minutes up to and including at. It needs mu.
func (a *Aggregate) live(at time.Time) *window {
	to := at.Unix() + 1 // not included
	return &window{a: a, at: at, part: func(st *station, s *series) (m stationMean, ok bool) {
		if to < s.liveFrom || to > s.live.until {
			s.live, s.liveFrom = a.collect(st, s, to-3600, to), to
		}
		return s.live, s.live.count > 0
	}}
}

// Hour returns the average of each cell of the given size over the hour that starts at start, sorted by quantity and
// cell. A station counts when its values cover at least 75 % of the hour.
func (a *Aggregate) Hour(start time.Time, size int32, q quantity.Quantity) []Row {
	index := floorDiv(start.Unix(), 3600)
	a.mu.Lock()
	defer a.mu.Unlock()
	cells := cells{}
	a.means(a.hour(index), q, func(_ *station, s *series, m windowMean) { cells.add(size, s, m) })
	return cells.rows(Row{Start: time.Unix(index*3600, 0).UTC(), Window: Hour})
}

// hour returns the window of a full hour. It needs mu.
func (a *Aggregate) hour(index int64) *window {
	return &window{a: a, at: time.Unix(index*3600, 0), part: func(st *station, s *series) (m stationMean, ok bool) {
		m = a.collect(st, s, index*3600, index*3600+3600)
		return m, m.enough()
	}}
}

// Day returns the average of each cell of the given size over the 24 hours from start, a full hour, sorted by
// quantity and cell. A station counts with the mean of its hourly means when at least 18 of its hours count (39.
// BImSchV, Anlage 11); coverage is the share of the hours that count.
func (a *Aggregate) Day(start time.Time, size int32, q quantity.Quantity) []Row {
	first := floorDiv(start.Unix(), 3600)
	a.mu.Lock()
	defer a.mu.Unlock()
	type day struct {
		windowMean
		hours int64
	}
	days := map[*series]*day{}
	for index := first; index < first+dayHours; index++ {
		a.means(a.hour(index), q, func(_ *station, s *series, m windowMean) {
			d := days[s]
			if d == nil {
				d = &day{}
				days[s] = d
			}
			d.hours++
			d.measured += m.measured
			d.corrected += m.corrected
			d.uncorrected = d.uncorrected || m.uncorrected
			d.readings += m.readings
			d.late += m.late
		})
	}
	cells := cells{}
	for s, d := range days {
		if d.hours >= minHours {
			d.measured, d.corrected = divide(d.measured, d.hours), divide(d.corrected, d.hours)
			d.part, d.of = d.hours, dayHours
			cells.add(size, s, d.windowMean)
		}
	}
	return cells.rows(Row{Start: time.Unix(first*3600, 0).UTC(), Window: Day})
}

// StationMean is one station's mean of one quantity over an hour of which its values cover at least 75 %. Values are
// thousandths of the unit.
type StationMean struct {
	Station     string
	Cell        geo.Cell // the station's BaseSize cell
	Quantity    quantity.Quantity
	Mean        int64 // corrected, as it enters averages
	Raw         int64 // as measured
	Uncorrected bool  // should have been corrected and could not be, as no humidity is known
	Readings    int
	Coverage    int64 // thousandths of the hour that the values cover
}

// LiveStationMeans returns the stations' means over the 60 minutes up to and including at, sorted by station, cell and
// quantity. Unlike cells of a live average they need values that cover 75 % of the time.
func (a *Aggregate) LiveStationMeans(at time.Time) []StationMean {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stationMeans(a.live(at))
}

// HourStationMeans returns the stations' means over the hour that starts at start, sorted by station, cell and quantity.
func (a *Aggregate) HourStationMeans(start time.Time) []StationMean {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stationMeans(a.hour(floorDiv(start.Unix(), 3600)))
}

// stationMeans returns the stations' means over a window. It needs mu.
func (a *Aggregate) stationMeans(w *window) []StationMean {
	var list []StationMean
	a.means(w, 0, func(st *station, s *series, m windowMean) {
		if m.part >= minCovered {
			list = append(list, StationMean{st.name, s.cell, s.quantity, m.corrected, m.measured, m.uncorrected, m.readings, share(m.part, m.of)})
		}
	})
	slices.SortFunc(list, func(a, b StationMean) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), a.Cell.Compare(b.Cell), cmp.Compare(a.Quantity, b.Quantity))
	})
	return list
}

// StationHour is one station's hour of one quantity, whether or not it counts or is excluded. Values are thousandths
// of the unit.
type StationHour struct {
	Station  string
	Cell     geo.Cell // the station's BaseSize cell
	Quantity quantity.Quantity
	Mean     int64 // rounded half away from zero
	Median   int64
	Values   []StationValue // ascending by time, at least one
}

// Steady reports whether all values are the same.
func (h *StationHour) Steady() bool {
	return !slices.ContainsFunc(h.Values, func(v StationValue) bool { return v.Milli != h.Values[0].Milli })
}

// StationValue is one value of an hour.
type StationValue struct {
	Second uint16 // of the hour
	Milli  int32  // thousandths of the unit
}

// StationHours returns the stations' means as measured over the hour that starts at start, sorted by station, cell and
// quantity.
func (a *Aggregate) StationHours(start time.Time) []StationHour {
	index := floorDiv(start.Unix(), 3600)
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []StationHour
	var sorted []int64
	for _, st := range a.list {
		for i := range st.series {
			s := &st.series[i]
			held := s.at(index, &a.unpacked)
			if len(held) == 0 {
				continue
			}
			values, sum := make([]StationValue, len(held)), int64(0)
			sorted = sorted[:0]
			for i, v := range held {
				values[i] = StationValue{v.offset(), v.milli()}
				sorted = append(sorted, int64(v.milli()))
				sum += int64(v.milli())
			}
			slices.Sort(sorted)
			list = append(list, StationHour{st.name, s.cell, s.quantity, divide(sum, int64(len(values))), Median(sorted), values})
		}
	}
	slices.SortFunc(list, func(a, b StationHour) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), a.Cell.Compare(b.Cell), cmp.Compare(a.Quantity, b.Quantity))
	})
	return list
}

// Samples returns the values of a station, ascending in each of its series. Their receipts only say which of them were late.
func (a *Aggregate) Samples(name string) (list []Sample) {
	a.mu.Lock()
	defer a.mu.Unlock()
	st := a.stations[name]
	if st == nil {
		return nil
	}
	for i := range st.series {
		s := &st.series[i]
		for index := range s.indices() {
			start := time.Unix(index*3600, 0).UTC()
			for _, v := range s.at(index, &a.unpacked) {
				at := start.Add(time.Duration(v.offset()) * time.Second)
				received := at
				if v.late() {
					received = start.Add(time.Hour + GracePeriod + time.Second)
				}
				list = append(list, Sample{Station: name, Cell: s.cell, Quantity: s.quantity, Time: at, Received: received, Milli: int64(v.milli())})
			}
		}
	}
	return list
}

// stationMean collects one station's values of a window.
type stationMean struct {
	sum     int64
	count   int
	late    int
	covered int64 // seconds
	until   int64 // the last end of an as long window with the same values, Unix seconds, while none are added
}

// add adds a value that covers a number of seconds.
func (m *stationMean) add(v value, covered int64) {
	m.sum += int64(v.milli())
	m.count++
	m.covered += covered
	if v.late() {
		m.late++
	}
}

// enough reports whether the values cover 75 % of an hour.
func (m *stationMean) enough() bool { return m.covered >= minCovered }

// windowMean is one station's mean in a cell.
type windowMean struct {
	measured, corrected int64
	uncorrected         bool // should have been corrected and could not
	readings, late      int
	part, of            int64 // seconds covered of an hour, hours that count of a day
}

// means yields the stations that count in a window, corrected. It needs mu.
func (a *Aggregate) means(w *window, q quantity.Quantity, yield func(*station, *series, windowMean)) {
	for _, st := range a.list {
		for i := range st.series {
			s := &st.series[i]
			if q != 0 && s.quantity != q {
				continue
			}
			m, ok := w.part(st, s)
			if !ok {
				continue
			}
			measured := divide(m.sum, int64(m.count))
			corrected, done, counts := w.correct(st, s, measured)
			if counts {
				yield(st, s, windowMean{measured, corrected, !done, m.count, m.late, m.covered, 3600})
			}
		}
	}
}

// cellKey identifies a row in a window.
type cellKey struct {
	cell     geo.Cell
	quantity quantity.Quantity
}

// cell collects the stations of one row.
type cell struct {
	means       []int64
	raw         int64 // sum of the means before correction
	uncorrected int
	readings    int
	late        int
	part, of    int64
}

// cells collects the rows of one window.
type cells map[cellKey]*cell

func (all cells) add(size int32, s *series, m windowMean) {
	key := cellKey{s.cell.Parent(size), s.quantity}
	c := all[key]
	if c == nil {
		c = &cell{}
		all[key] = c
	}
	c.means = append(c.means, m.corrected)
	c.raw += m.measured
	if m.uncorrected {
		c.uncorrected++
	}
	c.readings += m.readings
	c.late += m.late
	c.part += m.part
	c.of += m.of
}

// rows returns the rows, sorted; fields that are the same in all are copied from like.
func (all cells) rows(like Row) []Row {
	rows := make([]Row, 0, len(all))
	for key, c := range all {
		slices.Sort(c.means)
		n := len(c.means)
		row := like
		row.Cell, row.Quantity = key.cell, key.quantity
		row.Mean, row.Raw = mean(c.means), divide(c.raw, int64(n))
		row.Median = Median(c.means)
		row.Min, row.Max = c.means[0], c.means[n-1]
		row.Spread = spread(c.means, row.Mean)
		row.Stations, row.Uncorrected, row.Readings = n, c.uncorrected, c.readings
		row.Coverage = share(c.part, c.of)
		if row.Window != Live {
			row.Revision = c.late
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, compareRows)
	return rows
}

// spread returns the sample standard deviation of sorted values around their mean, rounded. It rounds each product by
// itself, so that every machine computes the same.
func spread(sorted []int64, mean int64) int64 {
	if len(sorted) < 2 {
		return 0
	}
	sum := 0.0
	for _, v := range sorted {
		d := float64(v - mean)
		sum += float64(d * d)
	}
	return int64(math.Round(math.Sqrt(sum / float64(len(sorted)-1))))
}

// mean returns the rounded mean of at least one value.
func mean(values []int64) int64 {
	sum := int64(0)
	for _, v := range values {
		sum += v
	}
	return divide(sum, int64(len(values)))
}

// Median returns the middle of sorted values, or the rounded mean of the two in the middle.
func Median(sorted []int64) int64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return divide(sorted[n/2-1]+sorted[n/2], 2)
}

// divide rounds to the nearest whole number, half away from zero; n is positive.
func divide(sum, n int64) int64 {
	if sum < 0 {
		return -divide(-sum, n)
	}
	return (2*sum + n) / (2 * n)
}

// Area returns the value of one quantity in a part of the city, or all of it: the rounded mean over its cells, which
// are equal in area, and the sample standard deviation between them, 0 for one cell. All rows must be of one
// quantity; ok is false when there are none.
func Area(rows []Row) (milli, deviation int64, ok bool) {
	if len(rows) == 0 {
		return 0, 0, false
	}
	means := make([]int64, len(rows))
	for i, row := range rows {
		means[i] = row.Mean
	}
	slices.Sort(means)
	milli = mean(means)
	return milli, spread(means, milli), true
}
