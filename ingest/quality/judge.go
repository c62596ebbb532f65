package quality

import (
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// StationHour is what one station measured of one quantity in a full hour, of values that no check has excluded.
type StationHour struct {
	Station  string
	East     float64 // metres, EPSG:3035
	North    float64
	Quantity wire.Quantity
	Mean     float64
	Median   float64
	Count    int // values
}

// Judge judges full hours by looking back and around. It knows no clock and no store. It is not safe for concurrent use.
//
// An hour's verdicts depend on that hour and on what is remembered of the 30 days before, never on later hours or on
// the order of stations. Judging an hour again, after late readings, replaces what is remembered of it. An hour must
// be judged at most 2 days after it was first.
type Judge struct {
	rules    Rules
	stations map[string]*record
	scratch  []float64
}

// record is what is remembered of a station: at most 12 KiB.
type record struct {
	Quantities map[wire.Quantity]*history
	Offset     ring // pressure above the neighbours' median, hPa
}

// remembering are the quantities whose past is looked at.
var remembering = []wire.Quantity{wire.PM2_5, wire.PM10, wire.Temperature}

// NewJudge makes a judge that remembers nothing.
func NewJudge(rules Rules) *Judge { return &Judge{rules: rules, stations: map[string]*record{}} }

// hour is one hour while it is judged.
type hour struct {
	at       int64 // Unix hour
	areas    map[wire.Quantity]*area
	verdicts map[ingest.Verdict]ingest.Flags // by station, hour and quantity, with no flags in the key
	start    time.Time
}

func (h *hour) flag(s *StationHour, flags ingest.Flags) {
	if flags != 0 {
		h.verdicts[ingest.Verdict{Station: s.Station, Hour: h.start, Quantity: s.Quantity}] |= flags
	}
}

// Hour judges the hour that starts at start and returns the verdicts with flags, sorted.
func (j *Judge) Hour(start time.Time, hours []StationHour) []ingest.Verdict {
	h := &hour{at: unixHour(start), start: start, areas: map[wire.Quantity]*area{}, verdicts: map[ingest.Verdict]ingest.Flags{}}
	byQuantity := map[wire.Quantity][]*StationHour{}
	for i := range hours {
		byQuantity[hours[i].Quantity] = append(byQuantity[hours[i].Quantity], &hours[i])
	}
	for q, list := range byQuantity {
		h.areas[q] = newArea(list)
	}
	for q, list := range byQuantity {
		for _, s := range list {
			j.judge(h, q, s)
		}
	}
	daily := map[string]map[wire.Quantity]ingest.Flags{}
	for i := range hours {
		s := &hours[i]
		if daily[s.Station] == nil {
			daily[s.Station] = j.judgeDay(j.stations[s.Station], h.at/24*24)
		}
		h.flag(s, daily[s.Station][s.Quantity]|daily[s.Station][everything])
	}
	verdicts := make([]ingest.Verdict, 0, len(h.verdicts))
	for v, flags := range h.verdicts {
		v.Flags = flags
		verdicts = append(verdicts, v)
	}
	slices.SortFunc(verdicts, ingest.Verdict.Compare)
	return verdicts
}

// judge runs the checks of one quantity of a station, and remembers the hour.
func (j *Judge) judge(h *hour, q wire.Quantity, s *StationHour) {
	near := h.areas[q].around(s, j.rules.OutlierFar)
	if floor, ok := j.rules.outlierFloor(q); ok {
		h.flag(s, j.outlier(s, near, floor))
	}
	if particles(q) {
		h.flag(s, j.humid(h, s))
	}
	middle := math.NaN()
	if len(near) >= j.rules.OutlierNeighbours {
		j.scratch = means(j.scratch[:0], near)
		middle = median(j.scratch)
	}
	r := j.record(s.Station)
	if q == wire.Pressure {
		r.Offset.put(h.at, s.Median-middle)
	}
	if !slices.Contains(remembering, q) {
		return
	}
	past := r.Quantities[q]
	if past == nil {
		past = &history{}
		r.Quantities[q] = past
	}
	if particles(q) {
		h.flag(s, j.spike(h, s, near))
	}
	past.Own.put(h.at, s.Median)
	past.Neighbours.put(h.at, middle)
}

func (j *Judge) record(station string) *record {
	r := j.stations[station]
	if r == nil {
		r = &record{Quantities: map[wire.Quantity]*history{}}
		j.stations[station] = r
	}
	return r
}

func particles(q wire.Quantity) bool {
	return q == wire.PM1 || q == wire.PM2_5 || q == wire.PM4 || q == wire.PM10
}

// outlier compares with at least five neighbours within 3 km, or as far as it takes up to 10 km.
func (j *Judge) outlier(s *StationHour, near []neighbour, floor float64) ingest.Flags {
	n := 0
	for n < len(near) && (near[n].distance <= j.rules.OutlierNear || n < j.rules.OutlierNeighbours) {
		n++
	}
	if n < j.rules.OutlierNeighbours {
		return 0
	}
	j.scratch = means(j.scratch[:0], near[:n])
	if math.Abs(robustZ(s.Mean, j.scratch, floor)) > j.rules.OutlierZ {
		return ingest.Outlier
	}
	return 0
}

// spike compares with the station's own past. What the neighbourhood shares is no spike: when the median of the neighbours'
// own scores is above half the threshold. Without three neighbours that have a past nobody can say.
func (j *Judge) spike(h *hour, s *StationHour, near []neighbour) ingest.Flags {
	z, ok := j.score(h, s)
	if !ok || math.Abs(z) <= j.rules.SpikeZ {
		return 0
	}
	var others []float64
	for _, n := range near {
		if z, ok := j.score(h, n.StationHour); ok {
			others = append(others, z)
		}
	}
	if len(others) < j.rules.SpikeNeighbours || math.Abs(median(others)) > j.rules.SpikeZ/2 {
		return 0
	}
	return ingest.Spike
}

// score is the robust score of an hour against the station's past.
func (j *Judge) score(h *hour, s *StationHour) (z float64, ok bool) {
	r := j.stations[s.Station]
	if r == nil || r.Quantities[s.Quantity] == nil {
		return 0, false
	}
	j.scratch = r.Quantities[s.Quantity].Own.past(j.scratch[:0], h.at-int64(j.rules.SpikePast), h.at)
	if len(j.scratch) < j.rules.SpikeLeast {
		return 0, false
	}
	return robustZ(s.Median, j.scratch, j.rules.SpikeFloor), true
}

// humid is for a station that measured no humidity itself: the nearest's within 5 km counts.
func (j *Judge) humid(h *hour, s *StationHour) ingest.Flags {
	hygrometers := h.areas[wire.Humidity]
	if hygrometers == nil {
		return 0
	}
	for _, other := range hygrometers.buckets[bucketOf(s)] {
		if other.Station == s.Station {
			return 0 // its readings say it themselves
		}
	}
	if near := hygrometers.around(s, j.rules.HumidWithin); len(near) > 0 && near[0].Mean >= j.rules.Humid {
		return ingest.Humid
	}
	return 0
}

// everything stands for all quantities of a station.
const everything wire.Quantity = 0

// judgeDay are the flags that hold for a whole day, by the hours before it.
func (j *Judge) judgeDay(r *record, end int64) map[wire.Quantity]ingest.Flags {
	flags := map[wire.Quantity]ingest.Flags{}
	for q, past := range r.Quantities {
		if j.uncorrelated(past, end) {
			flags[q] |= ingest.Uncorrelated
		}
	}
	if temperature := r.Quantities[wire.Temperature]; temperature != nil && j.indoor(temperature, end) {
		flags[everything] |= ingest.SeemsIndoor
	}
	if j.moved(&r.Offset, end) {
		flags[everything] |= ingest.Moved
	}
	return flags
}

func (j *Judge) uncorrelated(past *history, end int64) bool {
	var p pearson
	for at := end - int64(j.rules.CorrelationPast); at < end; at++ {
		x, ok := past.Own.at(at)
		y, both := past.Neighbours.at(at)
		if ok && both {
			p.add(x, y)
		}
	}
	return int(p.n) >= j.rules.CorrelationLeast && p.r() < j.rules.Correlation
}

// indoor compares each day's range of temperature with that of the neighbours' median.
func (j *Judge) indoor(past *history, end int64) bool {
	const full = 18 // hours of a day that must be there
	days := 0
	for day := range int64(j.rules.IndoorOf) {
		from := end - 24*(day+1)
		own, near := newSpan(), newSpan()
		for at := from; at < from+24; at++ {
			x, ok := past.Own.at(at)
			y, both := past.Neighbours.at(at)
			if ok && both {
				own.add(x)
				near.add(y)
			}
		}
		if own.n >= full && own.width() < j.rules.Indoor*near.width() {
			days++
		}
	}
	return days >= j.rules.IndoorDays
}

type span struct {
	low, high float64
	n         int
}

func newSpan() span { return span{low: math.Inf(1), high: math.Inf(-1)} }

func (s *span) add(v float64) {
	s.low, s.high = math.Min(s.low, v), math.Max(s.high, v)
	s.n++
}

func (s *span) width() float64 { return s.high - s.low }

// moved looks at the pressure above the neighbours': its usual difference is the height's, and when a day's differs the
// station stands elsewhere.
func (j *Judge) moved(offset *ring, end int64) bool {
	const day, least, most = 24, 18, 30 * 24
	usual := offset.past(nil, end-most, end-day)
	last := offset.past(nil, end-day, end)
	if len(usual) < 3*day || len(last) < least {
		return false
	}
	middle := median(usual)
	for _, v := range last {
		if math.Abs(v-middle) <= j.rules.Moved {
			return false
		}
	}
	return true
}
