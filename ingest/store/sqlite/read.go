package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

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
	nearby       = 16   // readings of other stations that are passed one by one before the next wanted one is looked for
	manyStations = 20   // from which on all readings may be looked at instead of those of each station,
	scanShare    = 8    // if at least one in so many is wanted
	firstValues  = 256  // for which there is room at first
	moreValues   = 4096 // and later
	mostLookups  = 5000 // for a station in an hour, after which a page ends: about 20 ms
)

// pages passes the readings of a query to hand. Two pages take turns: when one is passed on, the one before has been
// processed.
func (s *Store) pages(ctx context.Context, q store.ReadingQuery, hand func([]ingest.Reading) error) error {
	r := newReader(s, q)
	var last []ingest.Reading
	for r.from.time < r.to {
		if err := with(ctx, s.read, r.fill); err != nil {
			return err
		}
		if len(r.page) > 0 {
			if err := hand(r.page); err != nil { // from here on the values belong to yield
				return err
			}
			r.page, last = last, r.page
		}
	}
	return nil
}

// reader reads the pages of one query.
type reader struct {
	store    *Store
	stations []string // ascending; empty = all
	wanted   uint64   // a bit for each quantity
	all      bool     // also readings without any of them
	from     position // where the next page begins
	to       int64    // end of the query, Unix seconds
	limit    int      // readings that the next page looks at
	page     []ingest.Reading
	found    []position        // of by_hour, of the next pages
	until    int64             // before which found has all, Unix seconds
	judged   bool              // whether most are wanted was found out
	most     bool              // so many of the readings are wanted that looking at all of them is cheaper
	names    map[string]string // of stations, so that readings share them
	values   []ingest.Value    // with room for those of the next readings
}

// position is a reading's place in the order of all readings.
type position struct {
	time    int64 // Unix seconds
	station string
}

// after reports whether the position is after that of a key.
func (p position) after(k key) bool {
	return p.time > k.time || p.time == k.time && p.station > string(k.station)
}

func newReader(s *Store, q store.ReadingQuery) *reader {
	r := &reader{
		store: s, stations: slices.Compact(slices.Sorted(slices.Values(q.Stations))), all: len(q.Quantities) == 0,
		from: position{time: ceil(q.From)}, to: ceil(q.To), limit: firstPage, names: map[string]string{},
	}
	wanted := q.Quantities
	if r.all {
		wanted = quantity.All()
	}
	for _, q := range wanted {
		r.wanted |= 1 << q
	}
	return r
}

// fill reads the next page, in one transaction. Of some stations it has either readings that are in by_hour or later ones.
func (r *reader) fill(conn *sqlite.Conn) (err error) {
	defer sqlitex.Transaction(conn)(&err)
	l, c, err := r.store.readings(conn)
	if err != nil {
		return err
	}
	sorted := int64(math.MinInt64)
	if len(r.stations) > 0 {
		if sorted, err = sortedUntil(conn); err != nil {
			return err
		}
	}
	r.page = slices.Grow(r.page[:0], r.limit)
	if len(r.found) > 0 || r.from.time < sorted && !r.most {
		err = r.find(conn, l, c, min(sorted, r.to))
	} else {
		err = r.scan(l, c)
	}
	r.limit = pageReadings
	return err
}

// scan adds readings in their order. Those of other stations are passed one by one, and after some of them the next
// that is wanted is looked for.
func (r *reader) scan(l *layout, c *cursor) error {
	var last key
	err := c.seek(r.from)
	for looked, passed := 0, 0; err == nil && !c.atEnd(); looked++ {
		k, f, wrong := c.record()
		if wrong != nil {
			return wrong
		}
		if r.from.after(k) || looked > 0 && k.compare(last) <= 0 { // as where a page is its own child
			return errDamaged
		}
		last = key{k.time, append(last.station[:0], k.station...)}
		if k.time >= r.to || looked == r.limit {
			r.from = position{k.time, string(k.station)}
			return nil
		}
		if next := r.next(k); next.after(k) {
			if passed++; passed%nearby == 0 {
				err = c.seek(next)
			} else {
				err = c.next()
			}
		} else if err = r.add(l, k, f); err == nil {
			err = c.next()
		}
	}
	r.from = position{time: r.to}
	return err
}

