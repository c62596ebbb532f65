package aggregate

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

const (
	// AllowedLateness is how late a value may arrive and still correct its hour.
	AllowedLateness = 48 * time.Hour
	// GracePeriod is the time between the end of an hour and its publication, for values that are still on their way.
	GracePeriod = 5 * time.Minute
	// Retention is how long values stay in memory: an hour, AllowedLateness and GracePeriod. What tells the intervals of
	// sensors stays LookBack longer.
	Retention = AllowedLateness + time.Hour + GracePeriod

	slotSeconds = 300 // of a Slot

	dayHours = 24
	minHours = 18 // hours that count that a day needs (39. BImSchV, Anlage 11)
)

// Aggregate keeps the recent values of every station and computes averages from them. The zero value is ready. It is
// safe for concurrent use.
type Aggregate struct {
	// Correction is applied to stations' means; set it before use.
	Correction Correction

	mu       sync.Mutex // guards everything below
	stations map[string]*station
	list     []*station         // the values of stations, in the order in which they were added
	last     *station           // the station of the last value: the next value is probably of the same reading
	changed  map[int64]struct{} // hours that changed since Changed last returned them
	fresh    map[int64]struct{} // those of them whose values changed since TakeFresh
	touched  int64              // the hour in changed and fresh that was added last, so that the next value of it needs no lookup
	unpacked []value            // buffer for an hour that is unpacked
	stats    Stats
}

// Excluded is a quantity of a station that does not count in an hour.
type Excluded struct {
	Station  string
	Quantity quantity.Quantity
}

// Stats counts what an Aggregate holds and what it rejected.
type Stats struct {
	Series     int
	Values     int
	Duplicates uint64 // values whose second already had one
	Old        uint64 // values older than Retention at their receipt
	Overflow   uint64 // values beyond ±2,147,483 of their unit, or 245,000 years from 1970
}

// Add adds values. It returns false when they change nothing: the series has one for the second already, it
// is older than Retention at its receipt, or its thousandths or its hour do not fit 32 bits.
func (a *Aggregate) Add(samples ...Sample) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range samples {
		changed = a.add(&samples[i]) || changed
	}
	return changed
}

// add adds a value. It needs mu.
func (a *Aggregate) add(s *Sample) bool {
	delay := s.Received.Sub(s.Time)
	unix := s.Time.Unix()
	index := floorDiv(unix, 3600)
	switch {
	case int64(int32(s.Milli)) != s.Milli, int64(int32(index)) != index:
		a.stats.Overflow++
		return false
	case delay > Retention:
		a.stats.Old++
		return false
	}
	offset := unix - index*3600
	v := newValue(int32(s.Milli), uint16(offset), delay > GracePeriod+time.Duration(3600-offset)*time.Second)
	series := a.station(s.Station).of(s.Cell, s.Quantity)
	h := series.hour(index)
	if h == nil {
		a.stats.Old++
		return false
	}
	gap := uint16(0)
	if series.later {
		gap = h.gap()
	}
	if !h.insert(v) {
		a.stats.Duplicates++
		return false
	}
	if series.later {
		a.renewLater(series, gap, v)
	}
	a.stats.Values++
	a.touch(index)
	return true
}

// station returns the values of a station, which it adds if needed. It needs mu.
func (a *Aggregate) station(name string) *station {
	if a.last != nil && a.last.name == name {
		return a.last
	}
	st := a.stations[name]
	if st == nil {
		if a.stations == nil {
			a.stations = map[string]*station{}
		}
		st = &station{name: name}
		a.stations[name] = st
		a.list = append(a.list, st)
	}
	a.last = st
	return st
}

// touch marks an hour as changed. It needs mu.
func (a *Aggregate) touch(index int64) {
	if a.touched == index && a.changed != nil {
		return
	}
	a.renew(index)
	a.fresh[index] = struct{}{}
	a.touched = index
}

// renew marks an hour as changed of which no values changed. It needs mu.
func (a *Aggregate) renew(index int64) {
	if a.changed == nil {
		a.changed, a.fresh = map[int64]struct{}{}, map[int64]struct{}{}
	}
	a.changed[index] = struct{}{}
}

