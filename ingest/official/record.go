package official

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// record is one row of an answer by its columns' names in lower case.
type record map[string]any

// keyName is the column with the key under which the row stood.
const keyName = "\x00key"

// missing is how older German exports write that there is no value.
const missing = -999

// records returns the rows of a decoded answer, wherever they stand in it: objects without objects in them, and arrays
// of the columns in "indices". In an object of numbers by time each member is a row.
func records(answer any) []record {
	var list []record
	var names []string
	var walk func(v any, key string)
	walk = func(v any, key string) {
		switch v := v.(type) {
		case map[string]any:
			if indices, ok := v["indices"].([]any); ok {
				names = texts(indices)
			}
			if plain(maps.Values(v)) {
				list = append(list, split(v, key)...)
				return
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if name != "request" && name != "indices" {
					walk(v[name], name)
				}
			}
		case []any:
			if len(names) > 0 && len(v) <= len(names) && plain(slices.Values(v)) {
				r := record{keyName: key}
				for i, cell := range v {
					r[names[i]] = cell
				}
				list = append(list, r)
				return
			}
			for _, child := range v {
				walk(child, key)
			}
		}
	}
	walk(answer, "")
	return list
}

// split returns an object as a row, or as a row for each time that is a key of it.
func split(object map[string]any, key string) []record {
	r, byTime := record{keyName: key}, []record{}
	for name, v := range object {
		r[strings.ToLower(name)] = v
		if _, ok := parseTime(name); ok {
			byTime = append(byTime, record{keyName: name, "value": v})
		}
	}
	if len(byTime) > 0 {
		return byTime
	}
	return []record{r}
}

func plain(values func(func(any) bool)) bool {
	for v := range values {
		switch v.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}

func texts(values []any) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = strings.ToLower(fmt.Sprint(v))
	}
	return list
}

// text returns the first of the columns that is not empty.
func (r record) text(names ...string) string {
	for _, name := range names {
		if v, ok := r[name]; ok && v != nil && v != "" {
			return fmt.Sprint(v)
		}
	}
	return ""
}

// number returns the first of the columns that is a number; text may have a decimal comma.
func (r record) number(names ...string) (float64, bool) {
	for _, name := range names {
		switch v := r[name].(type) {
		case float64:
			return v, true
		case string:
			if n, err := strconv.ParseFloat(strings.Replace(v, ",", ".", 1), 64); err == nil {
				return n, true
			}
		}
	}
	return 0, false
}

// time returns the first of the columns that is a time, UTC.
func (r record) time(names ...string) (time.Time, bool) {
	for _, name := range names {
		if text, ok := r[name].(string); ok {
			if at, ok := parseTime(text); ok {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// parseTime parses a time with an offset, or one without, which is UTC+1.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", nrwTime, time.DateTime, "2006-01-02 15:04", "02.01.2006 15:04"} {
		if at, err := time.ParseInLocation(layout, text, cet); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}
