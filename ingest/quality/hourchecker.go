package quality

import (
	"cmp"
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// StationHour is one station's mean of one quantity in a full hour, of values without an excluding flag of their own.
type StationHour struct {
	Station      string
	Indoors      bool     // it is compared with nobody outdoors, and they not with it
	Cell         geo.Cell // the station's public place, a BaseSize cell: flags are public and would tell an exact place
	Installation int      // its number: what was measured in the same place by earlier sensors is another's past
	Quantity     quantity.Quantity
	Mean         float64
	Median       float64
	Count        int      // values
	Steady       bool     // all values are the same
	Resolution   float64  // of its particle counter, µg/m³
	Samples      []Sample // the values, ascending by time; those of particles and of humidity are looked at
}

// Sample is one value of an hour.
type Sample struct {
	Second uint16 // of the hour
	Value  float64
}

// LookBack is how far back the longest chain of checks looks: a station has moved by a day up to standingDays ago, which
// is compared with usualPast days before it. Flags of an hour do not depend on anything earlier.
const LookBack = (usualPast + standingDays + 1) * dayHours * time.Hour

// Again is how far back, from the newest hour, hours can be checked again.
const Again = (recheckHours - 1) * time.Hour

// HourChecker checks full hours against neighbours and past hours. It has no clock and no store. It is not safe for
// concurrent use.
//
// An hour's flags are a function of the hours of LookBack before it and of itself. What the HourChecker remembers of
// them is a cache: hours are checked in ascending order, and one that is checked again, within Again of the newest,
// makes the HourChecker forget it and those after it. To begin anywhere, have the hours of LookBack checked first.
type HourChecker struct {
	rules   Rules
	records map[recordKey]*record
	newest  int64 // hour
	day     int64 // in which records were last let go
	scratch []float64
}

// NewHourChecker returns an HourChecker with an empty memory.
func NewHourChecker(rules Rules) *HourChecker {
	return &HourChecker{rules: rules, records: map[recordKey]*record{}}
}

// Newest returns the start of the newest hour that was checked; zero when there is none.
func (c *HourChecker) Newest() time.Time {
	if c.newest == 0 {
		return time.Time{}
	}
	return time.Unix(c.newest*3600, 0).UTC()
}

// hour is one hour while it is checked.
type hour struct {
	at      int64         // Unix hour
	list    []StationHour // sorted by quantity and station, without those that are stuck
	flags   []ingest.Flags
	records []*record
	areas   []*area // of different stations or places
	within  float64 // metres to the farthest neighbour

	hygrometers []StationHour // the part of the list with humidity
	spans       map[int][]ingest.Span
	found       []ingest.HourFlags
}

// Hour checks the hour that starts at start and returns flags and results of its checks, sorted.
func (c *HourChecker) Hour(start time.Time, hours []StationHour) []ingest.HourFlags {
	h := c.open(start, hours)
	h.each(func(q quantity.Quantity, from, to int) {
		switch {
		case particles(q):
			c.spikes(h, from, to)
			c.humid(h, from, to)
			c.compare(h, from, to)
		case q == quantity.Pressure:
			c.pressure(h, from, to)
		default:
			c.compare(h, from, to)
		}
	})
	c.explain(h)
	c.forget(h.at)
	for i, flags := range h.flags {
		h.find(start, &h.list[i], flags, h.spans[i])
	}
	slices.SortFunc(h.found, ingest.HourFlags.Compare)
	return h.found
}

// find adds what was found of a station and quantity, if anything was.
func (h *hour) find(start time.Time, s *StationHour, flags ingest.Flags, humid []ingest.Span) {
	if flags != 0 || len(humid) > 0 {
		h.found = append(h.found, ingest.HourFlags{Station: s.Station, Hour: start, Quantity: s.Quantity, Flags: flags, Humid: humid})
	}
}

// open sorts an hour's stations, and finds those that are stuck: nobody is compared with them. Those indoors it checks at once. Of a station that was at
// two places within the hour the one with more values counts.
func (c *HourChecker) open(start time.Time, hours []StationHour) *hour {
	h := &hour{at: unixHour(start), within: c.rules.OutlierFar, spans: map[int][]ingest.Span{}}
	c.rewind(h.at)
	all := slices.Clone(hours)
	slices.SortFunc(all, func(a, b StationHour) int {
		return cmp.Or(cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Station, b.Station), cmp.Compare(b.Count, a.Count),
			a.Cell.Compare(b.Cell))
	})
	all = slices.CompactFunc(all, func(a, b StationHour) bool { return a.Quantity == b.Quantity && a.Station == b.Station })
	var indoors []StationHour
	var inside []ingest.Flags
	h.list, h.flags, h.records = all[:0], make([]ingest.Flags, 0, len(all)), make([]*record, 0, len(all))
	for _, s := range all {
		r := c.record(&s, h.at)
		stuck, result := c.stuck(r, &s, h.at)
		flags := ingest.Flags(0).With(ingest.StuckCheck, result)
		if stuck {
			h.found = append(h.found, ingest.HourFlags{Station: s.Station, Hour: start, Quantity: s.Quantity, Flags: flags | ingest.Stuck})
			continue
		}
		if s.Indoors {
			indoors, inside = append(indoors, s), append(inside, flags)
			continue
		}
		h.list, h.flags, h.records = append(h.list, s), append(h.flags, flags), append(h.records, r)
	}
	c.indoors(h, start, indoors, inside)
	h.each(func(q quantity.Quantity, from, to int) {
		if q == quantity.Humidity {
			h.hygrometers = h.list[from:to]
		}
	})
	return h
}

