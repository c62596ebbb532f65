package aggregate

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"stadtluft/geo"
)

// StationMean is the mean of one station's values of one quantity over a window. Values are thousandths of the unit.
type StationMean struct {
	Station   string
	Cell      geo.Cell // of BaseSize, where the station stood; zero where that is not known
	Start     time.Time
	Window    Window
	Quantity  uint8
	Mean      int64 // corrected where it can be, rounded half away from zero
	Raw       int64 // as measured
	Corrected bool  // humidity was taken out of Mean
	Readings  int   // values behind it
	Coverage  int64 // thousandths: of an hour's twelve slots those with a value, of a day's hours those that count
}

// Stations makes the means of single stations from samples that come in the order of time: those of a full hour or
// day are the ones a cell's average is made of. Memory is bounded by the stations of one window. Set the fields, Add
// every sample, then End. Not safe for concurrent use.
type Stations struct {
	Window     Window // Slot, Hour or Day
	DayOffset  time.Duration
	Correction Correction
	// Apart tells stations that are not corrected and correct nobody; nil is none.
	Apart func(station string) bool
	// Yield takes the means, ascending by start, station, quantity and cell. An error from it ends everything.
	Yield func(StationMean) error

	begun bool
	index int64 // of the span that is gathered: a slot of a Slot, else an hour
	span  map[seriesKey]*stationMean
	day   time.Time // that hours are gathered for
	days  days
}

// Add takes a sample; its Received does not matter.
func (s *Stations) Add(sample Sample) error {
	unix, seconds := sample.Time.Unix(), int64(min(s.Window.Seconds(), Hour.Seconds()))
	if index := floorDiv(unix, seconds); !s.begun || index != s.index {
		if err := s.close(); err != nil {
			return err
		}
		if err := s.turn(time.Unix(index*seconds, 0)); err != nil {
			return err
		}
		s.begun, s.index = true, index
	}
	key := seriesKey{sample.Station, sample.Cell, sample.Quantity}
	m := s.span[key]
	if m == nil {
		if s.span == nil {
			s.span = map[seriesKey]*stationMean{}
		}
		m = &stationMean{}
		s.span[key] = m
	}
	m.sum += sample.Milli
	m.count++
	m.slots |= 1 << ((unix - s.index*seconds) / slotSeconds)
	return nil
}

// End yields what is left.
func (s *Stations) End() error {
	if err := s.close(); err != nil {
		return err
	}
	return s.turn(time.Time{})
}

// close ends the span that is gathered.
func (s *Stations) close() error {
	if len(s.span) == 0 {
		return nil
	}
	means := s.means()
	clear(s.span)
	if s.Window == Day {
		if s.days == nil {
			s.days = days{}
		}
		s.days.add(means)
		return nil
	}
	start := time.Unix(s.index*int64(s.Window.Seconds()), 0).UTC()
	return s.yield(start, means)
}

// means are those of the span; of a day only the hours that count.
func (s *Stations) means() map[seriesKey]windowMean {
	humid := newHygrometers()
	for key, m := range s.span {
		if key.quantity == s.Correction.Humidity && !s.apart(key.station) {
			humid.add(key, *m)
		}
	}
	means := make(map[seriesKey]windowMean, len(s.span))
	for key, m := range s.span {
		if s.Window == Day && bits.OnesCount16(m.slots) < minSlots {
			continue
		}
		correction := &s.Correction
		if s.apart(key.station) {
			correction = &Correction{}
		}
		mean := correction.mean(key, *m, humid)
		if s.Window == Slot {
			mean.of = 1
		}
		means[key] = mean
	}
	return means
}

func (s *Stations) apart(station string) bool { return s.Apart != nil && s.Apart(station) }

// turn yields the day that is gathered when the span that begins at start belongs to another one.
func (s *Stations) turn(start time.Time) error {
	if s.Window != Day {
		return nil
	}
	day := DayOf(start, s.DayOffset)
	if day.Equal(s.day) {
		return nil
	}
	means := make(map[seriesKey]windowMean, len(s.days))
	for key, d := range s.days {
		means[key] = d.mean()
	}
	clear(s.days)
	from := s.day
	s.day = day
	return s.yield(from, means)
}

// DayOf is the start of the day that a moment lies in: midnight UTC minus the offset.
func DayOf(at time.Time, offset time.Duration) time.Time {
	return at.UTC().Add(offset).Truncate(24 * time.Hour).Add(-offset)
}

func (s *Stations) yield(start time.Time, means map[seriesKey]windowMean) error {
	list := make([]StationMean, 0, len(means))
	for key, m := range means {
		list = append(list, StationMean{
			Station: key.station, Cell: key.cell, Start: start, Window: s.Window, Quantity: key.quantity,
			Mean: m.corrected, Raw: m.measured, Corrected: s.corrects(key) && !m.uncorrected,
			Readings: m.readings, Coverage: divide(int64(m.parts)*1000, int64(m.of)),
		})
	}
	slices.SortFunc(list, func(a, b StationMean) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Quantity, b.Quantity), a.Cell.Compare(b.Cell))
	})
	for _, m := range list {
		if err := s.Yield(m); err != nil {
			return err
		}
	}
	return nil
}

// corrects reports whether a series is one whose humidity is to be taken out.
func (s *Stations) corrects(key seriesKey) bool {
	if s.Correction.Of == nil || key.quantity == s.Correction.Humidity || s.apart(key.station) {
		return false
	}
	_, needed := s.Correction.Of(key.quantity, 0, 0)
	return needed
}