// TakeFresh returns the starts of the hours whose values changed since it was last called, of those that Changed returns
// with until, ascending.
func (a *Aggregate) TakeFresh(until time.Time) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.touched = math.MinInt64
	return take(a.fresh, until)
}

// take takes the hours that are published by until, ascending.
func take(from map[int64]struct{}, until time.Time) (hours []time.Time) {
	for index := range from {
		if start := time.Unix(index*3600, 0).UTC(); !start.Add(time.Hour + GracePeriod).After(until) {
			hours = append(hours, start)
			delete(from, index)
		}
	}
	slices.SortFunc(hours, time.Time.Compare)
	return hours
}

// Exclude excludes a quantity of a station from the hour that starts at start, or includes it again. Live averages
// leave out every excluded hour.
func (a *Aggregate) Exclude(start time.Time, e Excluded, out bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	index := floorDiv(start.Unix(), 3600)
	st := a.station(e.Station)
	if !st.exclude(exclusion{index, e.Quantity}, out) {
		return
	}
	a.renew(index)
	for i := range st.series {
		if s := &st.series[i]; s.quantity == e.Quantity {
			a.renewAfter(s, index, lookBackHours)
		}
	}
}

// Relocate moves a station's values to the places where it stood. place returns the BaseSize cell of the station at a
// time, and false when it was not a station of the city; Relocate forgets the values of such times.
func (a *Aggregate) Relocate(name string, place func(at time.Time) (geo.Cell, bool)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	st := a.stations[name]
	if st == nil {
		return
	}
	old, moved := st.series, false
	st.series = nil
	for i := range old {
		s := &old[i]
		for _, h := range s.past.hours {
			if cell, ok := place(time.Unix(int64(h.index)*3600, 0).UTC()); ok && h.size == 0 {
				st.of(cell, s.quantity).past.keep(h)
			}
		}
		for index := range s.indices() {
			for _, v := range s.at(index, &a.unpacked) {
				cell, ok := place(time.Unix(index*3600+int64(v.offset()), 0).UTC())
				if ok && st.of(cell, s.quantity).insert(index, v) {
					moved = moved || cell != s.cell
					continue
				}
				a.stats.Values--
				a.touch(index)
				moved = true
			}
		}
	}
	if moved {
		a.touchAll(st)
	}
}

// Calibrate replaces the calibrations of a station.
func (a *Aggregate) Calibrate(name string, calibrations []Calibration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	st := a.stations[name]
	if slices.Equal(calibrations, st.known()) {
		return
	}
	st = a.station(name)
	st.calibrations = slices.Clone(calibrations)
	for i := range st.series {
		for index := range st.series[i].indices() {
			a.renew(index)
		}
	}
}

// Changed returns the starts of the hours that are published by until (their end and GracePeriod have passed) and got
// values or other exclusions since Changed last returned them, ascending.
func (a *Aggregate) Changed(until time.Time) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.touched = math.MinInt64
	return take(a.changed, until)
}

// Prune forgets hours that no value can change any more at now.
func (a *Aggregate) Prune(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prune(floorDiv(now.Add(-Retention).Unix(), 3600))
}

// prune forgets the values of hours before oldest. It needs mu.
func (a *Aggregate) prune(oldest int64) {
	a.last = nil
	a.list = slices.DeleteFunc(a.list, func(st *station) bool {
		a.stats.Values -= st.prune(oldest)
		if st.empty() {
			delete(a.stations, st.name)
			return true
		}
		return false
	})
}

// Kept reports whether all values of the hour that starts at start are still in memory at now.
func Kept(start, now time.Time) bool {
	return !start.Before(now.Add(-AllowedLateness).Truncate(time.Hour))
}

// Stats returns the current counts.
func (a *Aggregate) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	for _, st := range a.list {
		s.Series += len(st.series)
	}
	return s
}

// floorDiv rounds down, also for negative a (before 1970).
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// compareRows orders rows by start, quantity and cell.
func compareRows(a, b Row) int {
	return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Quantity, b.Quantity), a.Cell.Compare(b.Cell))
}
