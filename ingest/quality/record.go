package quality

import (
	"math"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

var noValue = math.NaN()

// record is what is remembered of a station at its place: about 5 KiB with particles and climate.
type record struct {
	Cell                     geo.Cell     // its public place
	Newest                   int64        // hour
	PM2_5, PM10, Temperature *history     // nil before the first value
	Differences              ring[tenths] // hPa above the neighbours, by hour
	Days                     ring[standing]
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

// findings are flags that hold for a whole day of a station.
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
	if r.away(day) {
		f.all |= ingest.Moved
	}
	if c.indoor(r.Temperature, day) {
		f.all |= ingest.SeemsIndoor
	}
	if f.all == 0 {
		f.pm2_5, f.pm10, f.temperature = c.uncorrelated(r.PM2_5, day), c.uncorrelated(r.PM10, day), c.uncorrelated(r.Temperature, day)
	}
	return f
}

// uncorrelated is for a quantity that does not follow the neighbours'.
func (c *HourChecker) uncorrelated(past *history, day int64) ingest.Flags {
	if past == nil {
		return 0
	}
	days, n := make([]sums, 0, pastDays), 0
	for d := day - int64(c.rules.UncorrelatedPast); d < day; d++ {
		s := past.Days.at(d)
		days, n = append(days, s), n+int(s.N)
	}
	if n >= int(c.rules.UncorrelatedLeast*dayHours) && pearson(days) < c.rules.UncorrelatedR {
		return ingest.Uncorrelated
	}
	return 0
}

// indoor is for a station whose temperature hardly knows day and night.
func (c *HourChecker) indoor(temperature *history, day int64) bool {
	if temperature == nil {
		return false
	}
	narrow := 0
	for d := day - int64(c.rules.IndoorOf); d < day; d++ {
		if temperature.Days.at(d).Narrow {
			narrow++
		}
	}
	return narrow >= int(c.rules.IndoorDays)
}
