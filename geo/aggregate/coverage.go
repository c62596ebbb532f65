package aggregate

import (
	"math"
	"slices"
	"time"
)

// RuleVersion is the version of the rule by which hours count. Version 1 asked for a value in nine of an hour's twelve
// 5-minute slots.
const RuleVersion = 2

const (
	// MaxInterval is the longest time that a value stands for: sensors that send less often have no hourly means.
	MaxInterval = 20 * time.Minute
	// LookBack is the time before an hour whose values tell the interval of a sensor, beside those of the hour itself.
	LookBack = 24 * time.Hour

	maxInterval   = int64(MaxInterval / time.Second)
	lookBackHours = int64(LookBack / time.Hour)

	// minCovered is 75 % of an hour, in seconds (39. BImSchV, Anlage 11: an hour needs 45 minutes).
	minCovered = 2700
	// minForGap is the number of values that an hour needs to tell an interval.
	minForGap = 3
)

// interval returns the interval of the sensor of a series in an hour, in seconds: the median of the hour's gap and those
// of the 24 hours before it, of two in the middle the longer, and at most MaxInterval. Without any it is MaxInterval.
func (s *series) interval(st *station, index int64) int64 {
	var gaps [lookBackHours + 1]uint16
	n := 0
	add := func(index int64, gap uint16) {
		if gap > 0 && st.counts(index, s.quantity) {
			gaps[n] = gap
			n++
		}
	}
	i, _ := s.past.search(index - lookBackHours)
	for _, h := range s.past.hours[i:] {
		if int64(h.index) > index {
			break
		}
		add(int64(h.index), h.gap)
	}
	if s.open.index >= index-lookBackHours && s.open.index <= index {
		add(s.open.index, s.open.gap())
	}
	if n == 0 {
		return maxInterval
	}
	slices.Sort(gaps[:n])
	return min(int64(gaps[n/2]), maxInterval)
}

// gap returns the gap of an hour; it computes it again only after values were added.
func (h *hour) gap() uint16 {
	if int(h.gapOf) != len(h.values) {
		h.known, h.gapOf = gapOf(h.values), uint16(len(h.values))
	}
	return h.known
}

// gapOf returns the median of the seconds between values of one hour, of two in the middle the shorter; 0 when they are
// fewer than three.
func gapOf(values []value) uint16 {
	if len(values) < minForGap {
		return 0
	}
	var room [128]uint16 // enough for an hour of a value every 30 s
	gaps := room[:0]
	for i := range values[1:] {
		gaps = append(gaps, values[i+1].offset()-values[i].offset())
	}
	slices.Sort(gaps)
	return gaps[(len(gaps)-1)/2]
}

// collect collects the values with from <= time < to, Unix seconds at most an hour apart, of hours that are not excluded.
// Each covers the time since the value before it, at most the sensor's interval in the hour of the last second.
func (a *Aggregate) collect(st *station, s *series, from, to int64) (m stationMean) {
	first, last := floorDiv(from, 3600), floorDiv(to-1, 3600)
	var interval, before int64                                   // before is the time of the last value, if there is one
	oldest, next := int64(math.MaxInt64/2), int64(math.MaxInt64) // of the values in the period, and after it
	known := false
	for index := first; index <= last; index++ {
		values := s.at(index, &a.unpacked)
		if len(values) == 0 || !st.counts(index, s.quantity) {
			continue
		}
		if interval == 0 {
			interval = s.interval(st, last)
		}
		for _, v := range values {
			unix := index*3600 + int64(v.offset())
			if unix >= to {
				next = unix
				break
			}
			if !known && unix-interval < first*3600 && st.counts(first-1, s.quantity) {
				before, known = s.last(first - 1)
			}
			if unix >= from {
				covered := interval
				if known {
					covered = min(covered, unix-before)
				}
				oldest = min(oldest, unix)
				m.add(v, covered)
			}
			before, known = unix, true
		}
	}
	m.covered = min(m.covered, to-from)
	m.until = min(next, oldest-from+to, (first+1)*3600-1-from+to, (last+1)*3600)
	return m
}

// last returns the Unix time of the last value of an hour; false when it has none.
func (s *series) last(index int64) (int64, bool) {
	if s.open.index == index {
		if n := len(s.open.values); n > 0 {
			return index*3600 + int64(s.open.values[n-1].offset()), true
		}
		return 0, false
	}
	i, found := s.past.search(index)
	if !found || s.past.hours[i].size == 0 {
		return 0, false
	}
	from, end := s.past.span(i)
	return index*3600 + int64(lastOffset(s.past.bytes[from:end])), true
}

// renewAfter marks the hours of a series that follow one, up to a number of hours later, as changed. It needs mu.
func (a *Aggregate) renewAfter(s *series, index, hours int64) {
	for later := range s.indices() {
		if later > index && later <= index+hours {
			a.renew(later)
		}
	}
}

// renewLater marks the hours after the open one as changed whose coverage depends on a value that it got: those of LookBack
// when its gap was another one before, the next one when the value is its last. It needs mu.
func (a *Aggregate) renewLater(s *series, gap uint16, v value) {
	switch h := &s.open; {
	case h.gap() != gap:
		a.renewAfter(s, h.index, lookBackHours)
	case h.values[len(h.values)-1] == v:
		a.renewAfter(s, h.index, 1)
	}
}

// touchAll marks all hours of a station as changed. It needs mu.
func (a *Aggregate) touchAll(st *station) {
	for i := range st.series {
		for index := range st.series[i].indices() {
			a.touch(index)
		}
	}
}

// share returns a part of a whole in thousandths, rounded half away from zero; less than three quarters stays below 750.
func share(part, of int64) int64 {
	s := divide(part*1000, of)
	if 4*part < 3*of {
		s = min(s, 749)
	}
	return s
}
