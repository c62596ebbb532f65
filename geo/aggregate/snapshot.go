package aggregate

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"stadtluft/geo"
)

// part is what a series has of a window; ok says whether it is enough to count.
type part func(key seriesKey, s *series) (m stationMean, ok bool)

// Live is the average of each cell of the given size over the 60 minutes up to and including at, with
// no condition on coverage, sorted by quantity and cell. Quantity 0 is every quantity.
func (a *Aggregate) Live(at time.Time, size int32, quantity uint8) []Row {
	to := at.Unix()
	from := to - 3600 // not included
	a.mu.Lock()
	defer a.mu.Unlock()
	means := a.means(quantity, func(key seriesKey, s *series) (stationMean, bool) {
		m := stationMean{}
		for index := floorDiv(from+1, 3600); index <= floorDiv(to, 3600); index++ {
			h := s.hours[index]
			if h == nil || a.isExcluded(index, key) {
				continue
			}
			for i, offset := range h.offsets {
				if unix := index*3600 + int64(offset); unix > from && unix <= to {
					m.add(h.milli[i], int(unix-from-1)/slotSeconds)
				}
			}
		}
		return m, m.count > 0
	})
	return rows(size, means, Row{Start: time.Unix(from, 0).UTC(), Window: Live})
}

// Hour is the average of each cell of the given size over the hour that starts at start, sorted by
// quantity and cell. A station counts when at least 75 % of its twelve 5-minute slots hold a value.
func (a *Aggregate) Hour(start time.Time, size int32, quantity uint8) []Row {
	index := floorDiv(start.Unix(), 3600)
	a.mu.Lock()
	defer a.mu.Unlock()
	return rows(size, a.hour(index, quantity), Row{Start: time.Unix(index*3600, 0).UTC(), Window: Hour})
}

// hour are the stations that count in an hour. It needs mu.
func (a *Aggregate) hour(index int64, quantity uint8) map[seriesKey]windowMean {
	return a.means(quantity, func(key seriesKey, s *series) (stationMean, bool) {
		h := s.hours[index]
		if h == nil || a.isExcluded(index, key) {
			return stationMean{}, false
		}
		m := stationMean{late: h.late}
		for i, offset := range h.offsets {
			m.add(h.milli[i], int(offset)/slotSeconds)
		}
		return m, bits.OnesCount16(m.slots) >= minSlots
	})
}

// Day is the average of each cell of the given size over the 24 hours from start, a full hour, sorted by
// quantity and cell. A station counts when at least 18 of its hours do, with the mean of their means
// (39. BImSchV, Anlage 11); coverage is the share of the hours that count.
func (a *Aggregate) Day(start time.Time, size int32, quantity uint8) []Row {
	first := floorDiv(start.Unix(), 3600)
	a.mu.Lock()
	defer a.mu.Unlock()
	all := days{}
	for index := first; index < first+dayHours; index++ {
		all.add(a.hour(index, quantity))
	}
	return rows(size, all.means(), Row{Start: time.Unix(first*3600, 0).UTC(), Window: Day})
}

// days gathers a day's hours by station.
type days map[seriesKey]*dayMean

type dayMean struct {
	windowMean
	hours int64
}

// add takes in the stations that count in an hour.
func (d days) add(hour map[seriesKey]windowMean) {
	for key, m := range hour {
		day := d[key]
		if day == nil {
			day = &dayMean{}
			d[key] = day
		}
		day.hours++
		day.measured += m.measured
		day.corrected += m.corrected
		day.uncorrected = day.uncorrected || m.uncorrected
		day.readings += m.readings
		day.late += m.late
	}
}

// mean is the mean of the hours' means.
func (d *dayMean) mean() windowMean {
	m := d.windowMean
	m.measured, m.corrected = divide(d.measured, d.hours), divide(d.corrected, d.hours)
	m.parts, m.of = int(d.hours), dayHours
	return m
}

// means are the stations that count in the day.
func (d days) means() map[seriesKey]windowMean {
	means := map[seriesKey]windowMean{}
	for key, day := range d {
		if day.hours >= minHours {
			means[key] = day.mean()
		}
	}
	return means
}

// isExcluded needs mu.
func (a *Aggregate) isExcluded(index int64, key seriesKey) bool {
	_, out := a.excluded[index][Excluded{key.station, key.quantity}]
	return out
}

// StationHour is one station's hour of one quantity, whether it counts or is excluded or not. Values are
// thousandths of the unit.
type StationHour struct {
	Station  string
	Cell     geo.Cell // of BaseSize, where the station stood
	Quantity uint8
	Mean     int64 // rounded half away from zero
	Median   int64
	Count    int // values, at least 1
}

