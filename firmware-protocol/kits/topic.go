package kits

import (
	"fmt"
	"strings"
)

// deviceLevel stands in a pattern for the level with the device's name.
const deviceLevel = "{key}"

// Topic is a pattern of topics that other firmware uses, such as "tele/{key}/SENSOR": {key} stands for the device's
// name, "+" for any one level. It is for kits that cannot publish below a station's prefix.
type Topic struct {
	Family  string
	pattern []string
}

// ParseTopic parses a pattern. A pattern without exactly one {key}, or with a "#", is an error.
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

// Filter returns the MQTT filter for the topics of every device.
func (t Topic) Filter() string { return t.DeviceFilter("+") }

// DeviceFilter returns the MQTT filter for the topics of one device.
func (t Topic) DeviceFilter(key string) string {
	return strings.Replace(strings.Join(t.pattern, "/"), deviceLevel, key, 1)
}

// Match returns the device's name in a topic, and the levels after it; false for another topic.
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
