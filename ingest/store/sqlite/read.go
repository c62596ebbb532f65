package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Readings streams in pages, each in a short transaction of its own, so that a slow reader delays neither writers nor
// checkpoints of the log. It may or may not return what is written meanwhile. It reads the next page while yield
// processes the current one.
func (s *Store) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	return store.ReadAhead(ctx, func(ctx context.Context, hand func([]ingest.Reading) error) error {
		if err := s.pages(ctx, q, hand); err != nil {
			return fmt.Errorf("read readings: %w", err)
		}
		return nil
	}, yield)
}

const (
	firstSpan = 3600 // seconds that the first page of several stations may cover
	endless   = math.MaxInt64 / 4
)

// pages passes the readings of a query to hand. Two pages take turns: when one is passed on, the one before has been
// processed.
func (s *Store) pages(ctx context.Context, q store.ReadingQuery, hand func([]ingest.Reading) error) error {
	r := newReader(q)
	var page, last []ingest.Reading
	err := with(ctx, s.read, func(conn *sqlite.Conn) (err error) {
		r.sorted, err = sortedUntil(conn)
		return err
	})
	for err == nil && !r.done {
		others := false
		err = with(ctx, s.read, func(conn *sqlite.Conn) (err error) {
			page, others, err = r.page(conn, page[:0])
			return err
		})
		if err != nil {
			return err
		}
		if others {
			r.wanted, r.others = quantity.All(), nil
			continue
		}
		r.advance(page)
		if len(page) > 0 {
			if err := hand(page); err != nil { // from here on the values belong to yield
				return err
			}
			page, last = last, page
		}
	}
	return err
}

// reader reads the pages of one query.
type reader struct {
	columns
	query  store.ReadingQuery
	after  position // of the last reading
	to     int64    // end of the query, Unix seconds
	sorted int64    // before which readings are in by_station, Unix seconds; they stay there
	done   bool
	span   int64             // seconds that the next page may cover
	limit  int               // readings of the next page
	names  map[string]string // of stations, so that readings share them
	name   []byte
}

// position is a reading's place in the order of all readings.
type position struct {
	time    int64
	station string
}

// positionBefore returns the position after all readings before a time.
func positionBefore(time int64) position { return position{time: time - 1, station: "\U0010FFFF"} }

func newReader(q store.ReadingQuery) *reader {
	r := &reader{query: q, after: positionBefore(ceil(q.From)), to: ceil(q.To), limit: firstPage, names: map[string]string{}}
	if r.wanted = q.Quantities; len(q.Quantities) == 0 {
		r.wanted = quantity.All()
	}
	if r.span = endless; len(q.Stations) > 1 {
		r.span = firstSpan // SQLite reads the readings of each station and then sorts them
	}
	return r
}

// until returns where the next page ends. A page of stations has either readings that are in by_station or later ones.
func (r *reader) until() int64 {
	until := min(r.to, r.after.time+1+r.span)
	if r.byStation() {
		until = min(until, r.sorted)
	}
	return until
}

// byStation reports whether the next page is found through by_station.
func (r *reader) byStation() bool { return len(r.query.Stations) > 0 && r.after.time+1 < r.sorted }

// advance sets the position after a page, and how much the next may cover: with several stations about one page.
func (r *reader) advance(page []ingest.Reading) {
	if len(page) == r.limit {
		last := page[len(page)-1]
		r.after = position{last.Time.Unix(), last.Station}
		r.span = max(r.span/2, 1)
	} else {
		until := r.until()
		r.after, r.done = positionBefore(until), until == r.to
		if len(page) < r.limit/4 {
			r.span = min(2*r.span, endless)
		}
	}
	if len(r.query.Quantities) == 0 && len(page) > 0 {
		r.learn(page)
	}
	r.limit = pageReadings
}

// page adds the next readings to page; others is true when one of them has quantities that were not read.
func (r *reader) page(conn *sqlite.Conn, page []ingest.Reading) (_ []ingest.Reading, others bool, err error) {
	rows, _, err := conn.PrepareTransient(r.statement()) // there are too many different statements to cache
	if err != nil {
		return nil, false, err
	}
	defer rows.Finalize()
	rows.BindInt64(1, r.after.time)
	rows.BindText(2, r.after.station)
	rows.BindInt64(3, r.until())
	rows.BindInt64(4, int64(r.limit))
	for i, id := range r.query.Stations {
		rows.BindText(5+i, id)
	}
	page = slices.Grow(page, r.limit)
	values := make([]ingest.Value, 0, r.limit*len(r.wanted)) // one allocation for all values of the page
	for {
		more, err := rows.Step()
		if err != nil || !more {
			return page, false, err
		}
		if rows.ColumnBool(4) {
			return page, true, nil
		}
		first := len(values)
		values = r.values(values, rows)
		page = append(page, ingest.Reading{
			Station: r.station(rows), Time: time.Unix(rows.ColumnInt64(0), 0).UTC(), Received: time.UnixMilli(rows.ColumnInt64(2)).UTC(), TimeSource: ingest.TimeSource(rows.ColumnInt64(3)),
			Values: values[first:len(values):len(values)],
		})
	}
}