// Stations are the stations' means over the hour that starts at start, as they measured, sorted by station,
// cell and quantity.
func (a *Aggregate) Stations(start time.Time) []StationHour {
	index := floorDiv(start.Unix(), 3600)
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []StationHour
	for key, s := range a.series {
		h := s.hours[index]
		if h == nil {
			continue
		}
		values, sum := make([]int64, len(h.milli)), int64(0)
		for i, milli := range h.milli {
			values[i] = int64(milli)
			sum += int64(milli)
		}
		slices.Sort(values)
		list = append(list, StationHour{key.station, key.cell, key.quantity, divide(sum, int64(len(values))), median(values), len(values)})
	}
	slices.SortFunc(list, func(a, b StationHour) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), a.Cell.Compare(b.Cell), cmp.Compare(a.Quantity, b.Quantity))
	})
	return list
}

// stationMean gathers one station's values of a window.
type stationMean struct {
	sum   int64
	count int
	late  int
	slots uint16 // a bit for each 5-minute slot that holds a value
}

func (m *stationMean) add(milli int32, slot int) {
	m.sum += int64(milli)
	m.count++
	m.slots |= 1 << slot
}

// windowMean is one station's part of a cell.
type windowMean struct {
	measured, corrected int64
	uncorrected         bool // should have been corrected and could not
	readings, late      int
	parts, of           int // how many parts of the window hold a value, of how many
}

// means are the stations that part accepts, corrected. It needs mu.
func (a *Aggregate) means(quantity uint8, part part) map[seriesKey]windowMean {
	humid := a.humidity(quantity, part)
	means := make(map[seriesKey]windowMean, len(a.series))
	for key, s := range a.series {
		if quantity != 0 && key.quantity != quantity {
			continue
		}
		m, ok := part(key, s)
		if !ok {
			continue
		}
		means[key] = a.Correction.mean(key, m, humid)
	}
	return means
}

// cellKey is what a row is about.
type cellKey struct {
	cell     geo.Cell
	quantity uint8
}

// cell gathers the stations of one row.
type cell struct {
	means       []int64
	raw         int64 // sum of the means before correction
	uncorrected int
	readings    int
	late        int
	parts, of   int
}

// rows gathers stations into cells of the given size, as rows like the given one.
func rows(size int32, means map[seriesKey]windowMean, like Row) []Row {
	cells := gather(size, means)
	rows := make([]Row, 0, len(cells))
	for key, c := range cells {
		slices.Sort(c.means)
		n := len(c.means)
		row := like
		row.Cell, row.Quantity = key.cell, key.quantity
		row.Mean, row.Raw = mean(c.means), divide(c.raw, int64(n))
		row.Median = median(c.means)
		row.Min, row.Max = c.means[0], c.means[n-1]
		row.Spread = spread(c.means, row.Mean)
		row.Stations, row.Uncorrected, row.Readings = n, c.uncorrected, c.readings
		row.Coverage = divide(int64(c.parts)*1000, int64(c.of))
		if row.Window != Live {
			row.Revision = c.late
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, compareRows)
	return rows
}

func gather(size int32, means map[seriesKey]windowMean) map[cellKey]*cell {
	cells := map[cellKey]*cell{}
	for key, m := range means {
		k := cellKey{key.cell.Parent(size), key.quantity}
		c := cells[k]
		if c == nil {
			c = &cell{}
			cells[k] = c
		}
		c.means = append(c.means, m.corrected)
		c.raw += m.measured
		if m.uncorrected {
			c.uncorrected++
		}
		c.readings += m.readings
		c.late += m.late
		c.parts += m.parts
		c.of += m.of
	}
	return cells
}

// spread is the sample standard deviation of sorted values around their mean, rounded. Each product is rounded
// by itself, so that every machine comes to the same.
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

// mean is the rounded mean of values that are not none.
func mean(values []int64) int64 {
	sum := int64(0)
	for _, v := range values {
		sum += v
	}
	return divide(sum, int64(len(values)))
}

// median is the middle of sorted values, or the rounded mean of the two in the middle.
func median(sorted []int64) int64 {
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

// City is the city's value of one quantity: the rounded mean over its cells, which are equal in area.
// Rows are of one quantity; false when there are none.
func City(rows []Row) (milli int64, ok bool) {
	if len(rows) == 0 {
		return 0, false
	}
	sum := int64(0)
	for _, row := range rows {
		sum += row.Mean
	}
	return divide(sum, int64(len(rows))), true
}
