package quality

import (
	"math"
	"slices"
	"strings"

	"stadtluft/ingest"
)

// compare looks for outliers among a part of the list, and keeps what later hours need: the station's median and the
// neighbours'. An hour of particles that is far off has its explanation already and does not count against how the station
// follows its neighbours; a temperature that is far off all day long is what shows a station indoors.
func (c *HourChecker) compare(h *hour, from, to int) {
	list, area := h.list[from:to], h.area(h.list[from:to])
	for i := range list {
		s, r, found := &list[i], h.records[from+i], area.around(i)
		if c.outlier(s, list, found) {
			h.flags[from+i] |= ingest.Outlier
		}
		if r == nil {
			continue
		}
		if past := r.history(s.Quantity); past != nil {
			near := noValue
			if h.flags[from+i].Good() || !particles(s.Quantity) {
				near = c.middle(list, found)
			}
			past.remember(h.at, s.Median, near, c.rules.IndoorShare)
		}
	}
}

// outlier compares with all neighbours that are near, or with as many as it takes of those farther away.
func (c *HourChecker) outlier(s *StationHour, list []StationHour, found []neighbour) bool {
	least, near := int(c.rules.OutlierNeighbours), c.rules.OutlierNear
	c.scratch = c.scratch[:0]
	for i, n := range found {
		if n.square <= near*near || i < least {
			c.scratch = append(c.scratch, list[n.index].Mean)
		}
	}
	n := len(c.scratch)
	if n < least {
		return false
	}
	middle := median(c.scratch)
	floor, compared := c.rules.outlierFloor(s.Quantity, middle)
	if !compared || math.Abs(score(s.Mean, middle, floor)) <= c.rules.OutlierZ {
		return false // whatever the deviation is
	}
	return math.Abs(score(s.Mean, middle, max(floor, deviation(c.scratch, middle)*fewer(n)))) > c.rules.OutlierZ
}

// middle is the median of the neighbours' medians; NaN where there are too few.
func (c *HourChecker) middle(list []StationHour, found []neighbour) float64 {
	if len(found) < int(c.rules.OutlierNeighbours) {
		return noValue
	}
	c.scratch = c.scratch[:0]
	for _, n := range found {
		c.scratch = append(c.scratch, list[n.index].Median)
	}
	return median(c.scratch)
}

// nobody is no place in a list.
const nobody = -1

func byStation(h StationHour, station string) int { return strings.Compare(h.Station, station) }

// humid is for particle counters of stations that measured no humidity themselves: the nearest's counts.
func (c *HourChecker) humid(h *hour, from, to int) {
	if len(h.hygrometers) == 0 {
		return
	}
	area := h.area(h.hygrometers)
	for i := from; i < to; i++ {
		s := &h.list[i]
		if _, own := slices.BinarySearchFunc(h.hygrometers, s.Station, byStation); own {
			continue // its readings say it themselves
		}
		if near := area.nearest(s, nobody, c.rules.HumidWithin); len(near) > 0 && h.hygrometers[near[0].index].Mean >= c.rules.Humid {
			h.flags[i] |= ingest.Humid
		}
	}
}
