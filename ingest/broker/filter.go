package broker

import (
	"strings"

	"stadtluft/firmware-protocol/wire"
)

// validFilter reports whether "+" and "#" stand for whole levels, and "#" for the last (MQTT 3.1.1, 4.7.1).
func validFilter(filter string) bool {
	if filter == "" {
		return false
	}
	for levels := filter; ; {
		level, rest, more := strings.Cut(levels, "/")
		switch {
		case level == "#" && more, len(level) > 1 && strings.ContainsAny(level, "+#"):
			return false
		case !more:
			return true
		}
		levels = rest
	}
}

// mayRead reports whether a client may subscribe to a filter: anyone to averages, a station to its own status and
// feedback.
func mayRead(station, filter string) bool {
	if !validFilter(filter) {
		return false
	}
	if wire.Matches(wire.CityFilter, filter) || wire.Matches(wire.GridFilter, filter) {
		return true
	}
	return station != "" && (filter == wire.FeedbackTopic(station) || filter == wire.StatusTopic(station))
}
