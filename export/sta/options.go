package sta

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

const (
	defaultTop = 100
	maxTop     = 1000
	maxSkip    = 10_000
	maxExpand  = 5 // levels of $expand
)

// options are the query options of a request or of an expanded link (OGC 18-088, section 9.3).
type options struct {
	filter  expression // nil for all
	order   []ordering
	expand  []expansion
	chosen  []string // of $select; nil for all
	top     int
	skip    int
	count   bool
	token   string // where the page before ended
	written map[string]string

	dataArray bool // of $resultFormat
}

type ordering struct {
	by   expression
	down bool
}

type expansion struct {
	link link
	options
}

// supported are the query options of the standard that the service supports.
var supported = []string{"$filter", "$orderby", "$expand", "$select", "$top", "$skip", "$count", "$skiptoken", "$resultFormat"}

// parseQuery reads a request's query.
func parseQuery(raw string, k *kind) (options, error) {
	if len(raw) > maxQueryBytes {
		return options{}, httpapi.Wrong("", "the query has %d bytes, more than %d", len(raw), maxQueryBytes)
	}
	values, err := openapi.ParseQuery(raw)
	if err != nil {
		return options{}, httpapi.Wrong("", "the query cannot be read: %v", err)
	}
	var pairs [][2]string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	return parseOptions(pairs, k, maxExpand)
}

func parseOptions(pairs [][2]string, k *kind, depth int) (options, error) {
	o := options{top: defaultTop, written: map[string]string{}}
	for _, pair := range pairs {
		name, value := pair[0], pair[1]
		if _, twice := o.written[name]; twice {
			return o, httpapi.Wrong(fmt.Sprintf("%.60s", name), "%.60s is given twice", name)
		}
		o.written[name] = value
		if err := o.read(name, value, k, depth); err != nil {
			return o, located(name, err)
		}
	}
	return o, o.checkFormat()
}

// located adds the name of the option to an error.
func located(name string, err error) error {
	if _, done := err.(*httpapi.Problem); done { // it names the option already
		return err
	}
	return httpapi.Wrong(fmt.Sprintf("%.60s", name), "%.60s: %v", name, err)
}

func (o *options) read(name, value string, k *kind, depth int) (err error) {
	switch name {
	case "$top":
		o.top, err = whole(value, maxTop)
	case "$skip":
		if o.skip, err = whole(value, math.MaxInt32); err == nil && o.skip > maxSkip {
			err = fmt.Errorf("more than %d cannot be skipped; follow @iot.nextLink, or narrow the question with $filter", maxSkip)
		}
	case "$count":
		if value != "true" && value != "false" {
			err = fmt.Errorf("%.60q is neither true nor false", value)
		}
		o.count = value == "true"
	case "$filter":
		if o.filter, err = parseExpression(value); err == nil {
			o.filter, err = join(o.filter, k)
		}
		if err == nil {
			err = check(o.filter, k)
		}
	case "$orderby":
		o.order, err = parseOrder(value, k)
	case "$select":
		o.chosen, err = parseSelect(value, k)
	case "$expand":
		o.expand, err = parseExpand(value, k, depth)
	case "$skiptoken":
		o.token = value
	case "$resultFormat":
		err = o.readFormat(value, k, depth < maxExpand)
	default:
		err = unknownOption(name)
	}
	return err
}

func unknownOption(name string) error {
	p := httpapi.Wrong(fmt.Sprintf("%.60s", name), "there is no query option %.60q", name)
	if strings.HasPrefix(name, "$") {
		p = httpapi.New(http.StatusNotImplemented, fmt.Sprintf("%.60s", name), "the query option %.60s is not supported", name)
	}
	p.Allowed = supported
	return p
}

// whole parses an integer from 0; it reduces a larger one to most.
func whole(value string, most int) (int, error) {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%.60q is not a whole number from 0 on", value)
	}
	return min(int(n), most), nil
}

func parseOrder(value string, k *kind) ([]ordering, error) {
	var list []ordering
	for _, part := range split(value, ',') {
		text, down := strings.TrimSpace(part), false
		if rest, ok := strings.CutSuffix(text, " desc"); ok {
			text, down = rest, true
		} else if rest, ok := strings.CutSuffix(text, " asc"); ok {
			text = rest
		}
		by, err := parseExpression(text)
		if err == nil {
			err = check(by, k)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, ordering{by, down})
	}
	return list, nil
}

func parseSelect(value string, k *kind) ([]string, error) {
	var list []string
	for _, name := range strings.Split(value, ",") {
		name = strings.TrimSpace(name)
		_, isProperty := k.property(name)
		_, isLink := k.link(name)
		if !isProperty && !isLink && !k.leavesOut(name) && !isID(name) && name != "@iot.selfLink" {
			return nil, fmt.Errorf("%s have no %.60q; there are id, %s", k.plural, name, strings.Join(k.names(), ", "))
		}
		list = append(list, name)
	}
	return list, nil
}

// parseExpand parses links such as Datastreams($top=1;$expand=Sensor),Locations or Datastreams/Sensor.
func parseExpand(value string, k *kind, depth int) ([]expansion, error) {
	if depth == 0 {
		return nil, fmt.Errorf("more than %d levels are expanded", maxExpand)
	}
	var list []expansion
	for _, part := range split(value, ',') {
		part = strings.TrimSpace(part)
		names, inner, nested := strings.Cut(part, "(")
		if nested {
			if !strings.HasSuffix(inner, ")") {
				return nil, fmt.Errorf("the parenthesis behind %.60s is not closed", names)
			}
			inner = strings.TrimSuffix(inner, ")")
		}
		e, err := parseExpansion(strings.TrimSpace(names), inner, k, depth)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(o expansion) bool { return o.link.name == e.link.name }) {
			return nil, fmt.Errorf("%s is expanded twice; put what belongs to it in one pair of parentheses", e.link.name)
		}
		list = append(list, e)
	}
	return list, nil
}

func parseExpansion(names, inner string, k *kind, depth int) (expansion, error) {
	name, rest, deeper := strings.Cut(names, "/")
	l, ok := k.link(name)
	if !ok {
		var there []string
		for _, l := range schema[k].links {
			there = append(there, l.name)
		}
		return expansion{}, fmt.Errorf("%s do not lead to %.60q; they lead to %s", k.plural, name, strings.Join(there, ", "))
	}
	if deeper {
		next, err := parseExpand(rest+parenthesized(inner), l.to, depth-1)
		return expansion{link: l, options: options{top: defaultTop, expand: next, written: map[string]string{"$expand": rest + parenthesized(inner)}}}, err
	}
	var pairs [][2]string
	for _, part := range split(inner, ';') {
		if part = strings.TrimSpace(part); part != "" {
			name, value, _ := strings.Cut(part, "=")
			pairs = append(pairs, [2]string{name, value})
		}
	}
	o, err := parseOptions(pairs, l.to, depth-1)
	return expansion{link: l, options: o}, err
}

func parenthesized(inner string) string {
	if inner == "" {
		return ""
	}
	return "(" + inner + ")"
}

// split splits a text at a byte that stands outside of quotes and parentheses.
func split(text string, at byte) []string {
	var list []string
	begin, depth, quoted := 0, 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == at && depth == 0:
			list = append(list, text[begin:i])
			begin = i + 1
		}
	}
	return append(list, text[begin:])
}
