package notices

import (
	"time"

	"stadtluft/ingest/registry"
)

const (
	// silentAfter is how long nothing must have been taken from a station before its owner is told, and doubtedAfter how long
	// most of its values must not have counted.
	silentAfter  = 24 * time.Hour
	doubtedAfter = 24 * time.Hour

	// gap is the longest time between two readings of a station that is well: kits on batteries send each hour.
	gap = 2 * time.Hour
	// backAfter is how long readings must have come again without a gap before a silence counts as over, and soundAfter how long
	// they must have counted before a doubt does. A station that flaps within these times is told of once.
	backAfter  = time.Hour
	soundAfter = 6 * time.Hour

	// weekHour is the hour of Monday, in the station's zone, from which its week is told, and weekLate how long after that it
	// still is.
	weekHour = 8
	weekLate = 48 * time.Hour
)

// Seen is what is known of a station at a moment.
type Seen struct {
	At      time.Time
	Active  bool           // its messages are taken
	Last    time.Time      // receipt of its last reading; zero when none is known
	Doubted bool           // most values of its last 24 hours do not count
	Zone    *time.Location // nil is UTC
}

// next returns what is remembered of a station after a look at it, and what its owner is to be told.
func next(h registry.History, s Seen) (registry.History, []registry.Notice) {
	at := s.At.UTC().Truncate(time.Second)
	if !s.Active {
		if !h.Idle {
			h = registry.History{From: at, Idle: true, Week: h.Week}
		}
		return h, nil
	}
	if h.Idle {
		h.Idle, h.From = false, at
	}
	h = well(h, s)
	var told []registry.Notice
	tell := func(k registry.Kind, since time.Time) {
		told = append(told, registry.Notice{Kind: k, At: at, Since: since.UTC().Truncate(time.Second)})
	}
	last := s.Last
	if last.Before(h.From) {
		last = h.From
	}
	silent := s.At.Sub(last) >= silentAfter
	switch {
	case silent && h.Told != registry.Silent:
		h.Told, h.Since, h.Doubted = registry.Silent, last.UTC().Truncate(time.Second), time.Time{}
		tell(registry.Silent, s.Last)
	case h.Told == registry.Silent && over(h, s, backAfter), h.Told == registry.Check && over(h, s, soundAfter):
		told = append(told, registry.Notice{Kind: registry.Back, Of: h.Told, At: at, Since: h.Since})
		h.Told, h.Since = "", time.Time{}
	case h.Told == "" && s.Doubted && !h.Doubted.IsZero() && at.Sub(h.Doubted) >= doubtedAfter:
		h.Told, h.Since = registry.Check, h.Doubted
		tell(registry.Check, h.Doubted)
	}
	if end, due := weekOf(h, s); due {
		h.Week = end
		tell(registry.Week, end)
	}
	return h, told
}

// well keeps since when a station is well, and since when its values are doubted. For a station of whose silence its owner was
// told, values that do not count are well: that is another notice.
func well(h registry.History, s Seen) registry.History {
	recent := !s.Last.IsZero() && s.At.Sub(s.Last) <= gap
	if recent && s.Doubted && h.Doubted.IsZero() {
		h.Doubted = s.At.UTC().Truncate(time.Second)
	}
	switch sound := !s.Doubted || h.Told == registry.Silent; {
	case !recent || !sound:
		h.Well = time.Time{}
	case h.Well.IsZero():
		h.Well = s.Last
	}
	if !s.Doubted && over(h, s, soundAfter) {
		h.Doubted = time.Time{}
	}
	return h
}

// over reports whether a station has been well for a time, by what came and not by the clock.
func over(h registry.History, s Seen, least time.Duration) bool {
	return !h.Well.IsZero() && s.Last.Sub(h.Well) >= least
}

// weekOf returns the end of the week that is to be told now.
func weekOf(h registry.History, s Seen) (end time.Time, due bool) {
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	local := s.At.In(zone)
	days := (int(local.Weekday()) + 6) % 7 // since Monday
	monday := time.Date(local.Year(), local.Month(), local.Day()-days, 0, 0, 0, 0, zone)
	tell := time.Date(monday.Year(), monday.Month(), monday.Day(), weekHour, 0, 0, 0, zone)
	late := s.At.Sub(tell)
	return monday.UTC(), late >= 0 && late < weekLate && monday.After(h.Week) && !h.From.After(monday)
}
