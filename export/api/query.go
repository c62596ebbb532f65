package api

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest/httpapi"
)

// query parses a request's parameters.
type query struct{ *httpapi.Query }

func newQuery(r *http.Request) *query { return &query{httpapi.NewQuery(r)} }

func (q *query) text(name string) string { return q.Text(name) }

func (q *query) done() error { return q.Done() }

// list returns a parameter of several values; none when it is missing.
func (q *query) list(name string) []string {
	text := q.text(name)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// number returns an integer parameter; 0 when it is missing.
func (q *query) number(name string) int {
	n, _ := strconv.Atoi(q.text(name)) // checked
	return n
}

// format returns the format of the answer, including CSV's delimiter and decimals.
func (q *query) format() export.Format {
	format := export.Format(q.text("format"))
	semicolon, comma := q.text("delimiter") == "semicolon", q.text("decimal") == "comma"
	for name, set := range map[string]bool{"delimiter": semicolon, "decimal": comma} {
		if set && format != export.CSV {
			q.Fail(wrong(name, "%s is for format=csv; this is %s", name, format).InGerman("%s gehört zu format=csv; das ist %s.", name, format))
		}
	}
	switch {
	case comma && q.Given("delimiter") && !semicolon:
		q.Fail(wrong("delimiter", "decimal commas need semicolons between the fields: leave delimiter out").
			InGerman("Dezimalkommas brauchen Semikolons zwischen den Feldern: Lass delimiter weg."))
	case comma:
		return export.German
	case semicolon:
		return export.Semicolon
	}
	return format
}

func (q *query) time(name string, otherwise time.Time) time.Time {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	t, err := export.ParseTime(text)
	if err != nil {
		q.Fail(wrong(name, "%s: %v", name, err).InGerman("%s: %.80q ist kein Zeitpunkt wie 2026-05-01T00:00:00Z.", name, text))
	}
	return t
}

// period returns from and to; to defaults to the second after now, from to length before to.
func (q *query) period(now time.Time, length time.Duration) (from, to time.Time) {
	to = q.time("to", now.Truncate(time.Second).Add(time.Second))
	from = q.time("from", to.Add(-length))
	if from.After(to) {
		q.Fail(wrong("from", "from %s is after to %s", from.Format(time.RFC3339), to.Format(time.RFC3339)).
			InGerman("from %s liegt nach to %s.", from.Format(time.RFC3339), to.Format(time.RFC3339)))
	}
	return from, to
}

// cursor returns the row after which a page begins; the zero Cursor for the first page.
func (q *query) cursor() download.Cursor {
	text := q.text("cursor")
	if text == "" {
		return download.Cursor{}
	}
	c, err := download.ParseCursor(text)
	if err != nil {
		q.Fail(wrong("cursor", "cursor %.80q: %v", text, err).InGerman("Der cursor %.80q ist keiner: Nimm die Adresse der nächsten Seite, wie sie ist.", text))
	}
	return c
}

// quantities returns the selected quantities; none when all are.
func (q *query) quantities() []quantity.Quantity {
	var list []quantity.Quantity
	for _, name := range q.list("quantity") {
		q, _ := quantity.Parse(name) // checked
		list = append(list, q)
	}
	return list
}

// within returns a function that reports whether bbox and district select a place; nil when all places are selected.
func (q *query) within(s *Server) func(orb.Point) bool {
	box, boxed := q.bbox()
	district := ""
	if q.Has("district") {
		district = q.text("district")
	}
	if !boxed && district == "" {
		return nil
	}
	return func(p orb.Point) bool {
		if boxed && !box.Contains(geo.Published(p)) {
			return false
		}
		i := slices.IndexFunc(s.City.Districts, func(d geo.District) bool { return d.Name == district })
		return i < 0 || s.City.Districts[i].Contains(p)
	}
}

// bbox returns west,south,east,north in degrees; false when it is missing.
func (q *query) bbox() (orb.Bound, bool) {
	text := q.text("bbox")
	if text == "" {
		return orb.Bound{}, false
	}
	parts := strings.Split(text, ",")
	var n [4]float64
	if len(parts) != 4 {
		q.Fail(wrong("bbox", "bbox is west,south,east,north in degrees, not %.80q", text).InGerman("bbox ist West,Süd,Ost,Nord in Grad, nicht %.80q.", text))
		return orb.Bound{}, false
	}
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(v) || math.Abs(v) > 180 || i%2 == 1 && math.Abs(v) > 90 {
			q.Fail(wrong("bbox", "bbox: %.80q is no %s in degrees", part, [...]string{"longitude", "latitude"}[i%2]).
				InGerman("bbox: %.80q ist keine %s in Grad.", part, [...]string{"Länge", "Breite"}[i%2]))
			return orb.Bound{}, false
		}
		n[i] = v
	}
	if n[0] > n[2] || n[1] > n[3] {
		q.Fail(wrong("bbox", "bbox %.80s: west,south must not lie beyond east,north; are the corners swapped?", text).
			InGerman("bbox %.80s: West,Süd liegt jenseits von Ost,Nord; sind die Ecken vertauscht?", text))
	}
	return orb.Bound{Min: orb.Point{n[0], n[1]}, Max: orb.Point{n[2], n[3]}}, true
}
