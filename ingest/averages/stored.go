package averages

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// Stored holds the flags of an hour as the store has them.
type Stored struct {
	ingest.HourFlags
	Values int // how many good values have them; 0 when not all have the same
}

// StoredFlags collects the flags of an hour from its stored values, which come in the order of their times. The zero
// value is ready.
type StoredFlags struct {
	hour     time.Time
	stations map[string]*storedStation
	sorted   []*storedStation // by name, but for those that came after End sorted them
	last     *storedStation   // of the last reading: the next one is often the same station's
	found    int              // how many flags the hour before had
}

// storedStation are the flags of a station's quantities.
type storedStation struct {
	name   string
	series []storedSeries
}

// storedSeries are the flags of one quantity of a station.
type storedSeries struct {
	quantity      quantity.Quantity
	flags, all    ingest.Flags // of the first value, and of any
	mixed, wet    bool         // values differ; the last one is humid
	values, humid int
	spans         []ingest.Span
}

// Next takes the flags of the hour from a reading's values. When the reading begins another hour it returns those of the
// hour before.
func (s *StoredFlags) Next(r *ingest.Reading) (before []Stored) {
	if hour := r.Time.Truncate(time.Hour); !hour.Equal(s.hour) {
		before = s.End()
		s.hour, s.last = hour, nil
		if s.stations == nil {
			s.stations = map[string]*storedStation{}
		}
	}
	st := s.last
	if st == nil || st.name != r.Station {
		if st = s.stations[r.Station]; st == nil {
			st = &storedStation{name: r.Station, series: make([]storedSeries, 0, len(r.Values))}
			s.stations[r.Station], s.sorted = st, append(s.sorted, st)
		}
		s.last = st
	}
	second := uint16(r.Time.Sub(s.hour) / time.Second)
	for i := range r.Values {
		v := &r.Values[i]
		of := v.Flags & ingest.HourFlagMask
		v.Flags &^= ingest.HourFlagMask
		if !v.Flags.Good() {
			continue
		}
		st.of(v.Quantity, of).add(second, of)
	}
	return before
}

// of returns the flags of a quantity, which it begins with those of its first value if needed.
func (s *storedStation) of(q quantity.Quantity, first ingest.Flags) *storedSeries {
	for i := range s.series {
		if of := &s.series[i]; of.quantity == q {
			return of
		}
	}
	s.series = append(s.series, storedSeries{quantity: q, flags: first &^ ingest.Humid})
	return &s.series[len(s.series)-1]
}

func (s *storedSeries) add(second uint16, of ingest.Flags) {
	wet := of&ingest.Humid != 0
	of &^= ingest.Humid
	s.mixed = s.mixed || of != s.flags
	s.all |= of.Found()
	s.values++
	switch {
	case wet && s.wet:
		last := &s.spans[len(s.spans)-1]
		last.To, last.Values = second, last.Values+1
	case wet:
		s.spans = append(s.spans, ingest.Span{From: second, To: second, Values: 1})
	}
	if s.wet = wet; wet {
		s.humid++
	}
}

// End returns the flags of the last hour, in order of station and quantity.
func (s *StoredFlags) End() (list []Stored) {
	slices.SortFunc(s.sorted, func(a, b *storedStation) int { return cmp.Compare(a.name, b.name) })
	list = slices.Grow(list, s.found+s.found/8)
	for _, st := range s.sorted {
		slices.SortFunc(st.series, func(a, b storedSeries) int { return cmp.Compare(a.quantity, b.quantity) })
		for i := range st.series {
			if v := st.series[i].stored(st.name, s.hour); v.Flags != 0 || len(v.Humid) > 0 {
				list = append(list, v)
			}
		}
		st.series = st.series[:0]
	}
	s.found = len(list)
	return list
}

func (s *storedSeries) stored(station string, hour time.Time) Stored {
	v := Stored{ingest.HourFlags{Station: station, Hour: hour, Quantity: s.quantity, Flags: s.flags, Humid: s.spans}, s.values}
	if s.humid == s.values {
		v.Flags, v.Humid = v.Flags|ingest.Humid, nil
	}
	if s.mixed {
		v.Flags, v.Values = v.Flags|s.all, 0
	}
	return v
}
