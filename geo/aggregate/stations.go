package aggregate

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// StationWindow is the mean of one station's values of one quantity over a window.
type StationWindow struct {
	StationMean // Coverage is the share of an hour that the values cover, or of a day's hours that count
	Start       time.Time
	Window      Window
	Corrected   bool // Mean was corrected for humidity
}

// Counts reports whether enough of the window has values for the mean to enter an average.
func (w StationWindow) Counts() bool { return w.Coverage >= 750 } // minCovered of an hour, minHours of dayHours

// StationAverager computes the means of single stations from samples in the order of time. Its means of hours and days are
// those that cells' averages are made of. It keeps two hours of values in memory, and the gaps of LookBack. Set the fields,
// Add every sample, then End. It is not safe for concurrent use.
type StationAverager struct {
	Window Window // Slot, Hour or Day
	// From is the start of the first window to yield, a full window. The samples of LookBack before it tell the intervals of
	// sensors; without them coverage is that of stations which began then.
	From       time.Time
	DayOffset  time.Duration
	Correction Correction
	// Calibrations returns the calibrations of a station; nil means that there are none.
	Calibrations func(station string) []Calibration
	// Isolated reports whether a station is not corrected and does not correct others at a time, such as one indoors; nil means
	// that no station is.
	Isolated func(station string, at time.Time) bool
	// Hourly reports whether each of a station's values is the mean of the hour that begins at its time, and so covers
	// it; nil means that no station's is.
	Hourly func(station string) bool
	// Yield receives the means, ascending by start, station, quantity and cell. When it returns an error, Add and End
	// return that error.
	Yield func(StationWindow) error

	index int64      // of the current span: a slot for Slot, else an hour
	city  *Aggregate // values of the current span, and of the hour before; nil before the first
	apart *Aggregate // values of stations apart
	start time.Time  // of the current day
	days  map[seriesKey]*dayMean
}

// seriesKey identifies one series of a station.
type seriesKey struct {
	StationMean // without values
}

// dayMean collects the hours of a day that count.
type dayMean struct {
	windowMean
	hours int64
}

// Add adds a sample; its Received does not matter.
func (s *StationAverager) Add(sample Sample) error {
	unix, seconds := sample.Time.Unix(), int64(min(s.Window.Seconds(), Hour.Seconds()))
	if index := floorDiv(unix, seconds); s.city == nil || index != s.index {
		if err := s.turn(time.Unix(index*seconds, 0)); err != nil {
			return err
		}
		s.index = index
		if s.city == nil || s.Window == Slot {
			s.city, s.apart = &Aggregate{Correction: s.Correction}, &Aggregate{}
		}
	}
	a := s.city
	if s.Isolated != nil && s.Isolated(sample.Station, sample.Time) {
		a = s.apart
	} else if s.Calibrations != nil && a.stations[sample.Station] == nil {
		a.Calibrate(sample.Station, s.Calibrations(sample.Station))
	}
	sample.Received = sample.Time
	a.Add(sample)
	return nil
}

// End yields the means of the last window.
func (s *StationAverager) End() error { return s.turn(time.Time{}) }

// turn closes the current span, and its day when the span that begins at next belongs to another one.
func (s *StationAverager) turn(next time.Time) error {
	if s.city != nil {
		if err := s.close(); err != nil {
			return err
		}
	}
	day := DayOf(next, s.DayOffset)
	if s.Window != Day || day.Equal(s.start) {
		return nil
	}
	var list []StationWindow
	for at, d := range s.days {
		m := d.windowMean
		m.measured, m.corrected = divide(d.measured, d.hours), divide(d.corrected, d.hours)
		m.part, m.of = d.hours, dayHours
		list = append(list, s.mean(at, s.start, m))
	}
	s.days, s.start = nil, day
	return s.yield(list)
}

// close yields the means of the span, or adds them to their day.
func (s *StationAverager) close() error {
	var list []StationWindow
	begin := time.Unix(s.index*int64(min(s.Window.Seconds(), Hour.Seconds())), 0).UTC()
	if begin.Before(s.From) {
		s.prune()
		return nil
	}
	for _, a := range []*Aggregate{s.city, s.apart} {
		a.means(s.span(a, begin), 0, func(st *station, series *series, m windowMean) {
			at := seriesKey{StationMean{Station: st.name, Cell: series.cell, Quantity: series.quantity}}
			switch s.Window {
			case Day:
				s.gather(at, m)
			case Slot:
				m.part, m.of = 1, 1
				fallthrough
			default:
				list = append(list, s.mean(at, begin, m))
			}
		})
	}
	s.prune()
	return s.yield(list)
}

// prune forgets what the next span does not need.
func (s *StationAverager) prune() {
	if s.Window != Slot {
		s.city.prune(s.index)
		s.apart.prune(s.index)
	}
}

// span returns the window of the current span; for a day only the hours that count.
func (s *StationAverager) span(a *Aggregate, begin time.Time) *window {
	seconds := int64(min(s.Window.Seconds(), Hour.Seconds()))
	return &window{a: a, at: begin, part: func(st *station, series *series) (m stationMean, ok bool) {
		m = a.collect(st, series, begin.Unix(), begin.Unix()+seconds)
		if m.count > 0 && s.Hourly != nil && s.Hourly(st.name) {
			m.covered = seconds
		}
		return m, m.count > 0 && (s.Window != Day || m.enough())
	}}
}

func (s *StationAverager) gather(at seriesKey, m windowMean) {
	if s.days == nil {
		s.days = map[seriesKey]*dayMean{}
	}
	d := s.days[at]
	if d == nil {
		d = &dayMean{}
		s.days[at] = d
	}
	d.hours++
	d.measured += m.measured
	d.corrected += m.corrected
	d.uncorrected = d.uncorrected || m.uncorrected
	d.readings += m.readings
}

// mean returns the mean to yield for a series.
func (s *StationAverager) mean(at seriesKey, start time.Time, m windowMean) StationWindow {
	w := StationWindow{StationMean: at.StationMean, Start: start, Window: s.Window}
	w.Mean, w.Raw, w.Uncorrected = m.corrected, m.measured, m.uncorrected
	w.Readings, w.Coverage = m.readings, share(m.part, m.of)
	if s.Correction.Correct != nil && at.Quantity != quantity.Humidity && (s.Isolated == nil || !s.Isolated(at.Station, start)) {
		_, needed := s.Correction.Correct(at.Quantity, 0, 0)
		w.Corrected = needed && !m.uncorrected
	}
	return w
}

func (s *StationAverager) yield(list []StationWindow) error {
	slices.SortFunc(list, func(a, b StationWindow) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Quantity, b.Quantity), a.Cell.Compare(b.Cell))
	})
	for _, m := range list {
		if err := s.Yield(m); err != nil {
			return err
		}
	}
	return nil
}

// DayOf returns the start of the day that contains a moment: midnight UTC minus the offset.
func DayOf(at time.Time, offset time.Duration) time.Time {
	return at.UTC().Add(offset).Truncate(24 * time.Hour).Add(-offset)
}
