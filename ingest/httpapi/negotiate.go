package httpapi

import (
	"net/http"
	"strconv"
	"strings"
)

// Languages are those that people are spoken to in; the first where nothing else is wished.
func Languages() []string { return []string{"en", "de"} }

// Language is the language a request wishes (RFC 9110, section 12.5.4).
func Language(r *http.Request) string {
	return Preferred(r.Header.Get("Accept-Language"), Languages()...)
}

// Preferred is the one of offers that a header such as Accept or Accept-Language rates highest; the first of
// those it rates alike, and the first of all where it names none.
func Preferred(header string, offers ...string) string {
	best, bestWeight := offers[0], 0.0
	for _, offer := range offers {
		if weight := weightOf(header, offer); weight > bestWeight {
			best, bestWeight = offer, weight
		}
	}
	return best
}

// weightOf is how much a header wants an offer, 0 to 1, by the most exact of its ranges that fit.
func weightOf(header, offer string) float64 {
	weight, exactness := 0.0, 0
	for _, part := range strings.Split(header, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		if fit := fits(strings.ToLower(strings.TrimSpace(name)), offer); fit > exactness {
			weight, exactness = quality(parameters), fit
		}
	}
	return weight
}

// fits is how exactly a range names an offer: 0 not at all, 1 by a wildcard, 2 by a part of it, 3 in full.
func fits(name, offer string) int {
	kind, _, _ := strings.Cut(offer, "/")
	language, _, _ := strings.Cut(name, "-")
	switch {
	case name == offer:
		return 3
	case name == kind+"/*", language == offer:
		return 2
	case name == "*/*", name == "*":
		return 1
	}
	return 0
}

// quality reads the weight among a range's parameters; 1 where there is none.
func quality(parameters string) float64 {
	for _, p := range strings.Split(parameters, ";") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			q, err := strconv.ParseFloat(text, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
