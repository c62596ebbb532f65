package kits

import (
	"bytes"

	"stadtluft/firmware-protocol/wire"
)

// senmlMembers are in a record of SenML, and no member of our own object.
var senmlMembers = []string{"n", "bn", "bt", "bu", "bv", "bver"}

// Sniff tells the payloads apart that may come on a station's own topic for readings: "cbor" and "senml" are
// families, "" is the native JSON and whatever else. An array whose first element has a member that only SenML
// has is SenML.
func Sniff(payload []byte) (family string) {
	if len(payload) == 0 {
		return ""
	}
	const array, object = 4, 5 // CBOR's major types; no JSON begins with such a byte
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

// mayBeSenML is a cheap look that spares most native messages the second.
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
