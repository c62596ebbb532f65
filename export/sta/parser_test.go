package sta

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
)

// write returns an expression with all its parentheses; parsed again it is the same expression.
func write(e expression) string {
	switch e := e.(type) {
	case literal:
		switch v := e.value.(type) {
		case nil:
			return "null"
		case string:
			return "'" + strings.ReplaceAll(v, "'", "''") + "'"
		case time.Time:
			return v.Format(time.RFC3339Nano)
		case interval:
			return v.from.Format(time.RFC3339Nano) + "/" + v.to.Format(time.RFC3339Nano)
		case time.Duration:
			sign := ""
			if v < 0 {
				sign = "-"
			}
			return fmt.Sprintf("duration'%sPT%.9fS'", sign, v.Abs().Seconds())
		case float64:
			return fmt.Sprintf("%v", v)
		case orb.Geometry:
			return "geography'" + wkt.MarshalString(v) + "'"
		}
		return fmt.Sprint(e.value)
	case path:
		return strings.Join(e.names, "/")
	case unary:
		if e.operator == "-" {
			return "(-" + write(e.of) + ")"
		}
		return "(not " + write(e.of) + ")"
	case binary:
		return "(" + write(e.left) + " " + e.operator + " " + write(e.right) + ")"
	case call:
		var list []string
		for _, of := range e.of {
			list = append(list, write(of))
		}
		return e.function + "(" + strings.Join(list, ",") + ")"
	}
	return "?"
}

// The order of precedence is OData's (OData 4.0 URL conventions, section 5.1.1.9): unary, multiplication, addition,
// comparison, and, or.
func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		e, err := parseExpression(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if got := write(e); got != want {
			t.Errorf("%s reads as %s, want %s", text, got, want)
		}
	}
	f("result eq 5", "(result eq 5)")
	f("result gt 1 and result lt 2 or result eq 3", "(((result gt 1) and (result lt 2)) or (result eq 3))")
	f("a or b and c", "(a or (b and c))")
	f("not (a eq b) and c", "((not (a eq b)) and c)")
	f("a add b mul c sub d", "((a add (b mul c)) sub d)")
	f("a div 2 eq b mod 3", "((a div 2) eq (b mod 3))")
	f("result gt -5.5", "(result gt (-5.5))")
	f("-(1 add 2) lt result", "((-(1 add 2)) lt result)")
	f("name eq 'it''s'", "(name eq 'it''s')")
	f("name eq ''", "(name eq '')")
	f("Datastreams/ObservedProperty/name eq 'PM10'", "(Datastreams/ObservedProperty/name eq 'PM10')")
	f("@iot.id eq 'x'", "(@iot.id eq 'x')")
	f("properties/demo eq false", "(properties/demo eq false)")
	f("properties/x eq null", "(properties/x eq null)")
	f("phenomenonTime ge 2026-05-01T10:00:00Z", "(phenomenonTime ge 2026-05-01T10:00:00Z)")
	f("phenomenonTime ge 2026-05-01T10:00:00.5+02:00", "(phenomenonTime ge 2026-05-01T08:00:00.5Z)")
	f("date(resultTime) eq 2026-05-01", "(date(resultTime) eq 2026-05-01T00:00:00Z)")
	f("during(phenomenonTime,2026-05-01T10:00:00.000Z/2026-05-02)", "during(phenomenonTime,2026-05-01T10:00:00Z/2026-05-02T00:00:00Z)")
	f("now() sub duration'P1DT2H3M4.5S'", "(now() sub duration'PT93784.500000000S')")
	f("substringof('Dom',name)", "substringof('Dom',name)")
	f("st_within(location,geography'POLYGON((0 0,1 0,1 1,0 0))')", "st_within(location,geography'POLYGON((0 0,1 0,1 1,0 0))')")
	f("geo.distance(location,geography'SRID=4326;POINT(6.9 50.9)') lt 1e3", "(geo.distance(location,geography'POINT(6.9 50.9)') lt 1000)")
	f("concat(concat(name,', '),name)", "concat(concat(name,', '),name)")
}

// Positions count from 1, in bytes.
func TestParseMistakes(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		e, err := parseExpression(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %s", text, e, err, want)
		}
	}
	f("", "at character 1: a value is expected here, not the end")
	f("result eq", "at character 10: a value is expected here, not the end")
	f("result eq 5 5", `at character 13: "5" is not expected here`)
	f("result = 5", `at character 8: '=' does not belong`)
	f("größe eq 5", `at character 3: 'ö' does not belong`)
	f("result eq (5", "at character 13: a closing parenthesis is expected here, for the one at character 11")
	f("result eq 5)", `at character 12: ")" is not expected here`)
	f("name eq 'x", "at character 9: the text that begins here has no closing quote")
	f("a eq 5x", `at character 6: "5x" is no number`)
	f("a eq 1e999", `at character 6: "1e999" is no number`)
	f("a eq 0x10", `at character 6: "0x10" is no number`)
	f("a eq 2026-05-02/2026-05-01", `at character 6: 2026-05-02/2026-05-01 is no interval`)
	f("a eq 2026-05-02/5", `at character 6: 2026-05-02/5 is no interval`)
	f("a eq 2026-13-01", `at character 6: "2026-13-01" is neither a time`)
	f("length(name", "at character 12: a comma or a closing parenthesis")
	f("length(name name)", "at character 13: a comma or a closing parenthesis")
	f("length(,name)", `at character 8: a value is expected here, not ","`)
	f("a/5", "at character 3: a name is expected behind the slash")
	f("a eq duration'1H'", `at character 6: "1H" is no duration`)
	f("a eq duration'PT'", `at character 6: "PT" is no duration`)
	f("a eq duration'P1Y'", `at character 6: "P1Y" is no duration`)
	f("a eq duration'P99999999D'", `at character 6: "P99999999D" is no duration`)
	f("a eq time'x'", "at character 6: there are no literals time'…'")
	f("a eq geography'CIRCLE(1 2)'", `at character 6: "CIRCLE(1 2)" is no well-known text`)
	f("a eq geography'POINT(500 2)'", `at character 6: "POINT(500 2)" lies outside`)
	f("a eq geography'MULTIPOINT((1 2),(3 4))'", "at character 6: MultiPoint is not among")
	f(strings.Repeat("(", 100)+"1"+strings.Repeat(")", 100), "at character 31: more than 30 levels")
	f(strings.Repeat("not ", 100)+"a", "at character 121: more than 30 levels")
}

// An accepted expression can be written and parsed again as the same one, and evaluated without a panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"result gt 5 and phenomenonTime ge now() sub duration'PT1H'", "st_within(Datastream/Thing/Locations/location,geography'POLYGON((0 0,1 0,1 1,0 0))')",
		"not (name eq 'it''s') or -1 mul 2 eq null", "substring(Datastream/name,1 div 0,2) eq 'x'", "year(2026-05-01T10:00:00Z) mod 4 eq 0",
		"substring('x',1e308 mul 10 sub 1e308 mul 10)", "st_relate(FeatureOfInterest/feature,geography'LINESTRING(0 0,1 1)','T********')",
	} {
		f.Add(seed)
	}
	w := newTestWorld(f)
	observation := w.sample()
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseExpression(text)
		if err != nil {
			return
		}
		written := write(e)
		again, err := parseExpression(written)
		if err != nil && !strings.Contains(err.Error(), "levels are nested") {
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
		if err == nil && write(again) != written {
			t.Errorf("%q is written as %q, then as %q", text, written, write(again))
		}
		if check(e, observations) == nil {
			_, _ = w.admits(observation, e)
			w.scopeOf(nil, e)
		}
	})
}
