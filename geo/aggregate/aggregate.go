package aggregate

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"stadtluft/geo"
)

const (
	// Late is how late a value may come and still correct its hour.
	Late = 48 * time.Hour
	// Grace is how long after its end an hour waits for values on their way before it is published.
	Grace = 5 * time.Minute
	// Keep is how long values are kept: an hour, what may come late, and the grace.
	Keep = Late + time.Hour + Grace

	slotSeconds = 300 // the 5-minute slots of coverage
	slots       = 12
	// minSlots is 75 % of the twelve slots (39. BImSchV, Anlage 11: an hour needs 45 minutes).
	minSlots = 9

	dayHours = 24
	minHours = 18 // hours that count of a day (39. BImSchV, Anlage 11)
)

// Aggregate keeps the recent values of every station and answers with averages. The zero value is
// ready. It is safe for concurrent use.
type Aggregate struct {
	// Correction is applied to stations' means; set it before use.
	Correction Correction

	mu       sync.Mutex // guards all below
	series   map[seriesKey]*series
	excluded map[int64]map[Excluded]struct{} // by hour
	changed  map[int64]struct{}              // hours that differ from when they were last asked for
	stats    Stats
}

// Excluded is a quantity of a station that does not count in an hour.
type Excluded struct {
	Station  string
	Quantity uint8
}

// seriesKey tells apart what must not be mixed. A station that moved is a new series.
type seriesKey struct {
	station  string
	cell     geo.Cell
	quantity uint8
}

// series is the values of one station, place and quantity by hour.
type series struct {
	hours map[int64]*hour // by Unix hour
}

// hour is the values of one hour, ascending by offset.
type hour struct {
	offsets []uint16 // seconds into the hour
	milli   []int32
	late    int // values that came after the hour was published
}

// Stats says how much an Aggregate holds and what it turned away.
type Stats struct {
	Series   int
	Values   int
	Repeated uint64 // values that were there already
	Old      uint64 // values older than Keep when they came
	Overflow uint64 // values beyond ±2,147,483 of their unit
}

// Add takes a value in. It is false when the value changes nothing: the series has one for this
// second already, it is older than Keep at its receipt, or its thousandths do not fit 32 bits.
func (a *Aggregate) Add(s Sample) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	unix := s.Time.Unix()
	switch {
	case s.Milli > math.MaxInt32 || s.Milli < math.MinInt32:
		a.stats.Overflow++
		return false
	case s.Received.Sub(s.Time) > Keep:
		a.stats.Old++
		return false
	}
	index := floorDiv(unix, 3600)
	h := a.hourOf(seriesKey{s.Station, s.Cell, s.Quantity}, index)
	if !h.insert(uint16(unix-index*3600), int32(s.Milli)) {
		a.stats.Repeated++
		return false
	}
	if s.Received.After(time.Unix((index+1)*3600, 0).Add(Grace)) {
		h.late++
	}
	a.stats.Values++
	a.changed[index] = struct{}{}
	return true
}

func (a *Aggregate) hourOf(key seriesKey, index int64) *hour {
	if a.series == nil {
		a.series = map[seriesKey]*series{}
	}
	if a.changed == nil {
		a.changed = map[int64]struct{}{}
	}
	s := a.series[key]
	if s == nil {
		s = &series{hours: map[int64]*hour{}}
		a.series[key] = s
	}
	h := s.hours[index]
	if h == nil {
		h = &hour{}
		s.hours[index] = h
	}
	return h
}

// insert keeps offsets ascending; most values are the newest.
func (h *hour) insert(offset uint16, milli int32) bool {
	n := len(h.offsets)
	if n == 0 || h.offsets[n-1] < offset {
		h.offsets = append(h.offsets, offset)
		h.milli = append(h.milli, milli)
		return true
	}
	i, found := slices.BinarySearch(h.offsets, offset)
	if found {
		return false
	}
	h.offsets = slices.Insert(h.offsets, i, offset)
	h.milli = slices.Insert(h.milli, i, milli)
	return true
}

// Exclude takes a quantity of a station out of the hour that starts at start, or back in. Every hour of a
// live average follows.
func (a *Aggregate) Exclude(start time.Time, e Excluded, out bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	index := floorDiv(start.Unix(), 3600)
	set := a.excluded[index]
	if _, is := set[e]; is == out {
		return
	}
	if set == nil {
		if a.excluded == nil {
			a.excluded = map[int64]map[Excluded]struct{}{}
		}
		set = map[Excluded]struct{}{}
		a.excluded[index] = set
	}
	if out {
		set[e] = struct{}{}
	} else {
		delete(set, e)
	}
	if a.changed == nil {
		a.changed = map[int64]struct{}{}
	}
	a.changed[index] = struct{}{}
}

// Place sets anew where a station stood: each of its values moves to the base cell that at names for its time, and
// goes where at says false. Hours that change are named by Changed again.
func (a *Aggregate) Place(station string, at func(time.Time) (geo.Cell, bool)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	old := map[seriesKey]*series{}
	for key, s := range a.series {
		if key.station == station {
			old[key] = s
			delete(a.series, key)
		}
	}
	for key, s := range old {
		for index, h := range s.hours {
			a.place(key, index, h, at)
		}
	}
}

// place needs mu.
func (a *Aggregate) place(key seriesKey, index int64, h *hour, at func(time.Time) (geo.Cell, bool)) {
	late := h.late
	for i, offset := range h.offsets {
		cell, stands := at(time.Unix(index*3600+int64(offset), 0).UTC())
		if stands {
			to := a.hourOf(seriesKey{key.station, cell, key.quantity}, index)
			stands = to.insert(offset, h.milli[i])
			to.late += late // all of the old hour's, with its first value
			late = 0
		}
		if !stands {
			a.stats.Values--
		}
		if !stands || cell != key.cell {
			a.changed[index] = struct{}{}
		}
	}
}

// Changed are the starts of the hours that are published by until (their end and Grace have passed)
// and got values, or other exclusions, since Changed last named them, ascending.
func (a *Aggregate) Changed(until time.Time) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	var hours []time.Time
	for index := range a.changed {
		if start := time.Unix(index*3600, 0).UTC(); !start.Add(time.Hour + Grace).After(until) {
			hours = append(hours, start)
			delete(a.changed, index)
		}
	}
	slices.SortFunc(hours, time.Time.Compare)
	return hours
}

// Prune forgets hours that no value can change any more at now.
func (a *Aggregate) Prune(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := floorDiv(now.Add(-Keep).Unix(), 3600)
	for key, s := range a.series {
		for index, h := range s.hours {
			if index < oldest {
				a.stats.Values -= len(h.offsets)
				delete(s.hours, index)
			}
		}
		if len(s.hours) == 0 {
			delete(a.series, key)
		}
	}
	for index := range a.excluded {
		if index < oldest {
			delete(a.excluded, index)
		}
	}
}

// Kept reports whether the hour that starts at start is still whole in memory at now.
func Kept(start, now time.Time) bool {
	return !start.Before(now.Add(-Late).Truncate(time.Hour))
}

// Stats is a snapshot of what is held.
func (a *Aggregate) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	s.Series = len(a.series)
	return s
}

// floorDiv rounds towards the past, also before 1970.
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
