package export

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestForeignTextIsCutBetweenRunes has texts whose limit lies within a rune.
func TestForeignTextIsCutBetweenRunes(t *testing.T) {
	long := strings.Repeat("ü", 300)
	for _, prefix := range []string{"", "x"} {
		_, timeErr := ParseTime(prefix + long)
		_, durationErr := ParseDuration(prefix + long)
		for _, err := range []error{timeErr, durationErr} {
			if err == nil || !utf8.ValidString(err.Error()) || strings.Contains(err.Error(), `\x`) || len(err.Error()) > 250 {
				t.Errorf("%v, want a short error in whole runes", err)
			}
		}
	}
}
