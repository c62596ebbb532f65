package aggregate

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// StationWindow is the mean of one station's values of one quantity over a window.
type StationWindow struct {
	StationMean // Coverage is of an hour's twelve slots those with a value, of a day's hours those that count
	Start       time.Time
	Window      Window
	Corrected   bool // humidity was taken out of Mean
}

// Counts reports whether enough of the window holds values for the mean to enter an average.
func (w StationWindow) Counts() bool { return w.Coverage >= 750 } // minSlots of slots, minHours of dayHours

// Stations makes the means of single stations from samples that come in the order of time: those of a full hour or
// day are the ones a cell's average is made of. Memory is bounded by the stations of one window. Set the fields, Add
// every sample, then End. Not safe for concurrent use.
type Stations struct {
	Window     Window // Slot, Hour or Day
	DayOffset  time.Duration
	Correction Correction
	// Calibrations are those of a station; nil is none.
	Calibrations func(station string) []Calibration
	// Apart tells stations that are not corrected and correct nobody; nil is none.
	Apart func(station string) bool
	// Yield takes the means, ascending by start, station, quantity and cell. An error from it ends everything.
	Yield func(StationWindow) error

	index int64      // of the span that is gathered: a slot of a Slot, else an hour
	city  *Aggregate // its values; nil before the first
	apart *Aggregate // those of stations apart
	start time.Time  // of the day that hours are gathered for
	days  map[seriesKey]*dayMean
}

// seriesKey is one series of a station.
type seriesKey struct {
	StationMean // without values
}

// dayMean gathers the hours that count of a day.
type dayMean struct {
	windowMean
	hours int64
}

// Add takes a sample; its Received does not matter.
func (s *Stations) Add(sample Sample) error {
	unix, seconds := sample.Time.Unix(), int64(min(s.Window.Seconds(), Hour.Seconds()))
	if index := floorDiv(unix, seconds); s.city == nil || index != s.index {
		if err := s.turn(time.Unix(index*seconds, 0)); err != nil {
			return err
		}
		s.index, s.city, s.apart = index, &Aggregate{Correction: s.Correction}, &Aggregate{}
	}
	a := s.city
	if s.Apart != nil && s.Apart(sample.Station) {
		a = s.apart
	} else if s.Calibrations != nil && a.stations[sample.Station] == nil {
		a.Calibrate(sample.Station, s.Calibrations(sample.Station))
	}
	sample.Received = sample.Time
	a.Add(sample)
	return nil
}

// End yields what is left.
func (s *Stations) End() error { return s.turn(time.Time{}) }

// turn ends the span that is gathered, and its day when the span that begins at next belongs to another one.
func (s *Stations) turn(next time.Time) error {
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
		m.parts, m.of = int(d.hours), dayHours
		list = append(list, s.mean(at, s.start, m))
	}
	s.days, s.start = nil, day
	return s.yield(list)
}

// close ends the span: its means are yielded, or gathered for their day.
func (s *Stations) close() error {
	var list []StationWindow
	begin := time.Unix(s.index*int64(min(s.Window.Seconds(), Hour.Seconds())), 0).UTC()
	for _, a := range []*Aggregate{s.city, s.apart} {
		a.means(s.span(a, begin), 0, func(st *station, series *series, m windowMean) {
			at := seriesKey{StationMean{Station: st.name, Cell: series.cell, Quantity: series.quantity}}
			switch s.Window {
			case Day:
				s.gather(at, m)
			case Slot:
				m.of = 1
				fallthrough
			default:
				list = append(list, s.mean(at, begin, m))
			}
		})
	}
	return s.yield(list)
}

// span is the whole of an aggregate that holds nothing else; of a day only the hours that count.
func (s *Stations) span(a *Aggregate, begin time.Time) *window {
	hour := floorDiv(begin.Unix(), 3600)
	return &window{a: a, at: begin, part: func(_ *station, series *series) (m stationMean, ok bool) {
		for _, v := range series.at(hour, &a.unpacked) {
			m.add(v, int(v.offset())/slotSeconds)
		}
		return m, m.count > 0 && (s.Window != Day || m.enough())
	}}
}

func (s *Stations) gather(at seriesKey, m windowMean) {
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

// mean is what is yielded of a series.
func (s *Stations) mean(at seriesKey, start time.Time, m windowMean) StationWindow {
	w := StationWindow{StationMean: at.StationMean, Start: start, Window: s.Window}
	w.Mean, w.Raw, w.Uncorrected = m.corrected, m.measured, m.uncorrected
	w.Readings, w.Coverage = m.readings, divide(int64(m.parts)*1000, int64(m.of))
	if s.Correction.Of != nil && at.Quantity != quantity.Humidity && (s.Apart == nil || !s.Apart(at.Station)) {
		_, needed := s.Correction.Of(at.Quantity, 0, 0)
		w.Corrected = needed && !m.uncorrected
	}
	return w
}

func (s *Stations) yield(list []StationWindow) error {
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

// DayOf is the start of the day that a moment lies in: midnight UTC minus the offset.
func DayOf(at time.Time, offset time.Duration) time.Time {
	return at.UTC().Add(offset).Truncate(24 * time.Hour).Add(-offset)
}
