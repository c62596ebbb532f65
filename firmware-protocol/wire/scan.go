package wire

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) without building values. It also takes the marks in notFinite as values.
type scanner struct {
	data    []byte
	pos     int
	scratch []byte // a member's name with its escapes undone
}

// peek returns the byte at the position; 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// unexpected returns the failure that names the position, what was found there and what was expected.
func (s *scanner) unexpected(want string) *failure {
	found := "the end of the message"
	if s.pos < len(s.data) {
		found = quote(s.data[s.pos:min(len(s.data), s.pos+8)])
		if s.pos == 0 && len(s.data) >= 3 && string(s.data[:3]) == "\ufeff" {
			found = "a byte order mark"
		}
	}
	return &failure{Malformed, fmt.Sprintf("not JSON at byte %d: found %s, expected %s", s.pos, found, want)}
}

// skip skips one value and returns its raw text.
func (s *scanner) skip(depth int) ([]byte, *failure) {
	if c := s.peek(); depth == maxDepth && (c == '{' || c == '[') {
		return nil, &failure{Malformed, fmt.Sprintf("nested deeper than %d levels at byte %d", maxDepth, s.pos)}
	}
	start := s.pos
	var err *failure
	switch c := s.peek(); {
	case c == '"':
		err = s.skipText()
	case c == '{':
		err = s.skipMembers(depth)
	case c == '[':
		err = s.skipElements(depth)
	case c >= '0' && c <= '9':
		err = s.number()
	case c == 't':
		err = s.literal("true")
	case c == 'f':
		err = s.literal("false")
	case s.notFinite():
	case c == '-':
		err = s.number()
	case c == 'n':
		err = s.literal("null")
	default:
		err = s.unexpected("a value")
	}
	return s.data[start:s.pos], err
}

// notFinite holds what firmware and programs write without quotes for a number that is not finite: C's printf, Python's
// json module, and for large numbers Arduino's Print.
var notFinite = [][]byte{[]byte("nan"), []byte("infinity"), []byte("inf"), []byte("ovf")}

// notFinite skips such a mark, in upper or lower case and with or without a sign. It returns false when there is none.
func (s *scanner) notFinite() bool {
	rest, sign := s.data[s.pos:], 0
	if c := s.peek(); c == '-' || c == '+' {
		sign = 1
	}
	for _, mark := range notFinite {
		if end := sign + len(mark); len(rest) >= end && bytes.EqualFold(rest[sign:end], mark) {
			s.pos += end
			return true
		}
	}
	return false
}

// IsNotFinite reports whether text is a number that is not finite, such as nan or -Infinity.
func IsNotFinite(text []byte) bool {
	s := scanner{data: text}
	return s.notFinite() && s.pos == len(text)
}

func (s *scanner) skipMembers(depth int) *failure {
	s.pos++
	s.space()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		s.space()
		if err := s.skipText(); err != nil {
			return err
		}
		s.space()
		if s.peek() != ':' {
			return s.unexpected("':'")
		}
		s.pos++
		s.space()
		if _, err := s.skip(depth + 1); err != nil {
			return err
		}
		if more, err := s.next('}'); !more {
			return err
		}
	}
}

func (s *scanner) skipElements(depth int) *failure {
	s.pos++
	s.space()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		s.space()
		if _, err := s.skip(depth + 1); err != nil {
			return err
		}
		if more, err := s.next(']'); !more {
			return err
		}
	}
}

// next skips a comma (more is true) or the closing byte.
func (s *scanner) next(closing byte) (more bool, err *failure) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case closing:
		s.pos++
		return false, nil
	}
	return false, s.unexpected("',' or '" + string(closing) + "'")
}

func (s *scanner) literal(word string) *failure {
	if s.pos+len(word) > len(s.data) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return s.unexpected("a value")
	}
	s.pos += len(word)
	return nil
}

// number skips a number: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() *failure {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.unexpected("a digit")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.unexpected("a digit")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.unexpected("a digit")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > start
}

// text skips a string and returns it without quotes and escapes, valid until the next call. Bytes that are not UTF-8
// become U+FFFD, as in encoding/json.
func (s *scanner) text() ([]byte, *failure) {
	if s.peek() != '"' {
		return nil, s.unexpected("a member's name in quotes")
	}
	s.pos++
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], nil
		case c == '\\' || c >= utf8.RuneSelf:
			s.scratch = append(s.scratch[:0], s.data[start:s.pos]...)
			return s.escaped()
		case c < 0x20:
			return nil, s.unexpected("no control character in a string")
		default:
			s.pos++
		}
	}
	return nil, s.unexpected("'\"'")
}

// skipText skips a string.
func (s *scanner) skipText() *failure {
	if s.peek() != '"' {
		return s.unexpected("a member's name in quotes")
	}
	s.pos++
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			s.scratch = s.scratch[:0]
			if err := s.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return s.unexpected("no control character in a string")
		default:
			s.pos++
		}
	}
	return s.unexpected("'\"'")
}

// escaped reads the rest of a string that has escapes or bytes beyond ASCII, into scratch.
func (s *scanner) escaped() ([]byte, *failure) {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.scratch, nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < 0x20:
			return nil, s.unexpected("no control character in a string")
		default:
			r, size := utf8.DecodeRune(s.data[s.pos:])
			s.scratch = utf8.AppendRune(s.scratch, r)
			s.pos += size
		}
	}
	return nil, s.unexpected("'\"'")
}

// plain maps the escapes of one character to what they stand for.
var plain = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (s *scanner) escape() *failure {
	s.pos++
	if c, ok := plain[s.peek()]; ok && s.pos < len(s.data) {
		s.scratch = append(s.scratch, c)
		s.pos++
		return nil
	}
	r, ok := s.unicode()
	if !ok {
		return s.unexpected("an escape of JSON")
	}
	if utf16.IsSurrogate(r) {
		second := *s
		if low, ok := second.lowSurrogate(); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			r, s.pos = utf16.DecodeRune(r, low), second.pos
		} else {
			r = utf8.RuneError
		}
	}
	s.scratch = utf8.AppendRune(s.scratch, r)
	return nil
}

func (s *scanner) lowSurrogate() (rune, bool) {
	if s.peek() != '\\' {
		return 0, false
	}
	s.pos++
	return s.unicode()
}

// unicode reads uXXXX.
func (s *scanner) unicode() (rune, bool) {
	if s.peek() != 'u' || s.pos+5 > len(s.data) {
		return 0, false
	}
	r := rune(0)
	for _, c := range s.data[s.pos+1 : s.pos+5] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.pos += 5
	return r, true
}
