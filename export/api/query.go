package api

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
)

// query reads a request's parameters and remembers the first mistake. Each parameter is read once; what
// nobody read is unknown.
type query struct {
	values url.Values
	known  []string
	err    *problem
}

func newQuery(values url.Values) *query { return &query{values: values} }

// text is a parameter, or the default when it is missing or empty.
func (q *query) text(name, otherwise string) string {
	q.known = append(q.known, name)
	given := q.values[name]
	if len(given) > 1 {
		q.fail(wrong(name, "%s is given %d times", name, len(given)))
	}
	if len(given) == 0 || given[0] == "" {
		return otherwise
	}
	return given[0]
}

func (q *query) fail(p *problem) {
	if q.err == nil {
		q.err = p
	}
}

// done is the first mistake. It must be called when every parameter has been read.
func (q *query) done() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			p := wrong(clip(name), "there is no parameter %q here", clip(name))
			p.Allowed = q.known
			return p
		}
	}
	if q.err != nil {
		return q.err
	}
	return nil
}

func (q *query) choice(name, otherwise string, allowed ...string) string {
	value := q.text(name, otherwise)
	if !slices.Contains(allowed, value) {
		q.fail(wrongChoice(name, value, allowed))
	}
	return value
}

func (q *query) format(otherwise export.Format, allowed ...export.Format) export.Format {
	names := make([]string, len(allowed))
	for i, f := range allowed {
		names[i] = string(f)
	}
	return export.Format(q.choice("format", string(otherwise), names...))
}

func (q *query) time(name string, otherwise time.Time) time.Time {
	text := q.text(name, "")
	if text == "" {
		return otherwise
	}
	t, err := export.ParseTime(text)
	if err != nil {
		q.fail(wrong(name, "%s: %v", name, err))
	}
	return t
}

// period is from and to; by default the last hour.
func (q *query) period(now time.Time) (from, to time.Time) {
	to = q.time("to", now)
	from = q.time("from", to.Add(-time.Hour))
	if q.err == nil && from.After(to) {
		q.fail(wrong("from", "from %s is after to %s", from.Format(time.RFC3339), to.Format(time.RFC3339)))
	}
	return from, to
}

// quantities is a list separated by commas; none when it is missing.
func (q *query) quantities() []wire.Quantity {
	text := q.text("quantity", "")
	if text == "" {
		return nil
	}
	var list []wire.Quantity
	for _, name := range strings.Split(text, ",") {
		quantity, ok := wire.ParseQuantity(name)
		if !ok {
			q.fail(wrongChoice("quantity", name, quantityNames()))
			return nil
		}
		list = append(list, quantity)
	}
	return list
}

func quantityNames() []string {
	var names []string
	for _, q := range wire.Quantities() {
		names = append(names, q.String())
	}
	return names
}

func (q *query) resolution(otherwise int32) int32 {
	names := make([]string, 0, len(geo.Resolutions()))
	for _, size := range geo.Resolutions() {
		names = append(names, strconv.Itoa(int(size)))
	}
	size, _ := strconv.Atoi(q.choice("resolution", strconv.Itoa(int(otherwise)), names...)) // one of the names
	return int32(size)
}

// bbox is west,south,east,north in degrees; false when it is missing.
func (q *query) bbox() (orb.Bound, bool) {
	text := q.text("bbox", "")
	if text == "" {
		return orb.Bound{}, false
	}
	parts := strings.Split(text, ",")
	var n [4]float64
	if len(parts) != 4 {
		q.fail(wrong("bbox", "bbox is west,south,east,north in degrees, not %q", clip(text)))
		return orb.Bound{}, false
	}
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(v) || math.Abs(v) > 180 {
			q.fail(wrong("bbox", "bbox: %q is not a number of degrees", clip(part)))
			return orb.Bound{}, false
		}
		n[i] = v
	}
	if n[0] > n[2] || n[1] > n[3] {
		q.fail(wrong("bbox", "bbox %s: west,south must not lie beyond east,north; are the corners swapped?", clip(text)))
	}
	return orb.Bound{Min: orb.Point{n[0], n[1]}, Max: orb.Point{n[2], n[3]}}, true
}
