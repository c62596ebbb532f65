package quality

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// StationHour is one station's mean of one quantity in a full hour, of values without an excluding flag of their own.
type StationHour struct {
	Station  string
	Cell     geo.Cell // the station's public place, a BaseSize cell: flags are public and would tell an exact place
	Quantity quantity.Quantity
	Mean     float64
	Median   float64
	Count    int // values
}

// HourChecker checks full hours against neighbours and past hours. It has no clock and no store. It is not safe for
// concurrent use.
//
// An hour's flags depend on that hour and on what is remembered of the 30 days before: never on later hours, on the
// order of stations, or on what was found earlier for the same hour. Checking an hour again, after late readings,
// replaces what is remembered of it, so that the result is the same whenever they arrived. An hour can be checked
// again for two days. When a station's place changes, its earlier hours are forgotten.
type HourChecker struct {
	rules    Rules
	stations map[string]*record
	newest   int64 // hour
	scratch  []float64
}

// NewHourChecker returns an HourChecker with an empty memory.
func NewHourChecker(rules Rules) *HourChecker {
	return &HourChecker{rules: rules, stations: map[string]*record{}}
}

// hour is one hour while it is checked.
type hour struct {
	at      int64         // Unix hour
	list    []StationHour // sorted by quantity and station
	flags   []ingest.Flags
	records []*record // nil where nothing may be remembered
	areas   []*area   // of different stations or places
	within  float64   // metres to the farthest neighbour

	hygrometers []StationHour // the part of the list with humidity
}

// Hour checks the hour that starts at start and returns the flags found, sorted.
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
	var hourFlags []ingest.HourFlags
	for i, flags := range h.flags {
		if flags != 0 {
			hourFlags = append(hourFlags, ingest.HourFlags{Station: h.list[i].Station, Hour: start, Quantity: h.list[i].Quantity, Flags: flags})
		}
	}
	slices.SortFunc(hourFlags, ingest.HourFlags.Compare)
	return hourFlags
}

// open sorts an hour's stations. Of a station that was at two places within the hour the one with more values
// counts.
func (c *HourChecker) open(start time.Time, hours []StationHour) *hour {
	h := &hour{at: unixHour(start), list: slices.Clone(hours), within: c.rules.OutlierFar}
	slices.SortFunc(h.list, func(a, b StationHour) int {
		return cmp.Or(cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Station, b.Station), cmp.Compare(b.Count, a.Count),
			a.Cell.Compare(b.Cell))
	})
	h.list = slices.CompactFunc(h.list, func(a, b StationHour) bool { return a.Quantity == b.Quantity && a.Station == b.Station })
	h.flags = make([]ingest.Flags, len(h.list))
	h.records = make([]*record, len(h.list))
	for i := range h.list {
		h.records[i] = c.record(&h.list[i], h.at)
	}
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

// record is a station's, begun anew when it stands elsewhere; nil in an hour before it came to its place.
func (c *HourChecker) record(s *StationHour, at int64) *record {
	r := c.stations[s.Station]
	switch {
	case r == nil, r.Cell != s.Cell && at > r.Newest:
		r = &record{Cell: s.Cell}
		c.stations[s.Station] = r
	case r.Cell != s.Cell:
		return nil
	}
	r.Newest = max(r.Newest, at)
	return r
}

// explain adds what is found of stations by the days before. What explains an hour stands alone.
func (c *HourChecker) explain(h *hour) {
	day := h.at / dayHours
	known := make(map[*record]findings, len(h.list)/4)
	for i, r := range h.records {
		if r == nil {
			continue
		}
		found, ok := known[r]
		if !ok {
			found = c.findings(r, day)
			known[r] = found
		}
		if flags := found.of(h.list[i].Quantity); flags != 0 {
			h.flags[i] = h.flags[i]&^ingest.Excluding | flags
		}
	}
}

// forget lets go of stations that have not been heard for longer than anything looks back.
func (c *HourChecker) forget(at int64) {
	if at/dayHours <= c.newest/dayHours {
		return
	}
	c.newest = at
	for id, r := range c.stations {
		if at-r.Newest > (pastDays+recheckDays)*dayHours {
			delete(c.stations, id)
		}
	}
}
