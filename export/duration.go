package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads an ISO 8601 duration of days, hours, minutes and seconds, such as P1DT12H.
func ParseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%.40q is no duration such as PT1H or P1DT12H", text)
	rest, negative := strings.CutPrefix(text, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	days, clock, timed := strings.Cut(rest, "T")
	if !ok || rest == "" || timed && clock == "" {
		return 0, wrong
	}
	total, ok := parts(days, "D")
	more, fine := parts(clock, "HMS")
	total += more
	const longest = 1000 * 366 * 24 * 3600 // a thousand years
	if !ok || !fine || total > longest || total >= math.MaxInt64/float64(time.Second) {
		return 0, wrong
	}
	d := time.Duration(total * float64(time.Second))
	if negative {
		d = -d
	}
	return d, nil
}

// parts adds up numbers with units, each unit at most once and in order, as seconds.
func parts(text, units string) (seconds float64, ok bool) {
	length := map[byte]float64{'D': 86400, 'H': 3600, 'M': 60, 'S': 1}
	for text != "" {
		end := strings.IndexAny(text, units)
		if end <= 0 {
			return 0, false
		}
		n, err := strconv.ParseFloat(text[:end], 64)
		if err != nil || strings.Trim(text[:end], "0123456789.") != "" {
			return 0, false
		}
		seconds += n * length[text[end]]
		units = units[strings.IndexByte(units, text[end])+1:]
		text = text[end+1:]
		if units == "" && text != "" {
			return 0, false
		}
	}
	return seconds, true
}
