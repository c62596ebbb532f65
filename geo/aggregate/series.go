package aggregate

import (
	"cmp"
	"iter"
	"slices"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

// station holds the values of one station.
type station struct {
	name         string
	series       []series // few: one for each quantity, and more of one quantity where the station moved
	excluded     []exclusion
	calibrations []Calibration
}

// exclusion is a quantity that does not count in an hour.
type exclusion struct {
	index    int64 // Unix hour
	quantity quantity.Quantity
}

// series holds the values of one quantity at one place. A station that moved has a new series.
type series struct {
	cell     geo.Cell
	quantity quantity.Quantity
	later    bool // past has values of hours after open
	open     hour // the hour of the last value, which is not in past
	past     past

	live     stationMean // of live windows that end from liveFrom to live.until: in the seconds between two rounds few change
	liveFrom int64       // Unix seconds
}

// hour holds the values of one hour, ascending by offset.
type hour struct {
	index  int64 // Unix hour
	values []value
	gapOf  uint16 // how many values known was computed of
	known  uint16 // see gap
}

// value is a station's value, in six bytes.
type value struct {
	high, low uint16 // of the thousandths
	when      uint16 // seconds into the hour, and lateBit
}

// lateBit marks a value that arrived after the hour was published. An hour's seconds need twelve bits.
const lateBit = 1 << 15

func newValue(milli int32, offset uint16, late bool) value {
	v := value{high: uint16(milli >> 16), low: uint16(milli), when: offset}
	if late {
		v.when |= lateBit
	}
	return v
}

func (v value) milli() int32   { return int32(v.high)<<16 | int32(v.low) }
func (v value) offset() uint16 { return v.when &^ lateBit }
func (v value) late() bool     { return v.when&lateBit != 0 }

// of returns a series, which it adds if needed. The pointer is valid until the next series is added.
func (st *station) of(cell geo.Cell, q quantity.Quantity) *series {
	if s := st.find(cell, q); s != nil {
		return s
	}
	if n := len(st.series); n == cap(st.series) {
		st.series = append(make([]series, 0, n+1), st.series...) // most stations never get another one after their first reading
	}
	st.series = append(st.series, series{cell: cell, quantity: q})
	return &st.series[len(st.series)-1]
}

// find returns a series; nil when there is none.
func (st *station) find(cell geo.Cell, q quantity.Quantity) *series {
	for i := range st.series {
		if s := &st.series[i]; s.quantity == q && s.cell == cell {
			return s
		}
	}
	return nil
}

// exclude sets or clears an exclusion and reports whether that changed anything.
func (st *station) exclude(e exclusion, out bool) bool {
	i := slices.Index(st.excluded, e)
	if i >= 0 == out {
		return false
	}
	if out {
		st.excluded = append(st.excluded, e)
	} else {
		st.excluded = slices.Delete(st.excluded, i, i+1)
	}
	for i := range st.series {
		st.series[i].forgetLive()
	}
	return true
}

// counts reports whether a quantity is not excluded in an hour.
func (st *station) counts(index int64, q quantity.Quantity) bool {
	return len(st.excluded) == 0 || !slices.Contains(st.excluded, exclusion{index, q})
}

// known returns the calibrations; none for a nil station.
func (st *station) known() []Calibration {
	if st == nil {
		return nil
	}
	return st.calibrations
}

// prune forgets the values of hours before oldest and returns how many they were. It keeps what intervals are made of for
// LookBack.
func (st *station) prune(oldest int64) (values int) {
	st.excluded = slices.DeleteFunc(st.excluded, func(e exclusion) bool { return e.index < oldest-lookBackHours })
	for i := range st.series {
		values += st.series[i].prune(oldest)
	}
	st.series = slices.DeleteFunc(st.series, func(s series) bool { return s.empty() })
	return values
}

// empty reports whether the station has neither values nor anything else to keep.
func (st *station) empty() bool {
	return len(st.series) == 0 && len(st.excluded) == 0 && len(st.calibrations) == 0
}

// hour returns an hour for adding a value, and packs the one that was open. The pointer is valid until the next call; it
// is nil when the values of the hour were pruned.
func (s *series) hour(index int64) *hour {
	s.forgetLive()
	if s.open.index == index {
		return &s.open
	}
	return s.reopen(index)
}

// reopen packs the hour that was open and opens another one.
func (s *series) reopen(index int64) *hour {
	i, found := s.past.search(index)
	if found && s.past.hours[i].size == 0 {
		return nil
	}
	if len(s.open.values) > 0 {
		s.past.put(s.open)
	}
	s.open = hour{index: index, values: s.open.values[:0]}
	if found {
		i, _ = s.past.search(index)
		s.open.values = s.past.append(s.open.values, i)
		s.past.remove(i)
	}
	s.later = len(s.past.hours) > 0 && int64(s.past.hours[len(s.past.hours)-1].index) > index
	return &s.open
}

// at returns the values of an hour; a packed hour is unpacked into the buffer.
func (s *series) at(index int64, unpacked *[]value) []value {
	if s.open.index == index {
		return s.open.values
	}
	i, found := s.past.search(index)
	if !found || s.past.hours[i].size == 0 {
		return nil
	}
	*unpacked = s.past.append((*unpacked)[:0], i)
	return *unpacked
}

// indices yields the hours that have a value.
func (s *series) indices() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, h := range s.past.hours {
			if h.size > 0 && !yield(int64(h.index)) {
				return
			}
		}
		if len(s.open.values) > 0 {
			yield(s.open.index)
		}
	}
}

// prune forgets the values of hours before oldest and returns how many they were. It keeps the hours' gaps for LookBack.
func (s *series) prune(oldest int64) (values int) {
	s.forgetLive()
	if s.open.index < oldest && len(s.open.values) > 0 {
		s.past.put(s.open)
		s.open = hour{}
	}
	return s.past.prune(oldest)
}

// insert adds a value to an hour; false when it has one for the second, or its values were pruned.
func (s *series) insert(index int64, v value) bool {
	h := s.hour(index)
	return h != nil && h.insert(v)
}

// forgetLive must be called when what a live mean is made of changes.
func (s *series) forgetLive() { s.live, s.liveFrom = stationMean{}, 0 }

func (s *series) empty() bool { return len(s.open.values) == 0 && len(s.past.hours) == 0 }

// insert adds a value and keeps the offsets ascending; of two values in one second it keeps the first. Most values
// are the newest.
func (h *hour) insert(v value) bool {
	n := len(h.values)
	if n == 0 || h.values[n-1].offset() < v.offset() {
		h.values = append(h.values, v)
		return true
	}
	i, found := slices.BinarySearchFunc(h.values, v.offset(), func(v value, offset uint16) int { return cmp.Compare(v.offset(), offset) })
	if found {
		return false
	}
	h.values = slices.Insert(h.values, i, v)
	return true
}
