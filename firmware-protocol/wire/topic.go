package wire

import (
	"strings"

	"stadtluft/firmware-protocol/quantity"
)

// Prefix begins every topic of protocol version 1.
const Prefix = "stadtluft/v1/"

// The filters that the server subscribes to.
const (
	ReadingFilter = Prefix + "+/reading"
	StatusFilter  = Prefix + "+/status"
	KitFilter     = Prefix + "+/kit/#"
)

// The filters of the live averages, which anyone may read.
const (
	CityFilter = Prefix + "city/#"
	GridFilter = Prefix + "grid/#"
)

// Payloads of a station's status topic, retained; Offline is also its last will.
const (
	Online  = "online"
	Offline = "offline"
)

const (
	maxTopic   = 256 // bytes of a topic; longer ones are not parsed
	maxStation = 32  // bytes of a station's id
	maxFamily  = 32  // bytes of a kit family's name
)

// Kind is the purpose of a station's topic.
type Kind uint8

const (
	ReadingKind Kind = iota + 1
	StatusKind
	KitKind
	FeedbackKind
)

// Topic is a parsed topic of a station.
type Topic struct {
	Station string
	Kind    Kind
	Family  string // of KitKind
	Part    string // of KitKind: the levels after the family, which tell what the payload is
}

// ParseTopic parses a topic below a station's prefix. It returns false for any other topic and for names that cannot
// be a station's.
func ParseTopic(topic string) (Topic, bool) {
	rest, ok := strings.CutPrefix(topic, Prefix)
	if !ok || len(topic) > maxTopic {
		return Topic{}, false
	}
	station, rest, ok := strings.Cut(rest, "/")
	if !ok || !ValidStation(station) {
		return Topic{}, false
	}
	t := Topic{Station: station}
	switch {
	case rest == "reading":
		t.Kind = ReadingKind
	case rest == "status":
		t.Kind = StatusKind
	case rest == "feedback":
		t.Kind = FeedbackKind
	default:
		family, kit := strings.CutPrefix(rest, "kit/")
		family, part, _ := strings.Cut(family, "/")
		if !kit || !plainName(family, maxFamily) {
			return Topic{}, false
		}
		t.Kind, t.Family, t.Part = KitKind, family, part
	}
	return t, true
}

// ValidStation reports whether id can be a station's in a topic: 1 to 32 letters, digits and hyphens, and not a name
// that topics use themselves ("city", "grid").
func ValidStation(id string) bool {
	return plainName(id, maxStation) && !strings.Contains(id, "_") && id != "city" && id != "grid"
}

func plainName(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// Matches reports whether a valid filter matches a topic, or every topic that another filter matches.
func Matches(filter, topic string) bool {
	for {
		level, restOfFilter, moreFilter := strings.Cut(filter, "/")
		if level == "#" {
			return true
		}
		part, restOfTopic, moreTopic := strings.Cut(topic, "/")
		switch {
		case part == "#", level != "+" && level != part:
			return false
		case !moreTopic:
			return !moreFilter || restOfFilter == "#" // "a/#" matches "a" as well
		case !moreFilter:
			return false
		}
		filter, topic = restOfFilter, restOfTopic
	}
}

// StationPrefix returns the beginning of every topic of a station.
func StationPrefix(station string) string { return Prefix + station + "/" }

// ReadingTopic returns the topic on which a station publishes readings.
func ReadingTopic(station string) string { return StationPrefix(station) + "reading" }

// StatusTopic returns the topic on which a station says whether it is online.
func StatusTopic(station string) string { return StationPrefix(station) + "status" }

// FeedbackTopic returns the topic on which the server tells a station what it refused or flagged.
func FeedbackTopic(station string) string { return StationPrefix(station) + "feedback" }

// KitTopic returns the topic on which a station with other firmware publishes that firmware's own payload.
func KitTopic(station, family string) string { return StationPrefix(station) + "kit/" + family }

// CityTopic returns the topic of the city's live average of a quantity.
func CityTopic(q quantity.Quantity) string { return Prefix + "city/" + q.String() }

// GridTopic returns the topic of a cell's live average of a quantity.
func GridTopic(cell string, q quantity.Quantity) string {
	return Prefix + "grid/" + cell + "/" + q.String()
}
