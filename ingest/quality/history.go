package quality

import (
	"math"
	"time"
)

const (
	// remembered hours: the 30 days that a check looks back, and the 2 days that an hour may be judged again.
	historyHours = 32 * 24
	// nothing marks an hour without a value.
	nothing = math.MinInt16
)

// ring keeps a value for each of the last 32 days' hours, in tenths of its unit: ±3276.7, beyond which it is cut.
type ring struct {
	Last   int64 // Unix hour of the newest; 0 before the first
	Tenths [historyHours]int16
}

// put sets an hour's value. Hours more than 32 days before the newest are let go.
func (r *ring) put(hour int64, v float64) {
	if r.Last == 0 {
		for i := range r.Tenths {
			r.Tenths[i] = nothing
		}
		r.Last = hour
	}
	for ; r.Last < hour; r.Last++ {
		if hour-r.Last > historyHours { // a long silence
			r.Last = hour - historyHours
		}
		r.Tenths[slot(r.Last+1)] = nothing
	}
	if r.Last-hour >= historyHours {
		return
	}
	tenths := math.Round(v * 10)
	switch {
	case math.IsNaN(v):
		r.Tenths[slot(hour)] = nothing
	default:
		r.Tenths[slot(hour)] = int16(min(max(tenths, nothing+1), math.MaxInt16))
	}
}

func slot(hour int64) int { return int(hour % historyHours) }

// at is an hour's value; false when it has none.
func (r *ring) at(hour int64) (float64, bool) {
	if hour > r.Last || r.Last-hour >= historyHours || r.Last == 0 {
		return 0, false
	}
	tenths := r.Tenths[slot(hour)]
	return float64(tenths) / 10, tenths != nothing
}

// past appends the values of the hours from <= hour < to.
func (r *ring) past(into []float64, from, to int64) []float64 {
	for hour := from; hour < to; hour++ {
		if v, ok := r.at(hour); ok {
			into = append(into, v)
		}
	}
	return into
}

// history is what is remembered of one quantity of a station: its own hourly medians and its neighbours'.
type history struct{ Own, Neighbours ring }

func unixHour(t time.Time) int64 { return t.Unix() / 3600 }
