package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/store"
)

// recomputeTime bounds the computation of a window from its readings.
const recomputeTime = 30 * time.Second

// pagesLast is how long live averages can be paged through; their readings are kept longer.
const pagesLast = time.Hour

// gridQuery is a request for averages: of one window, or of every window that begins in a period.
type gridQuery struct {
	window     aggregate.Window
	from, to   time.Time // starts of windows, to not included; of live both are the moment
	period     bool
	resolution int32
	quantities []quantity.Quantity
	within     func(orb.Point) bool // nil = everywhere
}

// readWindow parses the window of a request, or its period of windows when its route allows that.
func (s *Server) readWindow(q *query, g *gridQuery, now time.Time) {
	g.window, _ = aggregate.ParseWindow(q.text("window")) // checked
	when := q.text("time")
	g.period = q.Given("from") || q.Given("to")
	switch {
	case g.window == aggregate.Live && g.period:
		q.Fail(wrong("from", "a live average is of now: ask for a period with window=1h or 24h").InGerman("Ein laufendes Mittel gilt jetzt: Einen Zeitraum gibt es mit window=1h oder 24h."))
	case g.window == aggregate.Live && when != "latest":
		q.Fail(wrong("time", "a live average is of now: leave time out, or ask for window=1h or 24h").InGerman("Ein laufendes Mittel gilt jetzt: Lass time weg, oder frag mit window=1h oder 24h."))
	case g.window == aggregate.Live:
		g.from = q.moment(now)
		g.to = g.from
	case g.period && when != "latest":
		q.Fail(wrong("time", "time is for one window, from and to are for many: leave one of them out").
			InGerman("time ist für ein Fenster, from und to sind für viele: Lass eins von beidem weg."))
	case g.period:
		g.from, g.to = q.period(now, gridSpans[g.window].usual)
	default:
		g.from = s.latest(g.window, now)
		if when != "latest" {
			at, err := export.ParseTime(when)
			if err != nil {
				q.Fail(wrong("time", "time: %v, nor \"latest\"", err).InGerman("time ist weder ein Zeitpunkt wie 2026-05-01T00:00:00Z noch latest."))
			}
			g.from = s.windowStart(g.window, at)
		}
		g.to = g.from.Add(time.Second)
	}
}

// gridSpans are the default length of a period for each window, and the longest one that is held in memory.
var gridSpans = map[aggregate.Window]struct{ usual, most time.Duration }{
	aggregate.Live: {0, time.Hour},
	aggregate.Hour: {24 * time.Hour, 31 * 24 * time.Hour},
	aggregate.Day:  {31 * 24 * time.Hour, 366 * 24 * time.Hour},
}

// latest returns the start of the last complete window.
func (s *Server) latest(window aggregate.Window, now time.Time) time.Time {
	return s.windowStart(window, now.Add(-aggregate.GracePeriod)).Add(-length(window))
}

func length(window aggregate.Window) time.Duration {
	return time.Duration(window.Seconds()) * time.Second
}

// windowStart returns the start of the hour or day in which a moment lies.
func (s *Server) windowStart(window aggregate.Window, at time.Time) time.Time {
	if window == aggregate.Day {
		return aggregate.DayOf(at, s.City.DayOffset)
	}
	return at.Truncate(time.Hour)
}

// getGrid answers with the average of each cell.
func (s *Server) getGrid(w http.ResponseWriter, r *http.Request) error {
	now, q := time.Now().UTC(), newQuery(r)
	g := gridQuery{quantities: q.quantities(), resolution: int32(q.number("resolution")), within: q.within(s)}
	s.readWindow(q, &g, now)
	d := q.document(s, r, g.from, g.to, gridSpans[g.window].most)
	if kept := s.firstKept(g.window, now); g.period && g.from.Before(kept) && g.resolution != s.City.Resolution {
		p := wrong("resolution", "a period that begins before %s can be had at %d m only; single windows at every resolution", kept.Format(time.RFC3339), s.City.Resolution).
			InGerman("Einen Zeitraum, der vor %s beginnt, gibt es nur mit %d m; einzelne Fenster mit jeder Auflösung.", kept.Format(time.RFC3339), s.City.Resolution)
		p.Allowed = []string{fmt.Sprint(s.City.Resolution)}
		q.Fail(p)
	}
	if err := q.done(); err != nil {
		return err
	}
	if len(g.quantities) == 0 && d.format == export.GeoJSON {
		g.quantities = []quantity.Quantity{quantity.PM2_5}
	}
	s.announce(&d, &g, "grid")
	d.meta.Averaging = export.GridRule(g.window, s.City.Corrected)
	return send(w, r, d, func(add func(aggregate.Row) error) error {
		return s.gridRows(r.Context(), g, now, add)
	}, download.AtRow, download.NewGrid)
}

