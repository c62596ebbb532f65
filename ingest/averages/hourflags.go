package averages

import (
	"context"
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
	flags  map[flagKey]ingest.Flags // without entries of 0
	values int                      // how many values the hour had when its flags were last appended
}

type flagKey struct {
	station  string
	quantity quantity.Quantity
}

// Apply adds HourFlags from the journal.
func (a *Averages) Apply(v ingest.HourFlags) {
	a.hourFlags.mu.Lock()
	defer a.hourFlags.mu.Unlock()
	h := a.hourFlags.of(v.Hour)
	key := flagKey{v.Station, v.Quantity}
	if v.Flags == 0 {
		delete(h.flags, key)
	} else {
		h.flags[key] = v.Flags
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
		h = &checkedHour{flags: map[flagKey]ingest.Flags{}}
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

// checkHour checks an hour and appends the flags that differ from the known ones, or all of them when values were
// added since: the new values must get the flags that the others have. changed is true when an average will differ.
func (a *Averages) checkHour(ctx context.Context, start time.Time) (changed bool, err error) {
	if a.HourChecker == nil {
		return false, nil
	}
	stations := a.Aggregate.StationHours(start)
	found, values := a.HourChecker(start, stations), 0
	for _, s := range stations {
		values += s.Count
	}
	batch, changed := a.hourFlags.differ(start, found, values)
	if len(batch) == 0 {
		return false, nil
	}
	if err := a.Append(ctx, ingest.Batch{HourFlags: batch}); err != nil {
		return false, err
	}
	a.hourFlags.appended(start, values)
	return changed, nil
}

// differ returns the flags to append, in order of station and quantity.
func (v *hourFlags) differ(start time.Time, found []ingest.HourFlags, values int) (batch []ingest.HourFlags, changed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.of(start)
	gone := map[flagKey]ingest.Flags{}
	for key, flags := range h.flags {
		gone[key] = flags
	}
	for _, f := range found {
		key := flagKey{f.Station, f.Quantity}
		known := h.flags[key]
		delete(gone, key)
		if known.Good() != f.Flags.Good() {
			changed = true
		}
		if known != f.Flags || h.values != values {
			batch = append(batch, f)
		}
	}
	for key, flags := range gone {
		batch = append(batch, ingest.HourFlags{Station: key.station, Hour: start, Quantity: key.quantity})
		changed = changed || !flags.Good()
	}
	slices.SortFunc(batch, ingest.HourFlags.Compare)
	return batch, changed
}

func (v *hourFlags) appended(start time.Time, values int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of(start).values = values
}
