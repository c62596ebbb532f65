package ingest

import (
	"regexp"
	"strconv"
	"strings"
)

// GermanDetail returns the German of a refusal's detail, with what the detail quotes as it is; empty for a detail that is
// not in the list, such as one that quotes the database. Details are journalled in English, so the German is made when
// they are shown.
func GermanDetail(detail string) string {
	sentence, more := detail, ""
	if m := moreRefusals.FindStringSubmatch(detail); m != nil {
		sentence, more = m[1], " (und "+m[2]+" weitere Ablehnungen)"
	}
	for _, d := range germanDetails {
		if m := d.english.FindStringSubmatch(sentence); m != nil {
			return d.fill(m[1:]) + more
		}
	}
	return ""
}

var moreRefusals = regexp.MustCompile(`(?s)^(.*) \(and (\d+) more refusals\)$`)

// germanDetail is a kind of detail: a pattern with a group for each part that differs, and the German with {1} for the
// first of these.
type germanDetail struct {
	english *regexp.Regexp
	german  string
}

func (d germanDetail) fill(parts []string) string {
	pairs := make([]string, 0, 2*len(parts))
	for i, part := range parts {
		pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", germanPart(part))
	}
	return strings.NewReplacer(pairs...).Replace(d.german)
}

// germanPart returns the German of a part of a detail that is ours; a part that quotes input stays.
func germanPart(part string) string {
	if german, ours := germanParts[part]; ours {
		return german
	}
	return germanQuestions.Replace(part)
}

// germanQuestions are those of UnknownNames. A quote within quoted input has a backslash before it, so they are ours.
var germanQuestions = strings.NewReplacer(`, did you mean "`, `, meintest du "`, `, which of them is "`, `, welcher davon ist "`)

// hole stands for a part that differs in the English of germanDetails.
var hole = regexp.MustCompile(`\\\{\d\\\}`)

func detailOf(english, german string) germanDetail {
	pattern := hole.ReplaceAllString(regexp.QuoteMeta(english), "(.*?)")
	return germanDetail{regexp.MustCompile("(?s)^" + pattern + "$"), german}
}
