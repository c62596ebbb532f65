package kits

import "bytes"

// Sniff tells the payloads apart that may come on a station's own topic for readings: "cbor" and "senml" are
// families, "" is the native JSON and whatever else. An array whose first record has a member that only SenML
// has is SenML.
func Sniff(payload []byte) (family string) {
	if len(payload) == 0 {
		return ""
	}
	const array, object = 4, 5 // CBOR's major types; no JSON begins with such a byte
	if major := payload[0] >> 5; major == array || major == object {
		return "cbor"
	}
	if payload[0] != '[' {
		return ""
	}
	first, _, _ := bytes.Cut(payload, []byte("}"))
	for _, name := range []string{`"bn"`, `"n"`, `"bver"`} {
		if bytes.Contains(first, []byte(name)) {
			return "senml"
		}
	}
	return ""
}