// eachSecond finds the readings of a station, in the hour that is not in by_station yet, by looking for it in each second that
// has a reading of anyone.
const eachSecond = `WITH RECURSIVE second (time) AS (
	VALUES (?1) UNION ALL SELECT (SELECT min(time) FROM reading WHERE time > second.time AND time < ?3) FROM second WHERE second.time IS NOT NULL
) `

// The hours that by_station has, of a page or all of them, to look for a station in each.
const (
	hoursOfPage = `WITH RECURSIVE hours (hour) AS (
	SELECT min(hour) FROM by_station WHERE hour >= ?1 / 3600 UNION ALL
	SELECT (SELECT min(hour) FROM by_station WHERE hour > hours.hour AND hour <= ?3 / 3600) FROM hours WHERE hours.hour IS NOT NULL ORDER BY 1
) `
	allHours = `WITH RECURSIVE hours (hour) AS (
	SELECT min(hour) FROM by_station UNION ALL SELECT (SELECT min(hour) FROM by_station WHERE hour > hours.hour) FROM hours WHERE hours.hour IS NOT NULL
) `
)

// statement returns the SQL that selects the next page.
func (r *reader) statement() string {
	first, from, order := "", "reading", " ORDER BY time, station"
	where := "time >= ?1 AND (time, station) > (?1, ?2) AND time < ?3"
	if n := len(r.query.Stations); n > 0 {
		where += " AND station IN (?5" + strings.Repeat(", ?", n-1) + ")"
		if r.byStation() {
			first, from = hoursOfPage, "hours CROSS JOIN by_station USING (hour) CROSS JOIN reading USING (station, time)"
			if n == 1 {
				order = "" // CROSS JOIN keeps that of the hours, and a station's of each hour are by time: sorting takes half as long again
			}
		} else if n == 1 {
			first, from = eachSecond, "second CROSS JOIN reading USING (time)"
		}
	}
	if len(r.query.Quantities) > 0 {
		where += " AND " + anyOf(r.query.Quantities)
	}
	return fmt.Sprintf("%sSELECT time, station, received, time_source, %s FROM %s WHERE %s%s LIMIT ?4", first, r.list(), from, where, order)
}

// station returns the station in a row.
func (r *reader) station(row *sqlite.Stmt) string {
	r.name = slices.Grow(r.name[:0], row.ColumnLen(1))
	bytes := r.name[:row.ColumnBytes(1, r.name[:cap(r.name)])]
	name, known := r.names[string(bytes)]
	if !known {
		name = string(bytes)
		r.names[name] = name
	}
	return name
}

// columns are the quantities whose columns are read. Most of a row is empty, and reading an empty column costs as
// much as a full one: so after the first page only the columns that have had values are read, and whether there are
// others.
type columns struct {
	wanted []quantity.Quantity
	seen   uint64              // a bit for each quantity
	others []quantity.Quantity // must be empty; if one is not in a row, the page is read again
}

// learn reduces the columns to those that have had values.
func (c *columns) learn(page []ingest.Reading) {
	for _, r := range page {
		for _, v := range r.Values {
			c.seen |= 1 << v.Quantity
		}
	}
	c.wanted, c.others = nil, nil
	for _, q := range quantity.All() {
		if c.seen&(1<<q) != 0 {
			c.wanted = append(c.wanted, q)
		} else {
			c.others = append(c.others, q)
		}
	}
}

// list returns the columns of a statement for the quantities; the first one tells whether there are others.
func (c *columns) list() string {
	list := "0"
	if len(c.others) > 0 {
		list = anyOf(c.others)
	}
	for _, q := range c.wanted {
		list += ", " + q.String() + ", flags_" + q.String()
	}
	return list
}

// values appends a row's values to values.
func (c *columns) values(values []ingest.Value, row *sqlite.Stmt) []ingest.Value {
	for i, q := range c.wanted {
		column := 5 + 2*i
		if value := row.ColumnFloat(column); value != 0 || !row.ColumnIsNull(column) { // NULL reads as 0: most need one look
			values = append(values, ingest.Value{Quantity: q, Value: value, Flags: ingest.Flags(row.ColumnInt64(column + 1))})
		}
	}
	return values
}

// anyOf returns an expression that is true when one of the quantities has a value. One expression is cheaper than a
// chain of OR.
func anyOf(quantities []quantity.Quantity) string {
	names := "NULL"
	for _, q := range quantities {
		names += ", " + q.String()
	}
	return "coalesce(" + names + ") IS NOT NULL"
}
