package quality

import (
	"math"

	"stadtluft/ingest"
)

// standing is what a day's pressure says of where a station stands, in hPa.
type standing struct {
	Hours      uint8
	Away       bool   // the whole day was far from what is usual, and so it is until a day is not
	Difference tenths // median above the neighbours
	Usual      tenths // the same of the days before; as it was when the station went away
}

const (
	usualLeast = 3  // days after which a usual difference is known
	movedLeast = 10 // days after which a station can be seen to have moved
)

// pressure compares stations of different heights: each station's pressure is brought to one height by its usual
// difference to its neighbours. Heights above the sea are not known; a place that was wrong from the first day is not
// found by pressure.
func (c *HourChecker) pressure(h *hour, from, to int) {
	list, day := h.list[from:to], h.at/dayHours
	var level []StationHour
	at := make([]int, len(list)) // of each station in level
	for i := range list {
		at[i] = nobody
		if r := h.records[from+i]; r != nil {
			if usual, days := r.usual(day); days >= usualLeast {
				s := list[i]
				s.Mean, s.Median = s.Mean-usual, s.Median-usual
				at[i], level = len(level), append(level, s)
			}
		}
	}
	raw, levelled := h.area(list), h.area(level)
	for i := range list {
		k, found := at[i], []neighbour(nil)
		if k == nobody {
			found = levelled.nearest(&list[i], nobody, h.within)
		} else if found = levelled.around(k); c.outlier(&level[k], level, found) {
			h.flags[from+i] |= ingest.Outlier
		}
		middle := c.middle(level, found)
		if math.IsNaN(middle) {
			middle = c.middle(list, raw.around(i))
		}
		if r := h.records[from+i]; r != nil {
			r.stand(h.at, list[i].Median-middle, c.rules.MovedBy)
		}
	}
}

// stand sets an hour's difference and checks its day, and those after it, anew.
func (r *record) stand(hour int64, difference, by float64) {
	if r.Differences.Of == nil {
		r.Differences, r.Days = newRing[tenths](recheckHours+dayHours), newRing[standing](pastDays+recheckDays)
	}
	r.Differences.put(hour, inTenths(difference))
	for day := hour / dayHours; day <= max(r.Days.Last, hour/dayHours); day++ {
		r.Days.put(day, r.standing(day, by))
	}
}

func (r *record) standing(day int64, by float64) (s standing) {
	usual, days := r.usual(day)
	s.Away = days >= movedLeast
	var differences []float64
	for hour := day * dayHours; hour < (day+1)*dayHours; hour++ {
		if n, ok := r.Differences.at(hour).number(); ok {
			v := float64(n) / 10
			differences = append(differences, v)
			s.Away = s.Away && math.Abs(v-usual) > by
		}
	}
	s.Hours = uint8(len(differences))
	s.Difference, s.Usual = inTenths(median(differences)), inTenths(usual)
	if s.Hours < fullDay {
		s.Away = r.away(day)
	}
	return s
}

// before is the newest day before one that has any hours.
func (r *record) before(day int64) standing {
	for d := day - 1; d >= day-pastDays; d-- {
		if s := r.Days.at(d); s.Hours > 0 {
			return s
		}
	}
	return standing{}
}

// away reports whether the station was seen to stand elsewhere before a day.
func (r *record) away(day int64) bool { return r.before(day).Away }

// usual is the station's usual difference to its neighbours before a day, and of how many days it is known.
func (r *record) usual(day int64) (hPa float64, days int) {
	if last := r.before(day); last.Away {
		n, _ := last.Usual.number()
		return float64(n) / 10, pastDays
	}
	var differences []float64
	for d := day - pastDays; d < day; d++ {
		if s := r.Days.at(d); s.Hours >= fullDay && !s.Away {
			if n, ok := s.Difference.number(); ok {
				differences = append(differences, float64(n)/10)
			}
		}
	}
	return median(differences), len(differences)
}
