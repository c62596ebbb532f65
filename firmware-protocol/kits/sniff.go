package kits

import (
	"bytes"

	"stadtluft/firmware-protocol/wire"
)

// senmlMembers are members of a SenML record that our own object does not have.
var senmlMembers = []string{"n", "bn", "bt", "bu", "bv", "bver"}

// Sniff returns the family of a payload on a station's topic for readings: "cbor", "senml", or "" for native JSON and
// anything else. An array is SenML when its first element has a member that only SenML has.
func Sniff(payload []byte) (family string) {
	if len(payload) == 0 {
		return ""
	}
	const array, object = 4, 5 // CBOR's major types; JSON does not begin with such a byte
	if major := payload[0] >> 5; major == array || major == object {
		return "cbor"
	}
	if !mayBeSenML(payload) {
		return ""
	}
	top, refusal := wire.ParseJSON(payload)
	if refusal != nil {
		return ""
	}
	for _, first := range top.Elements() {
		for _, name := range senmlMembers {
			if !first.Member(name).IsZero() {
				return "senml"
			}
		}
		break
	}
	return ""
}

// mayBeSenML is a cheap check that saves Sniff from parsing most native messages.
func mayBeSenML(payload []byte) bool {
	if payload = bytes.TrimLeft(payload, " \t\r\n"); len(payload) == 0 || payload[0] != '[' {
		return false
	}
	first, _, _ := bytes.Cut(payload, []byte("}"))
	for _, name := range senmlMembers {
		if bytes.Contains(first, []byte(`"`+name+`"`)) {
			return true
		}
	}
	return false
}