// announce sets the headers of averages and the time from which a page begins.
func (s *Server) announce(d *document, g *gridQuery, what string) {
	d.meta = s.source().Meta(s.Registry.Stations())
	d.name, d.schema = what+"-"+g.window.String(), what+".json?window="+g.window.String()
	switch {
	case g.period:
		d.pin("from", d.from)
		d.pin("to", d.to)
	case g.window != aggregate.Live: // its time is in the cursor
		d.pin("time", d.from)
	}
	if !g.period {
		d.to = time.Time{}
	}
	g.from = d.start(g.from)
}

// moment returns the time of live averages: now, on later pages that of the first.
func (q *query) moment(now time.Time) time.Time {
	now = now.Truncate(time.Second)
	if !q.Has("cursor") || !q.Given("cursor") {
		return now
	}
	at := q.cursor().Time.Add(length(aggregate.Live))
	if at.After(now) || now.Sub(at) > pagesLast {
		q.Fail(wrong("cursor", "the live averages of this cursor are gone after %v: begin with the first page", pagesLast).
			InGerman("Die laufenden Mittel dieses cursor sind nach %v fort: Beginne mit der ersten Seite.", pagesLast))
	}
	return at
}

// firstKept returns the start of the first window that is completely in memory.
func (s *Server) firstKept(window aggregate.Window, now time.Time) time.Time {
	start := s.windowStart(window, now.Add(-aggregate.AllowedLateness))
	for !aggregate.Kept(start, now) {
		start = start.Add(length(window))
	}
	return start
}

// gridRows adds the selected rows, from memory when it holds whole windows, else from the store.
func (s *Server) gridRows(ctx context.Context, g gridQuery, now time.Time, add func(aggregate.Row) error) error {
	chosen := func(row aggregate.Row) error {
		if len(g.quantities) > 0 && !slices.Contains(g.quantities, row.Quantity) || g.within != nil && !g.within(row.Cell.Center()) {
			return nil
		}
		return add(row)
	}
	if g.window == aggregate.Live {
		return each(s.live(g.from, g.resolution), chosen)
	}
	kept := s.firstKept(g.window, now)
	if g.from.Before(kept) && g.resolution != s.City.Resolution {
		rows, err := s.recomputedGrid(ctx, g)
		if err != nil {
			return err
		}
		return each(rows, chosen)
	}
	if g.from.Before(kept) {
		before := store.GridQuery{From: g.from, To: export.Earlier(g.to, kept), Window: g.window, Quantities: g.quantities, Size: g.resolution}
		if err := s.Store.Grid(ctx, before, chosen); err != nil {
			return err
		}
	}
	last := s.latest(g.window, now)
	for start := kept; start.Before(g.to) && (!g.period || !start.After(last)); start = start.Add(length(g.window)) {
		if start.Before(g.from) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(s.window(g.window, start, g.resolution), chosen); err != nil {
			return err
		}
	}
	return nil
}

// recomputedGrid computes a window from its readings: at most a day, within recomputeTime, and one at a time.
func (s *Server) recomputedGrid(ctx context.Context, g gridQuery) ([]aggregate.Row, error) {
	if !s.recomputing.TryLock() {
		return nil, newProblem(http.StatusServiceUnavailable, "resolution", "another window is being computed from its readings: try again in a moment, or ask for %d m", s.City.Resolution).
			InGerman("Gerade wird ein anderes Fenster aus seinen Messungen gerechnet: Versuche es gleich noch einmal, oder frag nach %d m.", s.City.Resolution)
	}
	defer s.recomputing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, recomputeTime)
	defer cancel()
	rows, err := s.Recompute(ctx, g.window, g.from, g.resolution)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, newProblem(http.StatusServiceUnavailable, "resolution", "this window has too many readings to be computed again within %v: ask for %d m, which is stored", recomputeTime, s.City.Resolution).
			InGerman("Dieses Fenster hat zu viele Messungen, um in %v neu gerechnet zu werden: Frag nach %d m, die liegen bereit.", recomputeTime, s.City.Resolution)
	}
	return rows, err
}

// window returns the averages of an hour or a day from memory.
func (s *Server) window(window aggregate.Window, start time.Time, size int32) []aggregate.Row {
	if window == aggregate.Day {
		return s.Aggregate.Day(start, size, 0)
	}
	return s.Aggregate.Hour(start, size, 0)
}

func each[T any](rows []T, add func(T) error) error {
	for _, row := range rows {
		if err := add(row); err != nil {
			return err
		}
	}
	return nil
}
