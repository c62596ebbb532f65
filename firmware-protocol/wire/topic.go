package wire

import (
	"strings"

	"stadtluft/firmware-protocol/quantity"
)

// Prefix begins every topic of protocol version 1.
const Prefix = "stadtluft/v1/"

// What the intake subscribes to.
const (
	ReadingFilter = Prefix + "+/reading"
	StatusFilter  = Prefix + "+/status"
	KitFilter     = Prefix + "+/kit/#"
)

// What anyone may read: live averages.
const (
	CityFilter = Prefix + "city/#"
	GridFilter = Prefix + "grid/#"
)

// A station's word about itself on its status topic, retained, Offline also as its last will.
const (
	Online  = "online"
	Offline = "offline"
)

const (
	maxTopic   = 256 // bytes of a topic that is looked at
	maxStation = 32  // bytes of a station's id
	maxFamily  = 32  // bytes of a kit family's name
)

// Kind is what a station's topic is for.
type Kind uint8

const (
	ReadingKind Kind = iota + 1
	StatusKind
	KitKind
	FeedbackKind
)

// Topic is a station's topic taken apart.
type Topic struct {
	Station string
	Kind    Kind
	Family  string // of KitKind
	Part    string // of KitKind: the levels behind the family, where another firmware says what the payload is
}

// ParseTopic takes a topic below a station's prefix apart. It is false for any other topic and for
// names that cannot be a station's.
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

// ValidStation reports whether id can be a station's in a topic: letters, digits and hyphens, at most
// 32, and none of the names that topics use for themselves.
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

// StationPrefix begins every topic of a station.
func StationPrefix(station string) string { return Prefix + station + "/" }

// ReadingTopic is where a station publishes readings.
func ReadingTopic(station string) string { return StationPrefix(station) + "reading" }

// StatusTopic is where a station says whether it is online.
func StatusTopic(station string) string { return StationPrefix(station) + "status" }

// FeedbackTopic is where a station hears what was refused or flagged.
func FeedbackTopic(station string) string { return StationPrefix(station) + "feedback" }

// KitTopic is where a station with another firmware publishes that firmware's own payload.
func KitTopic(station, family string) string { return StationPrefix(station) + "kit/" + family }

// CityTopic is where the city's live average of a quantity is published.
func CityTopic(q quantity.Quantity) string { return Prefix + "city/" + q.String() }

// GridTopic is where a cell's live average of a quantity is published.
func GridTopic(cell string, q quantity.Quantity) string {
	return Prefix + "grid/" + cell + "/" + q.String()
}
