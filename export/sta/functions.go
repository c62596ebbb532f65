package sta

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// function is a function of OData, or of SensorThings for geometries.
type function struct {
	least, most int // arguments
	of          func(w *world, e call, of []any) (any, error)
}

func (f function) arguments() string {
	if f.least == f.most {
		return strconv.Itoa(f.least)
	}
	return strconv.Itoa(f.least) + " or " + strconv.Itoa(f.most)
}

// functions are the supported functions of OGC 18-088, table 22, and FROST's during.
var functions = map[string]function{
	"substringof": onTexts(2, func(s []string) any { return strings.Contains(s[1], s[0]) }),
	"contains":    onTexts(2, func(s []string) any { return strings.Contains(s[0], s[1]) }),
	"startswith":  onTexts(2, func(s []string) any { return strings.HasPrefix(s[0], s[1]) }),
	"endswith":    onTexts(2, func(s []string) any { return strings.HasSuffix(s[0], s[1]) }),
	"indexof":     onTexts(2, indexOf),
	"concat":      onTexts(2, func(s []string) any { return s[0] + s[1] }),
	"length":      onTexts(1, func(s []string) any { return float64(utf8.RuneCountInString(s[0])) }),
	"tolower":     onTexts(1, func(s []string) any { return strings.ToLower(s[0]) }),
	"toupper":     onTexts(1, func(s []string) any { return strings.ToUpper(s[0]) }),
	"trim":        onTexts(1, func(s []string) any { return strings.TrimSpace(s[0]) }),
	"substring":   {2, 3, substring},

	"year":               onTime(func(t time.Time) any { return float64(t.Year()) }),
	"month":              onTime(func(t time.Time) any { return float64(t.Month()) }),
	"day":                onTime(func(t time.Time) any { return float64(t.Day()) }),
	"hour":               onTime(func(t time.Time) any { return float64(t.Hour()) }),
	"minute":             onTime(func(t time.Time) any { return float64(t.Minute()) }),
	"second":             onTime(func(t time.Time) any { return float64(t.Second()) }),
	"fractionalseconds":  onTime(func(t time.Time) any { return float64(t.Nanosecond()) / 1e9 }),
	"totaloffsetminutes": onTime(func(time.Time) any { return 0.0 }), // times are in UTC
	"time":               onTime(func(t time.Time) any { return t.Format(time.TimeOnly) }),
	"date":               onTime(func(t time.Time) any { return t.Truncate(24 * time.Hour) }),
	"now":                {0, 0, func(w *world, _ call, _ []any) (any, error) { return w.now, nil }},
	"mindatetime":        {0, 0, func(*world, call, []any) (any, error) { return time.Time{}, nil }},
	"maxdatetime":        {0, 0, func(*world, call, []any) (any, error) { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), nil }},

	"during": {2, 2, during},

	"round":   onNumber(math.Round),
	"floor":   onNumber(math.Floor),
	"ceiling": onNumber(math.Ceil),

	"geo.distance":   {2, 2, distance},
	"geo.length":     {1, 1, length},
	"geo.intersects": onPlaces("T********", "*T*******"),
	"st_intersects":  onPlaces("T********", "*T*******"),
	"st_within":      onPlaces("T*F**F***"),
	"st_contains":    onPlaces("T*****FF*"),
	"st_disjoint":    onPlaces("FF*FF****"),
	"st_equals":      onPlaces("T*F**FFF*"),
	"st_touches":     onPlaces("FT*******", "F**T*****"),
	"st_crosses":     never, // a point crosses and overlaps nothing
	"st_overlaps":    never,
	"st_relate":      {3, 3, relate},
}

func unknownFunction(e call) error { return mistake(e.at, "there is no function %.60q", e.function) }

// call evaluates a function call. An argument with several values gives several results.
func (w *world) call(e call, of *entity) (any, error) {
	values := make([]any, len(e.of))
	for i, argument := range e.of {
		v, err := w.value(argument, of)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return w.apply(e, values)
}

func (w *world) apply(e call, values []any) (any, error) {
	for i, v := range values {
		many, ok := v.(several)
		if !ok {
			continue
		}
		return each(many, func(one any) (any, error) {
			single := append([]any(nil), values...)
			single[i] = one
			return w.apply(e, single)
		})
	}
	for _, v := range values {
		if v == nil {
			return nil, nil
		}
	}
	return functions[e.function].of(w, e, values)
}

func onTexts(n int, f func([]string) any) function {
	return function{n, n, func(_ *world, e call, of []any) (any, error) {
		list := make([]string, n)
		for i, v := range of {
			s, ok := v.(string)
			if !ok {
				return nil, mistake(e.at, "%s needs texts, not %s", e.function, typeName(v))
			}
			list[i] = s
		}
		return f(list), nil
	}}
}

func onTime(f func(time.Time) any) function {
	return function{1, 1, func(_ *world, e call, of []any) (any, error) {
		at, ok := of[0].(time.Time)
		if !ok {
			return nil, mistake(e.at, "%s needs a time, not %s", e.function, typeName(of[0]))
		}
		return f(at.UTC()), nil
	}}
}

func onNumber(f func(float64) float64) function {
	return function{1, 1, func(_ *world, e call, of []any) (any, error) {
		v, ok := of[0].(float64)
		if !ok {
			return nil, mistake(e.at, "%s needs a number, not %s", e.function, typeName(of[0]))
		}
		return f(v), nil
	}}
}

// during reports whether a time lies in an interval, as FROST defines it: the begin is included, the end is not.
func during(_ *world, e call, of []any) (any, error) {
	at, isTime := of[0].(time.Time)
	i, isInterval := of[1].(interval)
	if !isTime || !isInterval {
		return nil, mistake(e.at, "during needs a time and an interval, such as during(phenomenonTime,2026-05-01T00:00:00Z/2026-05-02T00:00:00Z)")
	}
	return !at.Before(i.from) && at.Before(i.to), nil
}

// indexOf returns the index of the second text in the first, in characters from 0; -1 when it is not in it.
func indexOf(s []string) any {
	at := strings.Index(s[0], s[1])
	if at < 0 {
		return -1.0
	}
	return float64(utf8.RuneCountInString(s[0][:at]))
}

// substring returns the characters from an index on, at most as many as a third argument allows.
func substring(_ *world, e call, of []any) (any, error) {
	text, isText := of[0].(string)
	from, isNumber := of[1].(float64)
	count, counted := math.Inf(1), true
	if len(of) == 3 {
		count, counted = of[2].(float64)
	}
	if !isText || !isNumber || !counted || !(from >= 0) || !(count >= 0) {
		return nil, mistake(e.at, "substring needs a text and numbers that are not negative")
	}
	letters := []rune(text)
	begin := min(from, float64(len(letters)))
	end := min(begin+count, float64(len(letters)))
	return string(letters[int(begin):int(end)]), nil
}
