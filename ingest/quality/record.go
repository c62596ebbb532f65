package quality

import (
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// recordKey is a station with its sensors at its public place. When one of them changes the station has no past.
type recordKey struct {
	Station      string
	Cell         geo.Cell
	Installation int
}

// record is what is remembered of a station: 2 KiB after two days, 7 KiB after a month with particles and climate.
type record struct {
	Newest                   int64        // hour
	PM2_5, PM10, Temperature *history     // nil before the first value
	Steady                   []*unchanged // of quantities that may be stuck
	Barometer                *barometer   // nil before the first value
}

// history is that of a quantity whose past is looked at; nil for others.
func (r *record) history(q quantity.Quantity) *history {
	var place **history
	switch q {
	case quantity.PM2_5:
		place = &r.PM2_5
	case quantity.PM10:
		place = &r.PM10
	case quantity.Temperature:
		place = &r.Temperature
	default:
		return nil
	}
	if *place == nil {
		*place = newHistory(q)
	}
	return *place
}

// rewind forgets an hour and those after it.
func (r *record) rewind(at int64, rules *Rules) {
	r.Newest = min(r.Newest, at-1)
	for _, past := range []*history{r.PM2_5, r.PM10, r.Temperature} {
		if past != nil {
			past.rewind(at, rules.IndoorShare)
		}
	}
	for _, s := range r.Steady {
		s.Hours.cut(at)
	}
	if r.Barometer != nil {
		r.Barometer.rewind(at, rules.MovedBy)
	}
}

// findings are flags that hold for a whole day of a station, with the results of their checks.
type findings struct {
	all                      ingest.Flags
	pm2_5, pm10, temperature ingest.Flags
}

func (f *findings) of(q quantity.Quantity) ingest.Flags {
	switch q {
	case quantity.PM2_5:
		return f.all | f.pm2_5
	case quantity.PM10:
		return f.all | f.pm10
	case quantity.Temperature:
		return f.all | f.temperature
	}
	return f.all
}

// findings are those of a day, by the days before it. What holds for a station explains what holds for a quantity.
func (c *HourChecker) findings(r *record, day int64) (f findings) {
	f.all = r.Barometer.moved(day) | c.indoor(r.Temperature, day)
	f.pm2_5, f.pm10, f.temperature = c.uncorrelated(r.PM2_5, day), c.uncorrelated(r.PM10, day), c.uncorrelated(r.Temperature, day)
	if !f.all.Good() {
		for _, of := range []*ingest.Flags{&f.pm2_5, &f.pm10, &f.temperature} {
			*of &^= ingest.Uncorrelated
		}
	}
	return f
}

// result returns what became of a check that needs so many comparisons, of which some were made and more would have
// been possible with enough neighbours.
func resultOf(made, possible, needed int) ingest.Result {
	switch {
	case made >= needed:
		return ingest.Checked
	case possible >= needed:
		return ingest.NoNeighbours
	}
	return ingest.NoHistory
}

// uncorrelated is for a quantity that does not follow the neighbours'.
func (c *HourChecker) uncorrelated(past *history, day int64) (f ingest.Flags) {
	if past == nil {
		return 0
	}
	days, pairs, own := make([]sums, 0, pastDays), 0, 0
	for d := day - int64(c.rules.UncorrelatedPast); d < day; d++ {
		s := past.Days.at(d)
		days, pairs, own = append(days, s), pairs+int(s.N), own+int(s.Hours)
	}
	o := resultOf(pairs, own, int(c.rules.UncorrelatedLeast*dayHours))
	if o == ingest.Checked && pearson(days) < c.rules.UncorrelatedR {
		f = ingest.Uncorrelated
	}
	return f.With(ingest.UncorrelatedCheck, o)
}

// indoor is for a station whose temperature hardly knows day and night.
func (c *HourChecker) indoor(temperature *history, day int64) (f ingest.Flags) {
	if temperature == nil {
		return 0
	}
	narrow, compared, whole := 0, 0, 0
	for d := day - int64(c.rules.IndoorOf); d < day; d++ {
		s := temperature.Days.at(d)
		if s.Narrow {
			narrow++
		}
		if s.N >= fullDay {
			compared++
		}
		if s.Hours >= fullDay {
			whole++
		}
	}
	needed := int(c.rules.IndoorDays)
	if narrow >= needed {
		f = ingest.SeemsIndoor
	}
	return f.With(ingest.IndoorCheck, resultOf(compared, whole, needed))
}
