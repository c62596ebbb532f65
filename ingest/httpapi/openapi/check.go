package openapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
)

// Mistake is an invalid parameter.
type Mistake struct {
	Field   string         // the parameter
	Detail  bilingual.Text // a sentence
	Allowed []string       // the valid values, or the names of the known parameters
}

func (m *Mistake) Error() string { return m.Detail.EN }

// mistake formats both languages of a sentence with the same arguments.
func mistake(field string, allowed []string, format bilingual.Text, args ...any) *Mistake {
	return &Mistake{field, bilingual.Of(fmt.Sprintf(format.EN, args...), fmt.Sprintf(format.DE, args...)), allowed}
}

// ParseQuery parses a query. Only ampersands separate its parts, as in browsers
// (https://url.spec.whatwg.org/#urlencoded-parsing); net/url refuses the semicolons of SensorThings.
func ParseQuery(raw string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
}

// Check checks a request's query: no parameter unknown, none twice, none with an invalid value. It returns the first
// mistake, by name; nil when there is none.
func (r Route) Check(query url.Values) *Mistake {
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, known := r.parameter(name); !known && !r.Free {
			return mistake(name, r.queryNames(), bilingual.Of("there is no parameter %.80q here", "Einen Parameter %.80q gibt es hier nicht."), name)
		}
	}
	for _, name := range names {
		p, known := r.parameter(name)
		if !known {
			continue
		}
		if m := p.check(query[name]); m != nil {
			return m
		}
	}
	return nil
}

// maxListed is the largest number of values of a List.
const maxListed = 200

// parameter returns the route's query parameter with a name.
func (r Route) parameter(name string) (Parameter, bool) {
	i := slices.IndexFunc(r.Parameters, func(p Parameter) bool { return p.Name == name && !r.inPath(name) })
	if i < 0 {
		return Parameter{}, false
	}
	return r.Parameters[i], true
}

func (r Route) queryNames() []string {
	names := []string{}
	for _, p := range r.Parameters {
		if !r.inPath(p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

func (p Parameter) check(given []string) *Mistake {
	if len(given) > 1 {
		return mistake(p.Name, nil, bilingual.Of("%s is given %d times", "%s steht %d Mal da."), p.Name, len(given))
	}
	if len(given) == 0 || given[0] == "" {
		return nil
	}
	if p.Kind == Integer {
		return p.checkInteger(given[0])
	}
	values := given
	if p.Kind == List {
		if n := strings.Count(given[0], ",") + 1; n > maxListed {
			return mistake(p.Name, nil, bilingual.Of("%s names %d, at most %d can be asked for at once", "%s nennt %d, höchstens %d lassen sich auf einmal erfragen."), p.Name, n, maxListed)
		}
		values = strings.Split(given[0], ",")
	}
	for i, value := range values {
		if slices.Contains(values[:i], value) {
			return mistake(p.Name, nil, bilingual.Of("%s names %.80q twice", "%s nennt %.80q zweimal."), p.Name, value)
		}
		if p.Choices != nil && !slices.Contains(p.Choices, value) {
			return mistake(p.Name, p.Choices, bilingual.Of("%s %.80q is not one of those allowed", "%s %.80q ist keines von denen, die möglich sind."), p.Name, value)
		}
	}
	return nil
}

func (p Parameter) checkInteger(given string) *Mistake {
	n, err := strconv.Atoi(given)
	switch {
	case err != nil || n < p.least():
		return mistake(p.Name, nil, bilingual.Of("%s %.80q is not a whole number from %d on", "%s %.80q ist keine ganze Zahl ab %d."), p.Name, given, p.least())
	case p.Most > 0 && n > p.Most && !p.Capped:
		return mistake(p.Name, nil, bilingual.Of("%s %d is beyond the most that can be had at once, %d", "%s %d ist mehr, als es auf einmal gibt: %d."), p.Name, n, p.Most)
	}
	return nil
}

// least returns the smallest Integer.
func (p Parameter) least() int {
	if p.FromZero {
		return 0
	}
	return 1
}
