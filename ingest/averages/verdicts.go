package averages

import (
	"context"
	"slices"
	"sync"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// verdicts are those known of the hours in memory. The zero value is ready.
type verdicts struct {
	mu    sync.Mutex // guards hours
	hours map[time.Time]*judged
}

// judged is what is known of one hour.
type judged struct {
	flags  map[judgedKey]ingest.Flags // none that is 0
	values int                        // how many values the hour had when its verdicts were last appended
}

type judgedKey struct {
	station  string
	quantity wire.Quantity
}

// Apply takes in a verdict that is in the journal.
func (a *Averages) Apply(v ingest.Verdict) {
	a.verdicts.mu.Lock()
	defer a.verdicts.mu.Unlock()
	h := a.verdicts.of(v.Hour)
	key := judgedKey{v.Station, v.Quantity}
	if v.Flags == 0 {
		delete(h.flags, key)
	} else {
		h.flags[key] = v.Flags
	}
	a.Aggregate.Exclude(v.Hour, aggregate.Excluded{Station: v.Station, Quantity: uint8(v.Quantity)}, !v.Flags.Good())
}

// of needs mu.
func (v *verdicts) of(hour time.Time) *judged {
	if v.hours == nil {
		v.hours = map[time.Time]*judged{}
	}
	h := v.hours[hour]
	if h == nil {
		h = &judged{flags: map[judgedKey]ingest.Flags{}}
		v.hours[hour] = h
	}
	return h
}

func (v *verdicts) prune(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for hour := range v.hours {
		if !hour.After(now.Add(-aggregate.Keep)) {
			delete(v.hours, hour)
		}
	}
}

// judge has an hour judged and appends what differs from what is known, and all of it when values came since:
// they must get the flags that the others have. changed says that an average will differ.
func (a *Averages) judge(ctx context.Context, start time.Time) (changed bool, err error) {
	if a.Judge == nil {
		return false, nil
	}
	stations := a.Aggregate.Stations(start)
	found, values := a.Judge(start, stations), 0
	for _, s := range stations {
		values += s.Count
	}
	batch, changed := a.verdicts.differ(start, found, values)
	if len(batch) == 0 {
		return false, nil
	}
	if err := a.Append(ctx, ingest.Batch{Verdicts: batch}); err != nil {
		return false, err
	}
	a.verdicts.appended(start, values)
	return changed, nil
}

// differ are the verdicts to append, in order of station and quantity.
func (v *verdicts) differ(start time.Time, found []ingest.Verdict, values int) (batch []ingest.Verdict, changed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.of(start)
	gone := map[judgedKey]ingest.Flags{}
	for key, flags := range h.flags {
		gone[key] = flags
	}
	for _, f := range found {
		key := judgedKey{f.Station, f.Quantity}
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
		batch = append(batch, ingest.Verdict{Station: key.station, Hour: start, Quantity: key.quantity})
		changed = changed || !flags.Good()
	}
	slices.SortFunc(batch, ingest.Verdict.Compare)
	return batch, changed
}

func (v *verdicts) appended(start time.Time, values int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of(start).values = values
}
