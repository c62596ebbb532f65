package averages

import (
	"slices"
	"time"

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
	hour   time.Time
	series map[flagKey]*storedSeries
}

// storedSeries are the flags of one quantity of a station.
type storedSeries struct {
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
		s.hour, s.series = hour, map[flagKey]*storedSeries{}
	}
	second := uint16(r.Time.Sub(s.hour) / time.Second)
	for i := range r.Values {
		v := &r.Values[i]
		of := v.Flags & ingest.HourFlagMask
		v.Flags &^= ingest.HourFlagMask
		if !v.Flags.Good() {
			continue
		}
		key := flagKey{r.Station, v.Quantity}
		if s.series[key] == nil {
			s.series[key] = &storedSeries{flags: of &^ ingest.Humid}
		}
		s.series[key].add(second, of)
	}
	return before
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

// End returns the flags of the last hour.
func (s *StoredFlags) End() (list []Stored) {
	for at, of := range s.series {
		v := Stored{ingest.HourFlags{Station: at.station, Hour: s.hour, Quantity: at.quantity, Flags: of.flags, Humid: of.spans}, of.values}
		if of.humid == of.values {
			v.Flags, v.Humid = v.Flags|ingest.Humid, nil
		}
		if of.mixed {
			v.Flags, v.Values = v.Flags|of.all, 0
		}
		if v.Flags != 0 || len(v.Humid) > 0 {
			list = append(list, v)
		}
	}
	s.series = nil
	slices.SortFunc(list, func(a, b Stored) int { return a.Compare(b.HourFlags) })
	return list
}
