package averages

import (
	"slices"
	"sync"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// hourFlags holds the flags of the hours in memory. The zero value is ready.
type hourFlags struct {
	mu    sync.Mutex // guards hours
	hours map[time.Time]*checkedHour
}

// checkedHour holds the flags of one hour.
type checkedHour struct {
	flags  map[flagKey]ingest.HourFlags // without those that say nothing
	values map[flagKey]int              // how many values got them when they were last written
}

type flagKey struct {
	station  string
	quantity quantity.Quantity
}

// Apply adds HourFlags from the journal.
func (a *Averages) Apply(v ingest.HourFlags) {
	a.hourFlags.mu.Lock()
	defer a.hourFlags.mu.Unlock()
	a.apply(v)
}

// Known adds flags that the store has. What is stored of a part of an hour's values only is written again when the hour is
// checked.
func (a *Averages) Known(s Stored) {
	a.hourFlags.mu.Lock()
	defer a.hourFlags.mu.Unlock()
	a.apply(s.HourFlags)
	a.hourFlags.of(s.Hour).values[flagKey{s.Station, s.Quantity}] = s.Values
}

// apply needs hourFlags.mu.
func (a *Averages) apply(v ingest.HourFlags) {
	h := a.hourFlags.of(v.Hour)
	key := flagKey{v.Station, v.Quantity}
	if v.Flags == 0 && len(v.Humid) == 0 {
		delete(h.flags, key)
		delete(h.values, key)
	} else {
		h.flags[key] = v
	}
	a.Aggregate.Exclude(v.Hour, aggregate.Excluded{Station: v.Station, Quantity: v.Quantity}, !v.Flags.Good())
}

// of returns an hour, which it adds if needed. It needs mu.
func (v *hourFlags) of(hour time.Time) *checkedHour {
	if v.hours == nil {
		v.hours = map[time.Time]*checkedHour{}
	}
	h := v.hours[hour]
	if h == nil {
		h = &checkedHour{flags: map[flagKey]ingest.HourFlags{}, values: map[flagKey]int{}}
		v.hours[hour] = h
	}
	return h
}

func (v *hourFlags) prune(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for hour := range v.hours {
		if !hour.After(now.Add(-aggregate.Retention)) {
			delete(v.hours, hour)
		}
	}
}

// differ returns the flags to write, in order of station and quantity: those that differ from the known ones, and those
// of which not all values have them.
func (v *hourFlags) differ(start time.Time, found []ingest.HourFlags, values map[flagKey]int) (batch []ingest.HourFlags, changed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.of(start)
	return difference(start, found, h.flags, func(key flagKey) bool { return h.values[key] == values[key] })
}

// difference returns the flags that were found and are not known as they are, or are not complete, and empty ones for
// those that are known and were not found. changed is true when an average will differ.
func difference(start time.Time, found []ingest.HourFlags, known map[flagKey]ingest.HourFlags, complete func(flagKey) bool) (batch []ingest.HourFlags, changed bool) {
	there := make(map[flagKey]bool, len(found))
	for _, f := range found {
		key := flagKey{f.Station, f.Quantity}
		there[key] = true
		old, ok := known[key]
		changed = changed || old.Flags.Good() != f.Flags.Good()
		if !ok || !old.Equal(&f) || !complete(key) {
			batch = append(batch, f)
		}
	}
	for key, old := range known {
		if !there[key] {
			batch = append(batch, ingest.HourFlags{Station: key.station, Hour: start, Quantity: key.quantity})
			changed = changed || !old.Flags.Good()
		}
	}
	slices.SortFunc(batch, ingest.HourFlags.Compare)
	return batch, changed
}

// appended remembers how many values get the flags that were written.
func (v *hourFlags) appended(start time.Time, batch []ingest.HourFlags, values map[flagKey]int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.of(start)
	for _, f := range batch {
		key := flagKey{f.Station, f.Quantity}
		if n := values[key]; n > 0 {
			h.values[key] = n
		}
	}
}
