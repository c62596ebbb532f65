package quality

import (
	"math"

	"stadtluft/ingest"
)

// spikes compares each station of a part of the list with its own past. What half of the neighbours share is the air, also
// where it shows in theirs by half as many deviations. Without neighbours that have a past nobody can say.
func (c *HourChecker) spikes(h *hour, from, to int) {
	list := h.list[from:to]
	scores := make([]float64, len(list)) // NaN where there is no past
	for i := range list {
		scores[i] = c.past(h, from+i)
	}
	for i, z := range scores {
		if h.records[from+i].history(list[i].Quantity) == nil {
			continue
		}
		if math.IsNaN(z) {
			h.set(from+i, ingest.SpikeCheck, ingest.NoHistory)
			continue
		}
		c.scratch = c.scratch[:0]
		for _, n := range h.area(list).around(i) {
			if other := scores[n.index] * math.Copysign(1, z); !math.IsNaN(other) {
				c.scratch = append(c.scratch, other)
			}
		}
		if len(c.scratch) < int(c.rules.SpikeNeighbours) {
			h.set(from+i, ingest.SpikeCheck, ingest.NoNeighbours)
			continue
		}
		h.set(from+i, ingest.SpikeCheck, ingest.Checked)
		if math.Abs(z) > c.rules.SpikeZ && median(c.scratch) <= c.rules.SpikeZ/2 {
			h.flags[from+i] |= ingest.Spike
		}
	}
}

// past is the score of an hour's mean against the station's past; NaN where that is too short. A score of less than half
// the threshold may be given as 0.
func (c *HourChecker) past(h *hour, i int) float64 {
	s := &h.list[i]
	past := h.records[i].history(s.Quantity)
	if past == nil {
		return noValue
	}
	c.scratch = c.scratch[:0]
	above, below, margin := 0, 0, c.rules.SpikeZ/2*sigmas*c.rules.SpikeFloor
	older, newer := past.Own.between(h.at-int64(c.rules.SpikePast), h.at)
	for _, piece := range [2][]tenths{older, newer} {
		for _, t := range piece {
			n, ok := t.number()
			if !ok {
				continue
			}
			v := float64(n) / 10
			c.scratch = append(c.scratch, v)
			if v >= s.Mean+margin {
				above++
			} else if v <= s.Mean-margin {
				below++
			}
		}
	}
	n := len(c.scratch)
	if n < int(c.rules.SpikeLeast) {
		return noValue
	}
	if 2*above < n && 2*below < n {
		return 0 // the median is nearer: no need to sort
	}
	middle := median(c.scratch)
	return score(s.Mean, middle, max(c.rules.SpikeFloor, deviation(c.scratch, middle)))
}
