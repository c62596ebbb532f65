package averages

import (
	"iter"
	"slices"
	"sync"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// hourFlags holds the flags of the hours in memory, in six bytes for each series and hour. The zero value is ready.
type hourFlags struct {
	mu      sync.Mutex // guards what follows
	numbers map[flagKey]int
	keys    []flagKey // by number
	hours   map[time.Time]*checkedHour
}

// checkedHour holds the flags of one hour. Its lists are by the numbers of series, and may be shorter than there are.
type checkedHour struct {
	flags  []ingest.Flags
	values []uint16              // how many values got them when they were last written
	humid  map[int][]ingest.Span // see ingest.HourFlags; of series that have some
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
	h, i := a.apply(s.HourFlags)
	h.values[i] = uint16(s.Values)
}

// apply returns the hour and the number of the series. It needs hourFlags.mu.
func (a *Averages) apply(v ingest.HourFlags) (*checkedHour, int) {
	h, i := a.hourFlags.of(v.Hour, flagKey{v.Station, v.Quantity})
	h.flags[i] = v.Flags
	if len(v.Humid) > 0 {
		if h.humid == nil {
			h.humid = map[int][]ingest.Span{}
		}
		h.humid[i] = v.Humid
	} else {
		delete(h.humid, i)
	}
	if v.Flags == 0 && len(v.Humid) == 0 {
		h.values[i] = 0
	}
	a.Aggregate.Exclude(v.Hour, aggregate.Excluded{Station: v.Station, Quantity: v.Quantity}, !v.Flags.Good())
	return h, i
}

// of returns an hour with room for a series, and the number of the series. It needs mu.
func (f *hourFlags) of(hour time.Time, key flagKey) (*checkedHour, int) {
	if f.hours == nil {
		f.numbers, f.hours = map[flagKey]int{}, map[time.Time]*checkedHour{}
	}
	i, known := f.numbers[key]
	if !known {
		i = len(f.keys)
		f.numbers[key], f.keys = i, append(f.keys, key)
	}
	h := f.hours[hour]
	if h == nil {
		h = &checkedHour{}
		f.hours[hour] = h
	}
	if i >= len(h.flags) {
		h.grow(len(f.keys))
	}
	return h, i
}

// grow makes room for a number of series.
func (h *checkedHour) grow(n int) {
	if n > cap(h.flags) {
		room := n + n/16 // what comes after the first hour are few
		h.flags, h.values = append(make([]ingest.Flags, 0, room), h.flags...), append(make([]uint16, 0, room), h.values...)
	}
	h.flags, h.values = h.flags[:n], h.values[:n]
}

// flagsAt returns the flags of a series in an hour, which may be nil; false without any. It needs mu.
func (f *hourFlags) flagsAt(start time.Time, h *checkedHour, i int) (v ingest.HourFlags, ok bool) {
	if h == nil || i >= len(h.flags) || h.flags[i] == 0 && h.humid[i] == nil {
		return v, false
	}
	return ingest.HourFlags{Station: f.keys[i].station, Hour: start, Quantity: f.keys[i].quantity, Flags: h.flags[i], Humid: h.humid[i]}, true
}

func (f *hourFlags) prune(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for hour := range f.hours {
		if !hour.After(now.Add(-aggregate.Retention)) {
			delete(f.hours, hour)
		}
	}
	if len(f.hours) == 0 {
		f.numbers, f.keys, f.hours = nil, nil, nil
	}
}

// known is the flags that an hour has.
type known interface {
	// of returns the flags of a series, and whether as many values have them as it has now; false without flags.
	of(key flagKey) (v ingest.HourFlags, complete, ok bool)
	all() iter.Seq[ingest.HourFlags]
}

// knownHour is an hour in memory. It needs hourFlags.mu.
type knownHour struct {
	*hourFlags
	start  time.Time
	hour   *checkedHour    // nil without flags
	values map[flagKey]int // of each series now
}

func (k knownHour) of(key flagKey) (v ingest.HourFlags, complete, ok bool) {
	i, numbered := k.numbers[key]
	if !numbered {
		return v, false, false
	}
	if v, ok = k.flagsAt(k.start, k.hour, i); ok {
		complete = int(k.hour.values[i]) == k.values[key]
	}
	return v, complete, ok
}

func (k knownHour) all() iter.Seq[ingest.HourFlags] {
	return func(yield func(ingest.HourFlags) bool) {
		for i := range k.keys {
			if v, ok := k.flagsAt(k.start, k.hour, i); ok && !yield(v) {
				return
			}
		}
	}
}

// differ returns the flags to write, in order of station and quantity: those that differ from the known ones, and those
// of which not all values have them.
func (f *hourFlags) differ(start time.Time, found []ingest.HourFlags, values map[flagKey]int) (batch []ingest.HourFlags, changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return difference(found, knownHour{f, start, f.hours[start], values})
}

// difference returns the flags that were found and are not known as they are, or are not complete, and empty ones for
// those that are known and were not found. changed is true when an average will differ.
func difference(found []ingest.HourFlags, of known) (batch []ingest.HourFlags, changed bool) {
	there := make(map[flagKey]bool, len(found))
	for _, f := range found {
		key := flagKey{f.Station, f.Quantity}
		there[key] = true
		old, complete, ok := of.of(key)
		changed = changed || old.Flags.Good() != f.Flags.Good()
		if !ok || !old.Equal(&f) || !complete {
			batch = append(batch, f)
		}
	}
	for old := range of.all() {
		if !there[flagKey{old.Station, old.Quantity}] {
			batch = append(batch, ingest.HourFlags{Station: old.Station, Hour: old.Hour, Quantity: old.Quantity})
			changed = changed || !old.Flags.Good()
		}
	}
	slices.SortFunc(batch, ingest.HourFlags.Compare)
	return batch, changed
}

// appended remembers how many values get the flags that were written.
func (f *hourFlags) appended(start time.Time, batch []ingest.HourFlags, values map[flagKey]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range batch {
		key := flagKey{v.Station, v.Quantity}
		if n := values[key]; n > 0 {
			h, i := f.of(start, key)
			h.values[i] = uint16(n)
		}
	}
}
