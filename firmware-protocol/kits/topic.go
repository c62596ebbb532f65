package kits

import (
	"fmt"
	"strings"
)

// deviceLevel stands in a pattern where the device's own name is.
const deviceLevel = "{key}"

// Topic is a topic of another firmware's own, such as "tele/{key}/SENSOR": {key} stands where the device's name is,
// "+" for any one level. It lets kits in that cannot be told to publish below a station's prefix.
type Topic struct {
	Family  string
	pattern []string
}

// ParseTopic reads a pattern. It must have exactly one {key}, and no "#".
func ParseTopic(family, pattern string) (Topic, error) {
	levels := strings.Split(pattern, "/")
	keys := 0
	for _, level := range levels {
		switch {
		case level == deviceLevel:
			keys++
		case level != "+" && strings.ContainsAny(level, "+#{}"):
			return Topic{}, fmt.Errorf("%q is no topic such as tele/{key}/SENSOR", pattern)
		}
	}
	if keys != 1 {
		return Topic{}, fmt.Errorf("%q needs {key} once, where the device's name stands", pattern)
	}
	return Topic{family, levels}, nil
}

// Filter is the MQTT filter of every device's topics.
func (t Topic) Filter() string { return t.Of("+") }

// Of is the MQTT filter of one device's topics.
func (t Topic) Of(key string) string {
	return strings.Replace(strings.Join(t.pattern, "/"), deviceLevel, key, 1)
}

// Match takes a topic apart: the device's name, and the levels behind it. False when it is another topic.
func (t Topic) Match(topic string) (key, part string, ok bool) {
	levels := strings.Split(topic, "/")
	if len(levels) != len(t.pattern) {
		return "", "", false
	}
	for i, want := range t.pattern {
		switch want {
		case deviceLevel:
			key, part = levels[i], strings.Join(levels[i+1:], "/")
		case "+", levels[i]:
		default:
			return "", "", false
		}
	}
	return key, part, key != ""
}
