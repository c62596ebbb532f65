package registry

import (
	"cmp"
	"slices"
	"time"

	"stadtluft/ingest"
)

// Fitted is a sensor of a neighbour's station and the period from which it has values there.
type Fitted struct {
	ID, Type    string // at the network, such as "15092" and "sds011"
	Kind        string // what it measures: a sensor is replaced by a later one of its kind
	From, Until time.Time
}

// maxFitted bounds the sensors that a neighbour's station has had.
const maxFitted = 100

// fittedRecord is a Fitted in a station's entry.
type fittedRecord struct {
	ID    string    `json:"id"`
	Type  string    `json:"type"`
	Kind  string    `json:"kind"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

func (f fittedRecord) name() string { return f.Type + ":" + f.ID }

// same reports whether two are of one sensor.
func (f fittedRecord) same(o fittedRecord) bool { return f.ID == o.ID && f.Type == o.Type }

// fit adds the periods of sensors to those that are known. It reports whether that tells something: a new sensor, an earlier
// beginning, or another day at the end, so that a station that is fetched every five minutes is written once a day.
func (rec *record) fit(sensors []Fitted) (changed bool) {
	for _, s := range sensors {
		f := fittedRecord{s.ID, s.Type, s.Kind, s.From.UTC().Truncate(time.Second), s.Until.UTC().Truncate(time.Second)}
		i := slices.IndexFunc(rec.Fitted, f.same)
		if i < 0 {
			if plainSensor(f.Type) && plainSensor(f.ID) && len(rec.Fitted) < maxFitted {
				rec.Fitted = append(rec.Fitted, f)
				changed = true
			}
			continue
		}
		known := &rec.Fitted[i]
		if f.From.Before(known.From) {
			known.From, changed = f.From, true
		}
		if f.Until.Truncate(24 * time.Hour).After(known.Until) {
			known.Until, changed = f.Until, true
		}
	}
	slices.SortFunc(rec.Fitted, func(a, b fittedRecord) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	return changed
}

// installFitted replaces the installations by those that the sensors' periods tell, whatever the order in which these became
// known. A sensor begins an installation when another of its kind ended before and none is there; any other is a part of the
// installations in its period. Before its kind's first and after its last sensor, an installation has that one.
func (rec *record) installFitted(kit string) {
	if len(rec.Fitted) == 0 {
		return
	}
	starts := []time.Time{slices.MinFunc(rec.Fitted, func(a, b fittedRecord) int { return a.From.Compare(b.From) }).From}
	for _, f := range rec.Fitted {
		if rec.replaces(f) {
			starts = append(starts, f.From)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	starts = slices.CompactFunc(starts, time.Time.Equal)
	rec.Installations = nil
	for i, from := range starts {
		until := time.Unix(1<<40, 0)
		if i+1 < len(starts) {
			until = starts[i+1]
		}
		rec.install(ingest.Installation{From: from, Kit: kit, Sensors: rec.typesIn(from, until), Sources: rec.sourcesIn(from, until)})
	}
}

// replaces reports whether a sensor takes another's place.
func (rec *record) replaces(f fittedRecord) bool {
	ended := false
	for _, o := range rec.Fitted {
		switch {
		case o.Kind != f.Kind || o.same(f) || !o.From.Before(f.From):
		case o.Until.Before(f.From):
			ended = true
		default:
			return false
		}
	}
	return ended
}

// in returns the sensors of an installation from a moment until, and not at, another.
func (rec *record) in(from, until time.Time) (list []fittedRecord) {
	nearest := map[string]fittedRecord{}
	there := map[string]bool{}
	for _, f := range rec.Fitted {
		if f.From.Before(until) && !f.Until.Before(from) {
			list = append(list, f)
			there[f.Kind] = true
		}
		if best, known := nearest[f.Kind]; !known || nearer(f, best, from) {
			nearest[f.Kind] = f
		}
	}
	for kind, f := range nearest {
		if !there[kind] {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b fittedRecord) int { return cmp.Compare(a.name(), b.name()) })
	return list[:min(len(list), maxSensors)]
}

// nearer reports whether a sensor, rather than another, is that of its kind at a moment when neither has values: the one that
// ended last, else the one that begins first.
func nearer(a, b fittedRecord, at time.Time) bool {
	endedA, endedB := a.Until.Before(at), b.Until.Before(at)
	switch {
	case endedA != endedB:
		return endedA
	case endedA:
		return a.Until.After(b.Until)
	}
	return a.From.Before(b.From)
}

func (rec *record) sourcesIn(from, until time.Time) (names []string) {
	for _, f := range rec.in(from, until) {
		names = append(names, f.name())
	}
	return names
}

func (rec *record) typesIn(from, until time.Time) (types []string) {
	for _, f := range rec.in(from, until) {
		if !slices.Contains(types, f.Type) {
			types = append(types, f.Type)
		}
	}
	return types
}
