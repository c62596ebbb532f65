package quality

import (
	"math"

	"stadtluft/ingest"
)

// compare looks for outliers among a part of the list, and keeps what later hours need: the station's median and the
// neighbours'. An hour of particles that is far off has its explanation already and does not count against how the station
// follows its neighbours; a temperature that is far off all day long is what shows a station indoors.
func (c *HourChecker) compare(h *hour, from, to int) {
	list, area := h.list[from:to], h.area(h.list[from:to])
	for i := range list {
		s, r, found := &list[i], h.records[from+i], area.around(i)
		out, o := c.outlier(s, list, found)
		if out {
			h.flags[from+i] |= ingest.Outlier
		}
		h.set(from+i, ingest.OutlierCheck, o)
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
func (c *HourChecker) outlier(s *StationHour, list []StationHour, found []neighbour) (bool, ingest.Result) {
	least, near := int(c.rules.OutlierNeighbours), c.rules.OutlierNear
	if _, compared := c.rules.outlierFloor(s.Quantity, 0); !compared {
		return false, ingest.Unchecked
	}
	c.scratch = c.scratch[:0]
	for i, n := range found {
		if n.square <= near*near || i < least {
			c.scratch = append(c.scratch, list[n.index].Mean)
		}
	}
	if len(c.scratch) < least {
		return false, ingest.NoNeighbours
	}
	return c.far(s), ingest.Checked
}

// far reports whether an hour's mean is far from those in scratch.
func (c *HourChecker) far(s *StationHour) bool {
	n, middle := len(c.scratch), median(c.scratch)
	floor, _ := c.rules.outlierFloor(s.Quantity, middle)
	if math.Abs(score(s.Mean, middle, floor)) <= c.rules.OutlierZ {
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
