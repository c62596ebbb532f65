package quality

import (
	"math"

	"stadtluft/ingest"
)

const (
	// A station's usual difference to another is the median over the first usualDays days of the last usualPast that have
	// both: one that was carried elsewhere is found for as long as most of those are from before.
	usualPast  = 90
	usualDays  = 15
	usualLeast = 3  // days after which it is known
	movedLeast = 10 // days after which a station can be seen to have moved: most of usualDays

	// standingDays is how long the last whole day counts for those after it.
	standingDays = 10
)

// barometer is what is remembered of a station's pressure.
type barometer struct {
	Hours     ring[tenths]   // medians, hPa
	Days      ring[tenths]   // medians of whole days' hours
	Above     ring[tenths]   // hPa above the neighbours, each brought to the station's height
	Standings ring[standing] // by day
}

// standing is what a day's pressure says of where a station stands.
type standing struct {
	Hours uint8 // that were compared
	Away  bool  // in all of them the pressure was far from what is usual
}

func newBarometer() *barometer {
	return &barometer{
		newRing[tenths](recheckHours + dayHours), newRing[tenths](usualPast + standingDays + recheckDays),
		newRing[tenths](recheckHours + dayHours), newRing[standing](standingDays + recheckDays),
	}
}

// levelled is a neighbour whose pressure is brought to a station's height.
type levelled struct {
	mean, median, square float64
	long                 bool // the usual difference is known well enough to see that a station has moved
}

// pressure compares stations of different heights: each neighbour's pressure is brought to a station's height by the
// usual difference of the two. Heights above the sea are not known; a place that was wrong from the first day is not
// found by pressure.
func (c *HourChecker) pressure(h *hour, from, to int) {
	list, records := h.list[from:to], h.records[from:to]
	day := h.at / dayHours
	for i := range list {
		if records[i].Barometer == nil {
			records[i].Barometer = newBarometer()
		}
		records[i].Barometer.measure(h.at, list[i].Median)
	}
	area := h.area(list)
	for i := range list {
		found := area.around(i)
		level := c.level(list, records, i, found, day)
		out, o := c.levelOutlier(&list[i], level, len(found))
		if out {
			h.flags[from+i] |= ingest.Outlier
		}
		h.set(from+i, ingest.OutlierCheck, o)
		records[i].Barometer.compare(h.at, list[i].Median-c.levelMiddle(level), c.rules.MovedBy)
	}
}

// level returns the neighbours whose usual difference to the i-th station is known, nearest first.
func (c *HourChecker) level(list []StationHour, records []*record, i int, found []neighbour, day int64) []levelled {
	level := make([]levelled, 0, mostNeighbours)
	for _, n := range found {
		if usual, days := c.usual(records[i].Barometer, records[n.index].Barometer, day); days >= usualLeast {
			other := &list[n.index]
			level = append(level, levelled{other.Mean + usual, other.Median + usual, n.square, days >= movedLeast})
		}
	}
	return level
}

// usual returns the usual difference of two stations' pressures before a day, and of how many days it is known.
func (c *HourChecker) usual(a, b *barometer, day int64) (hPa float64, days int) {
	var differences [usualDays]float64
	for d := day - usualPast; d < day && days < usualDays; d++ {
		x, ok := a.Days.at(d).number()
		y, both := b.Days.at(d).number()
		if ok && both {
			differences[days] = float64(x-y) / 10
			days++
		}
	}
	return median(differences[:days]), days
}

func (c *HourChecker) levelOutlier(s *StationHour, level []levelled, neighbours int) (bool, ingest.Result) {
	least, near := int(c.rules.OutlierNeighbours), c.rules.OutlierNear
	c.scratch = c.scratch[:0]
	for i, n := range level {
		if n.square <= near*near || i < least {
			c.scratch = append(c.scratch, n.mean)
		}
	}
	if len(c.scratch) >= least {
		return c.far(s), ingest.Checked
	}
	return false, thin(neighbours, least)
}

// thin returns why too few neighbours could be compared with: there are no more, or too little is known of them.
func thin(neighbours, least int) ingest.Result {
	if neighbours >= least {
		return ingest.NoHistory
	}
	return ingest.NoNeighbours
}

// levelMiddle is the median of the neighbours' medians; NaN where there are too few.
func (c *HourChecker) levelMiddle(level []levelled) float64 {
	c.scratch = c.scratch[:0]
	for _, n := range level {
		if n.long {
			c.scratch = append(c.scratch, n.median)
		}
	}
	if len(c.scratch) < int(c.rules.OutlierNeighbours) {
		return noValue
	}
	return median(c.scratch)
}

// measure sets an hour and gathers its day again.
func (b *barometer) measure(hour int64, hPa float64) {
	b.Hours.put(hour, inTenths(hPa))
	b.gather(hour / dayHours)
}

func (b *barometer) gather(day int64) {
	values := make([]float64, 0, dayHours)
	for hour := day * dayHours; hour < (day+1)*dayHours; hour++ {
		if n, ok := b.Hours.at(hour).number(); ok {
			values = append(values, float64(n)/10)
		}
	}
	if len(values) < fullDay {
		values = nil
	}
	b.Days.put(day, inTenths(median(values)))
}

// compare sets an hour's difference to the neighbours and judges its day again.
func (b *barometer) compare(hour int64, above, by float64) {
	b.Above.put(hour, inTenths(above))
	b.judge(hour/dayHours, by)
}

func (b *barometer) judge(day int64, by float64) {
	s := standing{Away: true}
	for hour := day * dayHours; hour < (day+1)*dayHours; hour++ {
		if n, ok := b.Above.at(hour).number(); ok {
			s.Hours++
			s.Away = s.Away && math.Abs(float64(n)/10) > by
		}
	}
	b.Standings.put(day, s)
}

// rewind forgets an hour and those after it.
func (b *barometer) rewind(hour int64, by float64) {
	day := hour / dayHours
	b.Hours.cut(hour)
	b.Above.cut(hour)
	b.Days.cut(day)
	b.Standings.cut(day)
	b.gather(day)
	b.judge(day, by)
}

// moved is for a station that stands elsewhere by the last whole day before. A nil barometer cannot tell.
func (b *barometer) moved(day int64) (f ingest.Flags) {
	if b == nil {
		return 0
	}
	for d := day - 1; d >= day-standingDays; d-- {
		if s := b.Standings.at(d); s.Hours >= fullDay {
			if s.Away {
				f = ingest.Moved
			}
			return f.With(ingest.MovedCheck, ingest.Checked)
		}
	}
	whole := 0
	for d := day - usualPast; d < day; d++ {
		if b.Days.at(d) != 0 {
			whole++
		}
	}
	return f.With(ingest.MovedCheck, resultOf(0, whole, movedLeast))
}