// area is that of a part of the list. Most quantities come from the same stations and share one.
func (h *hour) area(list []StationHour) *area {
	for _, a := range h.areas {
		if a.isOf(list) {
			return a
		}
	}
	a := newArea(list, h.within)
	h.areas = append(h.areas, a)
	return a
}

// each calls do with the part of the list of each quantity.
func (h *hour) each(do func(q quantity.Quantity, from, to int)) {
	for from := 0; from < len(h.list); {
		q, to := h.list[from].Quantity, from
		for to < len(h.list) && h.list[to].Quantity == q {
			to++
		}
		do(q, from, to)
		from = to
	}
}

// set sets the result of a check.
func (h *hour) set(i int, c ingest.Check, o ingest.Result) { h.flags[i] = h.flags[i].With(c, o) }

// record returns what is remembered of a station with its sensors at its place.
func (c *HourChecker) record(s *StationHour, at int64) *record {
	key := recordKey{s.Station, s.Cell, s.Installation}
	r := c.records[key]
	if r == nil {
		r = &record{}
		c.records[key] = r
	}
	r.Newest = max(r.Newest, at)
	return r
}

// explain adds what is found of stations by the days before. What explains an hour stands alone.
func (c *HourChecker) explain(h *hour) {
	day := h.at / dayHours
	known := make(map[*record]findings, len(h.list)/4)
	for i, r := range h.records {
		found, ok := known[r]
		if !ok {
			found = c.findings(r, day)
			known[r] = found
		}
		flags := found.of(h.list[i].Quantity)
		if !flags.Good() {
			h.flags[i] &^= ingest.Excluding
		}
		h.flags[i] |= flags
	}
}

// rewind forgets an hour and those after it.
func (c *HourChecker) rewind(at int64) {
	if at <= c.newest {
		for _, r := range c.records {
			r.rewind(at, &c.rules)
		}
	}
	c.newest = at
}

// forget lets go of stations that have not been heard for longer than anything looks back.
func (c *HourChecker) forget(at int64) {
	day := at / dayHours
	if day == c.day {
		return
	}
	c.day = day
	for key, r := range c.records {
		if time.Duration(at-r.Newest)*time.Hour > LookBack+Again {
			delete(c.records, key)
		}
	}
}

// noValue stands for a value that is not known.
var noValue = math.NaN()
