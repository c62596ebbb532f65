package ingest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// The marks in what is public for a name, and for quoted text, that stays private.
const (
	hiddenName = "…"
	hidden     = `"` + hiddenName + `"`
)

// ownWords are words of the protocol that details quote, besides the quantities.
var ownWords = []string{"t", "age", "x_", wire.Online, wire.Offline, "data", "sensordatavalues", "id", "value", "value_type", "v"}

// Public returns refusals as everyone may read them: topics, payloads and serial numbers that their details quote are
// left out. Names of members stay unless they look like a serial number. Neighbours that are then equal become one.
func Public(refusals []Refusal) []Refusal {
	list := slices.Clone(refusals)
	for i := range list {
		list[i] = list[i].public()
	}
	return slices.Compact(list)
}

func (r Refusal) public() Refusal {
	field := r.Field
	if r.Field = ""; plainName(field) {
		r.Field = field
	}
	name := field[strings.LastIndexByte(field, ']')+1:]
	name = strings.TrimPrefix(name, ".")
	r.Detail = unquoted(r.Detail, func(quoted string) bool {
		_, known := quantity.Parse(quoted)
		return known || slices.Contains(ownWords, quoted) || plainName(quoted) && (quoted == name || r.Reason == wire.UnknownMember)
	})
	return r
}

// Public returns a contact as everyone may read it: with a mark for names that look like a serial number.
func (c Contact) Public() Contact {
	c.Refusals = Public(c.Refusals)
	c.Ignored = slices.Clone(c.Ignored)
	for i, name := range c.Ignored {
		if !plainName(name) {
			c.Ignored[i] = hiddenName
		}
	}
	return c
}

// unquoted replaces the quoted parts of a detail that may not stay. A part without its end, because the detail was cut,
// never stays.
func unquoted(detail string, stays func(quoted string) bool) string {
	var b strings.Builder
	for {
		before, _, found := strings.Cut(detail, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		detail = detail[len(before):]
		quoted, err := strconv.QuotedPrefix(detail)
		if err != nil {
			b.WriteString(hidden)
			return b.String()
		}
		text, _ := strconv.Unquote(quoted)
		if stays(text) {
			b.WriteString(quoted)
		} else {
			b.WriteString(hidden)
		}
		detail = detail[len(quoted):]
	}
}

var (
	nameForm = regexp.MustCompile(`^(\[\d+\]\.)?[A-Za-z0-9_.\[\]-]{1,40}$`)
	// serialForm is a part of a name that may be a serial number, a MAC address or a chip id: five digits or more, or four
	// or more hexadecimal digits that are not all letters, or six that are.
	serialForm = regexp.MustCompile(`\d{5}|^[0-9a-f]*[0-9][0-9a-f]*[a-f][0-9a-f]*$|^[0-9a-f]*[a-f][0-9a-f]*[0-9][0-9a-f]*$|^[0-9a-f]{6,}$`)
	nameParts  = regexp.MustCompile(`[A-Za-z0-9]+`)
)

// plainName reports whether a name of a message's member is one that says what was measured: it is short and no part of
// it looks like a serial number.
func plainName(name string) bool {
	if !nameForm.MatchString(name) {
		return false
	}
	for _, part := range nameParts.FindAllString(strings.ToLower(name), -1) {
		if len(part) >= 4 && serialForm.MatchString(part) {
			return false
		}
	}
	return true
}
