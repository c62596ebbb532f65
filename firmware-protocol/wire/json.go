package wire

import (
	"iter"
	"unicode/utf8"
)

// JSON is a JSON value (RFC 8259) in a message that ParseJSON accepted. It is a view of the message's bytes and
// allocates nothing until a method needs it. The zero value means that there is no value.
type JSON struct{ raw []byte }

// ParseJSON checks a whole message: at most MaxMessage bytes of valid JSON, nested at most 16 levels deep. Members and
// elements may also be numbers that are not finite, such as a bare nan, which JSON does not have. The refusal says what
// is wrong; it is nil for a valid message.
func ParseJSON(payload []byte) (JSON, *Refusal) {
	if len(payload) > MaxMessage {
		return JSON{}, &Refusal{Reason: TooLarge, Detail: tooLarge(payload)}
	}
	s := scanner{data: payload}
	s.space()
	start := s.pos
	raw, err := s.skip(0)
	if err == nil && IsNotFinite(raw) {
		s.pos = start
		err = s.unexpected("a value")
	} else if err == nil {
		if s.space(); s.pos != len(payload) {
			err = s.unexpected("nothing more")
		}
	}
	if err != nil {
		return JSON{}, &Refusal{Reason: err.reason, Detail: err.detail}
	}
	return JSON{raw}, nil
}

// IsZero reports whether there is no value, as for a missing member.
func (j JSON) IsZero() bool { return len(j.raw) == 0 }

// IsObject reports whether j is an object.
func (j JSON) IsObject() bool { return len(j.raw) > 0 && j.raw[0] == '{' }

// IsArray reports whether j is an array.
func (j JSON) IsArray() bool { return len(j.raw) > 0 && j.raw[0] == '[' }

// IsNull reports whether j is null.
func (j JSON) IsNull() bool { return string(j.raw) == "null" }

// IsNotFinite reports whether j is a number that is not finite, such as a bare nan.
func (j JSON) IsNotFinite() bool { return IsNotFinite(j.raw) }

// Members yields the members of an object in their order, and nothing when j is not an object.
func (j JSON) Members() iter.Seq2[string, JSON] {
	return func(yield func(string, JSON) bool) {
		for name, value := range j.pairs {
			if text, ok := name.Text(); !ok || !yield(text, value) {
				return
			}
		}
	}
}

// Member returns the value of the first member with that name; it is zero when there is none or j is not an object.
func (j JSON) Member(name string) JSON {
	for key, value := range j.pairs {
		if key.isText(name) {
			return value
		}
	}
	return JSON{}
}

// pairs yields the members of an object, with names still quoted and escaped.
func (j JSON) pairs(yield func(name, value JSON) bool) {
	if !j.IsObject() {
		return
	}
	s := scanner{data: j.raw, pos: 1}
	for s.space(); s.peek() != '}'; s.space() {
		if s.peek() == ',' {
			s.pos++
			s.space()
		}
		name, _ := s.skip(0)
		s.space()
		s.pos++ // the colon
		s.space()
		value, err := s.skip(0)
		if err != nil || !yield(JSON{name}, JSON{value}) {
			return
		}
	}
}

// isText reports whether a JSON string means text. It returns early when the string is much longer, as an escape has
// at most six bytes.
func (j JSON) isText(text string) bool {
	const quotes, escape = 2, 6
	if len(j.raw) > quotes+escape*len(text) {
		return false
	}
	s := scanner{data: j.raw}
	own, err := s.text()
	return err == nil && string(own) == text
}

// Elements yields the elements of an array, and nothing when j is not an array.
func (j JSON) Elements() iter.Seq2[int, JSON] {
	return func(yield func(int, JSON) bool) {
		if !j.IsArray() {
			return
		}
		s := scanner{data: j.raw, pos: 1}
		s.space()
		for i := 0; s.peek() != ']'; i++ {
			if s.peek() == ',' {
				s.pos++
				s.space()
			}
			value, err := s.skip(0)
			if err != nil || !yield(i, JSON{value}) {
				return
			}
			s.space()
		}
	}
}

// Number returns the value of a number; false for anything else and for numbers outside float64.
func (j JSON) Number() (float64, bool) { return number(j.raw) }

// Text returns a string without its quotes and escapes; false for anything else.
func (j JSON) Text() (string, bool) {
	if len(j.raw) == 0 || j.raw[0] != '"' {
		return "", false
	}
	s := scanner{data: j.raw}
	if size := unescaped(j.raw); size > 0 {
		s.scratch = make([]byte, 0, size)
	}
	text, err := s.text()
	return string(text), err == nil
}

// unescaped returns the largest number of bytes that a string can have without its escapes; 0 when it has no escapes.
func unescaped(raw []byte) int {
	const invalid = len("\ufffd") // each byte that is not UTF-8 becomes one of these
	size, escapes := 0, false
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			escapes = escapes || raw[i] == '\\'
			size++
			i++
			continue
		}
		r, n := utf8.DecodeRune(raw[i:])
		if size += n; r == utf8.RuneError && n == 1 {
			size += invalid - 1
		}
		escapes, i = true, i+n
	}
	if !escapes {
		return 0
	}
	return size
}

// String returns the raw JSON, shortened and quoted as in refusals.
func (j JSON) String() string { return quote(j.raw) }
