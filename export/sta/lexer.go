package sta

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"stadtluft/export"
)

// syntaxError is an error in an expression, with the position of its first byte, counted from 1.
type syntaxError struct {
	at      int
	problem string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("at character %d: %s", e.at, e.problem) }

func mistake(at int, format string, args ...any) error {
	return &syntaxError{at + 1, fmt.Sprintf(format, args...)}
}

type tokenKind int

const (
	endToken tokenKind = iota
	nameToken
	literalToken
	signToken // ( ) , / -
)

// token is a piece of an expression.
type token struct {
	kind  tokenKind
	text  string // a name or a symbol
	value any    // a literal: float64, string, bool, nil, time.Time, interval, time.Duration or orb.Geometry
	at    int
}

// String returns the token for an error message.
func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// lexer splits an expression into tokens.
type lexer struct {
	text string
	at   int
}

func (l *lexer) next() (token, error) {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	if l.at == len(l.text) {
		return token{kind: endToken, at: l.at}, nil
	}
	switch c := l.text[l.at]; {
	case strings.IndexByte("(),/-", c) >= 0:
		t := token{kind: signToken, text: string(c), at: l.at}
		l.at++
		return t, nil
	case c == '\'':
		return l.quoted()
	case c >= '0' && c <= '9':
		return l.number()
	case letter(c) || c == '@':
		return l.name()
	default:
		r, _ := utf8.DecodeRuneInString(l.text[l.at:])
		return token{}, mistake(l.at, "%q does not belong in an expression", r)
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// takeWhile returns the bytes from the current position on that fit.
func (l *lexer) takeWhile(fits func(byte) bool) string {
	begin := l.at
	for l.at < len(l.text) && fits(l.text[l.at]) {
		l.at++
	}
	return l.text[begin:l.at]
}

// quoted reads a text in single quotes; two of them stand for one.
func (l *lexer) quoted() (token, error) {
	begin := l.at
	var b strings.Builder
	for l.at++; l.at < len(l.text); l.at++ {
		if l.text[l.at] != '\'' {
			b.WriteByte(l.text[l.at])
			continue
		}
		if l.at++; l.at == len(l.text) || l.text[l.at] != '\'' {
			return token{kind: literalToken, text: l.text[begin:l.at], value: b.String(), at: begin}, nil
		}
		b.WriteByte('\'')
	}
	return token{}, mistake(begin, "the text that begins here has no closing quote")
}

// number reads a number, a date or a time: they begin alike.
func (l *lexer) number() (token, error) {
	begin := l.at
	text := l.takeWhile(func(c byte) bool { return digit(c) || letter(c) || strings.IndexByte(".:+-", c) >= 0 })
	t := token{kind: literalToken, text: text, at: begin}
	if len(text) > 4 && text[4] == '-' {
		at, err := parseMoment(text)
		if err != nil {
			return token{}, mistake(begin, "%.60q is neither a time such as 2026-05-01T10:00:00Z nor a date", text)
		}
		t.value = at
		if l.at+1 < len(l.text) && l.text[l.at] == '/' && digit(l.text[l.at+1]) {
			return l.interval(t)
		}
		return t, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || strings.ContainsAny(text, "xXpP_nN") {
		return token{}, mistake(begin, "%.60q is no number", text)
	}
	t.value = v
	return t, nil
}

// interval reads the end of an interval after its begin.
func (l *lexer) interval(begin token) (token, error) {
	l.at++ // the slash
	end, err := l.number()
	if err != nil {
		return token{}, err
	}
	i := interval{from: begin.value.(time.Time)}
	var ok bool
	if i.to, ok = end.value.(time.Time); !ok || i.to.Before(i.from) {
		return token{}, mistake(begin.at, "%.60s/%.60s is no interval that ends after it begins", begin.text, end.text)
	}
	return token{kind: literalToken, text: begin.text + "/" + end.text, value: i, at: begin.at}, nil
}

// interval is a time with a beginning, which belongs to it, and an end, which does not.
type interval struct{ from, to time.Time }

func parseMoment(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	return at.UTC(), err
}

// name reads a name, a keyword that stands for a value, or a literal with a prefix, such as duration'PT1H'.
func (l *lexer) name() (token, error) {
	begin := l.at
	text := l.takeWhile(func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("@.:", c) >= 0 })
	t := token{kind: nameToken, text: text, at: begin}
	if l.at < len(l.text) && l.text[l.at] == '\'' {
		quoted, err := l.quoted()
		if err != nil {
			return token{}, err
		}
		return prefixed(t, quoted.value.(string))
	}
	switch text {
	case "true", "false":
		t.kind, t.value = literalToken, text == "true"
	case "null":
		t.kind, t.value = literalToken, nil
	}
	return t, nil
}

func prefixed(prefix token, text string) (token, error) {
	t := token{kind: literalToken, text: prefix.text + "'…'", at: prefix.at}
	var err error
	switch prefix.text {
	case "duration":
		t.value, err = export.ParseDuration(text)
	case "geography", "geometry":
		t.value, err = parseGeometry(text)
	default:
		err = fmt.Errorf("there are no literals %.60s'…', only duration'…' and geography'…'", prefix.text)
	}
	if err != nil {
		return token{}, mistake(prefix.at, "%v", err)
	}
	return t, nil
}
