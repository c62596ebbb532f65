package quality

import (
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// nobody is no place in a list.
const nobody = -1

func byStation(h StationHour, station string) int { return strings.Compare(h.Station, station) }

// humid flags particles by the station's own humidity that was measured nearest to them in the hour, whether it came
// with them or by itself. Where the station has none in the hour the nearest station's mean counts.
func (c *HourChecker) humid(h *hour, from, to int) {
	if len(h.hygrometers) == 0 {
		return
	}
	area := h.area(h.hygrometers)
	for i := from; i < to; i++ {
		s := &h.list[i]
		if k, own := slices.BinarySearchFunc(h.hygrometers, s.Station, byStation); own {
			c.humidByOwn(h, i, &h.hygrometers[k])
		} else if near := area.nearest(s, nobody, c.rules.HumidWithin); len(near) > 0 && h.hygrometers[near[0].index].Mean >= c.rules.Humid {
			h.flags[i] |= ingest.Humid
		}
	}
}

// humidByOwn flags the whole hour, or the spans of it, whose values were measured in humid air.
func (c *HourChecker) humidByOwn(h *hour, i int, own *StationHour) {
	flag, spans := c.wet(&h.list[i], own)
	h.flags[i] |= flag
	if len(spans) > 0 {
		h.spans[i] = spans
	}
}

// wet returns the flag of a whole hour, or the spans of it, whose values were measured in humid air.
func (c *HourChecker) wet(s, own *StationHour) (ingest.Flags, []ingest.Span) {
	spans := humidSpans(s.Samples, own.Samples, c.rules.Humid)
	values := 0
	for _, s := range spans {
		values += int(s.Values)
	}
	if values > 0 && values == len(s.Samples) {
		return ingest.Humid, nil
	}
	return 0, spans
}

// indoors adds what was found of stations indoors and flags particles by the station's own humidity
// alone: the air outdoors is another.
func (c *HourChecker) indoors(h *hour, start time.Time, list []StationHour, flags []ingest.Flags) {
	own := map[string]*StationHour{}
	for i := range list {
		if s := &list[i]; s.Quantity == quantity.Humidity {
			own[s.Station] = s
		}
	}
	for i := range list {
		var flag ingest.Flags
		var spans []ingest.Span
		if s := &list[i]; particles(s.Quantity) && own[s.Station] != nil {
			flag, spans = c.wet(s, own[s.Station])
		}
		h.find(start, &list[i], flags[i]|flag, spans)
	}
}

// humidSpans returns the runs of values whose nearest humidity is at least that many percent; of two that are as near the
// earlier counts. It returns nothing without humidity.
func humidSpans(values, humidity []Sample, percent float64) (spans []ingest.Span) {
	if len(humidity) == 0 {
		return nil
	}
	near, dry := 0, true
	for _, v := range values {
		for near+1 < len(humidity) && apart(humidity[near+1], v) < apart(humidity[near], v) {
			near++
		}
		switch wet := humidity[near].Value >= percent; {
		case !wet:
			dry = true
		case dry:
			spans, dry = append(spans, ingest.Span{From: v.Second, To: v.Second, Values: 1}), false
		default:
			last := &spans[len(spans)-1]
			last.To, last.Values = v.Second, last.Values+1
		}
	}
	return spans
}

// apart returns how many seconds two samples of an hour are apart.
func apart(a, b Sample) int {
	d := int(a.Second) - int(b.Second)
	return max(d, -d)
}
