package server

import (
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// login matches the log-in of addresses: user and password, or a token alone.
var login = regexp.MustCompile(`://[^\s/?#"']*@|://[^\s:/?#"'@]*:[^\s"']*@`)

// Mask returns a text for people without the passwords of the addresses in it, such as nats://user:password@host.
func Mask(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return login.ReplaceAllStringFunc(text, func(login string) string {
		// Of a list of addresses each is masked: their log-ins end at the last @ before a comma or the end.
		parts := strings.Split(login, ",")
		for i, part := range parts {
			begin, end := strings.LastIndex(part, "://"), strings.LastIndexByte(part, '@')
			if begin < 0 || end < begin {
				continue
			}
			user, _, named := strings.Cut(part[begin+len("://"):end], ":")
			if named {
				user += ":***"
			} else {
				user = "***"
			}
			parts[i] = part[:begin] + "://" + user + part[end:]
		}
		return strings.Join(parts, ",")
	})
}

// Printable returns a text for a terminal or a log: what is no character, such as an escape sequence in a foreign name,
// is written as \x1b or \u202e. Line breaks and tabs stay.
func Printable(text string) string {
	fine := func(r rune) bool { return r != utf8.RuneError && (unicode.IsPrint(r) || r == '\n' || r == '\t') }
	if !strings.ContainsFunc(text, func(r rune) bool { return !fine(r) }) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if fine(r) {
			b.WriteRune(r)
			continue
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		b.WriteString(strings.Trim(strconv.Quote(text[i:i+size]), `"`))
	}
	return b.String()
}

// ForPeople returns a text that is printable and masked.
func ForPeople(text string) string { return Printable(Mask(text)) }

// maskAttr masks the passwords in a log's texts and errors, and escapes what cannot be printed.
func maskAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(ForPeople(a.Value.String()))
	case slog.KindAny:
		text := fmt.Sprint(a.Value.Any())
		if shown := ForPeople(text); shown != text {
			a.Value = slog.StringValue(shown)
		}
	}
	return a
}

// leastBits is the least strength of a token that a person chooses, in bits: one like it cannot be guessed.
const leastBits = 128

// tokenBits returns the strength of a random token with these characters, in bits. What repeats within it does not
// count: a character counts when the run that ends with it has not occurred before. A run has 40 bits, so that hardly
// a random token repeats one by chance: 253 pairs of runs in 32 hexadecimal digits, one token in four thousand million.
func tokenBits(token string) float64 {
	each := math.Log2(alphabet(token))
	run := int(math.Ceil(40 / each))
	characters := []rune(token)
	seen := map[string]bool{}
	for i := run; i <= len(characters); i++ {
		seen[string(characters[i-run:i])] = true
	}
	return float64(min(len(characters), len(seen)+run-1)) * each
}

// alphabet returns the size of the smallest usual alphabet with all characters of a token.
func alphabet(token string) float64 {
	all := func(of func(r rune) bool) bool {
		return !strings.ContainsFunc(token, func(r rune) bool { return !of(r) })
	}
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	lower := func(r rune) bool { return r >= 'a' && r <= 'z' }
	upper := func(r rune) bool { return r >= 'A' && r <= 'Z' }
	switch {
	case strings.ContainsFunc(token, unicode.IsSpace):
		return 4 // words: about two bits a letter (Shannon, Prediction and Entropy of Printed English, 1951)
	case all(digit):
		return 10
	case all(func(r rune) bool { return digit(r) || r >= 'a' && r <= 'f' }), all(func(r rune) bool { return digit(r) || r >= 'A' && r <= 'F' }):
		return 16
	case all(lower), all(upper):
		return 26
	case all(func(r rune) bool { return digit(r) || lower(r) }), all(func(r rune) bool { return digit(r) || upper(r) }):
		return 36
	case all(func(r rune) bool { return digit(r) || lower(r) || upper(r) }):
		return 62
	case all(func(r rune) bool { return r < unicode.MaxASCII }):
		return 94
	}
	return 128
}
