package httpapi

import (
	"net/http"
	"strconv"
	"strings"
)

// Languages returns the languages of texts for people; the first is the default.
func Languages() []string { return []string{"en", "de"} }

// Language returns the language that a request prefers (RFC 9110, section 12.5.4).
func Language(r *http.Request) string {
	return Preferred(r.Header.Get("Accept-Language"), Languages()...)
}

// Preferred returns the offer that a header such as Accept or Accept-Language rates highest; of offers with equal rates
// the first, and the first of all when it names none.
func Preferred(header string, offers ...string) string {
	best, bestWeight := offers[0], 0.0
	for _, offer := range offers {
		if weight := weightOf(header, offer); weight > bestWeight {
			best, bestWeight = offer, weight
		}
	}
	return best
}

// weightOf returns a header's weight for an offer, 0 to 1, by the most specific of its matching ranges.
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

// fits returns how specifically a range matches an offer: 0 not at all, 1 by a wildcard, 2 by a part of it, 3 in full.
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

// quality parses the weight among a range's parameters; 1 when there is none.
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
