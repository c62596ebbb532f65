package quality

import (
	"math"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

const (
	// recheckHours is how long after an hour late readings may have it checked again, with an hour to spare.
	recheckHours = 50
	spikeHours   = 360 // the longest past that spikes look back on
	pastDays     = 30  // the longest past that findings on a station look back on

	dayHours    = 24
	fullDay     = 18 // hours that make a day (39. BImSchV, Anlage 11)
	recheckDays = 3  // days that hours to be checked again belong to
)

// ring keeps an entry for each of the last hours or days; a zero entry is none. Its memory grows with the time from the first
// entry on.
type ring[T any] struct {
	First int64 // number of an hour or day since 1970 before which nothing was ever put
	Last  int64 // number of the newest; 0 before the first
	Most  int64 // how many there may be
	Of    []T
}

func newRing[T any](most int) ring[T] { return ring[T]{Most: int64(most)} }

// at is the entry of an hour or day; zero when it has none.
func (r *ring[T]) at(i int64) (entry T) {
	if i <= r.Last && r.Last-i < int64(len(r.Of)) {
		entry = r.Of[i%int64(len(r.Of))]
	}
	return entry
}

// grow makes room for an entry and those that are there.
func (r *ring[T]) grow(i int64) {
	const step = 8
	if len(r.Of) == 0 {
		r.First = i
	}
	r.First = min(r.First, i)
	need := min(max(r.Last, i)-r.First+1, r.Most)
	if need <= int64(len(r.Of)) {
		return
	}
	grown := make([]T, min((need+step-1)/step*step, r.Most))
	for j := max(r.First, r.Last-int64(len(r.Of))+1); j <= r.Last; j++ {
		grown[j%int64(len(grown))] = r.at(j)
	}
	r.Of = grown
}

// between are the entries from <= i < to that are there, in order, in two pieces.
func (r *ring[T]) between(from, to int64) (older, newer []T) {
	length := int64(len(r.Of))
	from, to = max(from, r.Last-length+1), min(to, r.Last+1)
	if from >= to {
		return nil, nil
	}
	first, last := from%length, (to-1)%length
	if first <= last {
		return r.Of[first : last+1], nil
	}
	return r.Of[first:], r.Of[:last+1]
}

// put sets an entry. What is too old by then is let go.
func (r *ring[T]) put(i int64, entry T) {
	if r.Last-i >= r.Most {
		return
	}
	r.grow(i)
	length := int64(len(r.Of))
	var none T
	for j := max(r.Last+1, i-length+1); j < i; j++ {
		r.Of[j%length] = none
	}
	r.Last = max(r.Last, i)
	r.Of[i%length] = entry
}

// cut forgets an entry and those after it.
func (r *ring[T]) cut(from int64) {
	var none T
	length := int64(len(r.Of))
	for i := max(from, r.Last-length+1); i <= r.Last; i++ {
		r.Of[i%length] = none
	}
	r.Last = min(r.Last, from-1)
}

// tenths is a value in tenths of its unit, one more where it is not negative, so that 0 is none. It is cut at ±3276.6.
type tenths int16

func inTenths(v float64) tenths {
	switch t := math.Round(v * 10); {
	case math.IsNaN(v):
		return 0
	case t >= 0:
		return tenths(min(t+1, math.MaxInt16))
	default:
		return tenths(max(t, math.MinInt16))
	}
}

// number is the value in tenths; false for none.
func (t tenths) number() (n int64, ok bool) {
	if t > 0 {
		t--
		return int64(t), true
	}
	return int64(t), t != 0
}

// history is what is remembered of one quantity of a station.
type history struct {
	Own  ring[tenths] // hourly medians
	Near ring[tenths] // the neighbours' median, of hours in which the station is compared with it
	Days ring[sums]
}

func newHistory(q quantity.Quantity) *history {
	own := recheckHours + dayHours
	if particles(q) {
		own = spikeHours + recheckHours
	}
	return &history{newRing[tenths](own), newRing[tenths](recheckHours + dayHours), newRing[sums](pastDays + recheckDays)}
}

// sums are those of a day's pairs of a station's hours and its neighbours', in tenths: enough for a correlation over
// many days. Squares and products are of differences from the day's means.
type sums struct {
	N          uint8 // pairs
	Hours      uint8 // with a median of the station's own
	Narrow     bool  // the station's range is a small share of the neighbours'
	X, Y       int32
	XX, YY, XY float32
}

// remember sets an hour and gathers its day again.
func (h *history) remember(hour int64, own, near, narrow float64) {
	h.Own.put(hour, inTenths(own))
	h.Near.put(hour, inTenths(near))
	day := hour / dayHours
	h.Days.put(day, h.gather(day, narrow))
}

// rewind forgets an hour and those after it.
func (h *history) rewind(hour int64, narrow float64) {
	h.Own.cut(hour)
	h.Near.cut(hour)
	day := hour / dayHours
	h.Days.cut(day)
	if s := h.gather(day, narrow); s.Hours > 0 {
		h.Days.put(day, s)
	}
}

func (h *history) gather(day int64, narrow float64) (s sums) {
	var xx, yy, xy int64
	own, near := newSpan(), newSpan()
	for hour := day * dayHours; hour < (day+1)*dayHours; hour++ {
		x, ok := h.Own.at(hour).number()
		if !ok {
			continue
		}
		s.Hours++
		y, both := h.Near.at(hour).number()
		if !both {
			continue
		}
		s.N++
		s.X, s.Y = s.X+int32(x), s.Y+int32(y)
		xx, yy, xy = xx+x*x, yy+y*y, xy+x*y
		own.add(x)
		near.add(y)
	}
	if s.N > 0 {
		n, x, y := int64(s.N), int64(s.X), int64(s.Y)
		s.XX, s.YY, s.XY = float32(float64(n*xx-x*x)/float64(n)), float32(float64(n*yy-y*y)/float64(n)), float32(float64(n*xy-x*y)/float64(n))
	}
	s.Narrow = s.N >= fullDay && float64(own.width()) < narrow*float64(near.width())
	return s
}

// span is from the smallest to the largest of some numbers.
type span struct{ low, high int64 }

func newSpan() span { return span{math.MaxInt64, math.MinInt64} }

func (s *span) add(n int64) { s.low, s.high = min(s.low, n), max(s.high, n) }

func (s *span) width() int64 { return s.high - s.low }

func unixHour(t time.Time) int64 { return t.Unix() / 3600 }