// next returns the first position, not before a reading, that one of a wanted station can have.
func (r *reader) next(k key) position {
	if len(r.stations) == 0 {
		return position{time: k.time}
	}
	i := sort.Search(len(r.stations), func(i int) bool { return r.stations[i] >= string(k.station) })
	if i == len(r.stations) {
		return position{k.time + 1, r.stations[0]}
	}
	return position{k.time, r.stations[i]}
}

// find adds readings of stations that are in by_hour, before a time.
func (r *reader) find(conn *sqlite.Conn, l *layout, c *cursor, to int64) error {
	if len(r.found) == 0 {
		if err := r.keys(conn, to); err != nil {
			return err
		}
	}
	n := min(r.limit, len(r.found))
	for _, p := range r.found[:n] {
		if err := c.seek(p); err != nil {
			return err
		}
		if c.atEnd() {
			break
		}
		k, f, err := c.record()
		if err == nil && p == (position{k.time, string(k.station)}) { // it may have been deleted
			err = r.add(l, k, f)
		}
		if err != nil {
			return err
		}
	}
	if r.found, r.from = r.found[n:], (position{time: r.until}); len(r.found) > 0 {
		r.from = r.found[0]
	}
	return nil
}

// keys finds the next readings of stations that are in by_hour, before a time: those of whole hours, until they fill a page
// or stations were looked for mostLookups times.
func (r *reader) keys(conn *sqlite.Conn, to int64) error {
	next, err := conn.Prepare("SELECT coalesce(min(hour), ?2) FROM by_hour WHERE hour >= ?1")
	if err != nil {
		return err
	}
	times, err := conn.Prepare("SELECT time FROM by_hour WHERE hour = ?1 AND station = ?2 AND time >= ?3 AND time < ?4")
	if err != nil {
		return err
	}
	r.found, r.until = r.found[:0], to
	hour := r.from.time / 3600
	for looked := 0; len(r.found) < r.limit && looked < mostLookups && !r.most; looked += len(r.stations) {
		next.BindInt64(1, hour)
		next.BindInt64(2, to/3600+1)
		if hour, err = sqlitex.ResultInt64(next); err != nil {
			return err
		}
		if r.until = min((hour+1)*3600, to); hour*3600 >= to {
			r.until = to
			return nil
		}
		first := len(r.found)
		for _, station := range r.stations {
			times.BindInt64(1, hour)
			times.BindText(2, station)
			times.BindInt64(3, r.from.time)
			times.BindInt64(4, to)
			more, err := times.Step()
			for ; more; more, err = times.Step() {
				if p := (position{times.ColumnInt64(0), station}); p.time > r.from.time || p.station >= r.from.station { // scan may have read those before
					r.found = append(r.found, p)
				}
			}
			if err = errors.Join(err, times.Reset()); err != nil {
				return err
			}
		}
		if n := len(r.found) - first; n > 0 && !r.judged {
			if err := r.judge(conn, hour, n); err != nil {
				return err
			}
		}
		hour++
		slices.SortFunc(r.found[first:], func(a, b position) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.station, b.station)) })
	}
	return nil
}

// judge finds out whether many stations, of which n readings are wanted in an hour, have most of its readings.
func (r *reader) judge(conn *sqlite.Conn, hour int64, n int) error {
	r.judged = true
	if len(r.stations) < manyStations {
		return nil
	}
	all, err := conn.Prepare("SELECT count(*) FROM by_hour WHERE hour = ?")
	if err != nil {
		return err
	}
	all.BindInt64(1, hour)
	total, err := sqlitex.ResultInt64(all)
	r.most = int64(n)*scanShare >= total
	return err
}

// add appends the reading that a record holds to the page, where it is wanted.
func (r *reader) add(l *layout, k key, f fields) error {
	if cap(r.values)-len(r.values) < len(l.columns) { // values of many readings share an allocation
		r.values = make([]ingest.Value, 0, min(max(firstValues, 2*cap(r.values)), moreValues))
	}
	reading, ok := l.decode(f, r.wanted, r.values[len(r.values):])
	if !ok {
		return errDamaged
	}
	if n := len(reading.Values); n > 0 || r.all {
		reading.Station, reading.Time = r.name(k.station), time.Unix(k.time, 0).UTC()
		r.page, r.values = append(r.page, reading), r.values[:len(r.values)+n]
	}
	return nil
}

// name returns a station's name, the same string each time.
func (r *reader) name(station []byte) string {
	name, known := r.names[string(station)]
	if !known {
		name = string(station)
		r.names[name] = name
	}
	return name
}
