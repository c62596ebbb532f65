package sqlite

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// layout is how the table of readings lies in the file.
type layout struct {
	version uint32 // of the file's schema, which changes with the layout
	root    uint32 // number of the table's first page
	columns []column
	ordered bool // quantities are in their order
}

// column is a column behind those that every reading has.
type column struct {
	quantity quantity.Quantity // 0 is none of this version
	flags    bool              // of the value in the column before
}

// everyReading are the columns that every reading has.
var everyReading = []string{"time", "station", "received", "time_source"}

// readings returns a cursor for the table of readings, with its layout. The connection must be in a transaction.
func (s *Store) readings(conn *sqlite.Conn) (*layout, *cursor, error) {
	fetch, err := pagesOf(conn)
	if err != nil {
		return nil, nil, err
	}
	head, err := fetch(1, nil)
	if err != nil {
		return nil, nil, err
	}
	version := binary.BigEndian.Uint32(head[headVersion:])
	l := s.layout.Load()
	if l == nil || l.version != version {
		if l, err = readLayout(conn, version); err != nil {
			return nil, nil, err
		}
		s.layout.Store(l)
	}
	return l, &cursor{fetch: fetch, root: l.root, unused: int(head[headUnused])}, nil
}

func readLayout(conn *sqlite.Conn, version uint32) (*layout, error) {
	l := &layout{version: version}
	if err := sqlitex.Execute(conn, "SELECT rootpage FROM sqlite_schema WHERE name = 'reading'", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		l.root = uint32(row.ColumnInt64(0))
		return nil
	}}); err != nil {
		return nil, err
	}
	var names []string
	if err := sqlitex.Execute(conn, "SELECT name FROM pragma_table_info('reading') ORDER BY cid", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		names = append(names, row.ColumnText(0))
		return nil
	}}); err != nil {
		return nil, err
	}
	if len(names) < len(everyReading) || !slices.Equal(names[:len(everyReading)], everyReading) {
		return nil, errors.New("the table of readings is not one that Stadtluft made: its columns are " + strings.Join(names, ", "))
	}
	for _, name := range names[len(everyReading):] {
		name, flags := strings.CutPrefix(name, "flags_")
		q, _ := quantity.Parse(name)
		l.columns = append(l.columns, column{q, flags})
	}
	l.ordered = slices.IsSortedFunc(l.columns, func(a, b column) int { return cmp.Compare(a.quantity, b.quantity) })
	return l, nil
}

// decode returns what a record has behind its key, with the values of the quantities whose bits are set in wanted, which it
// appends to values; ok is false when the record is not valid.
func (l *layout) decode(f fields, wanted uint64, values []ingest.Value) (r ingest.Reading, ok bool) {
	received, isInteger := f.integer()
	source, isSource := f.integer()
	for i := 0; f.kind < f.kinds; i++ {
		if f.record[f.kind] == typeNull { // as most
			f.kind++
			continue
		}
		kind, value, ok := f.next()
		if !ok || i >= len(l.columns) {
			return r, false
		}
		c := l.columns[i]
		switch last := len(values) - 1; {
		case wanted&(1<<c.quantity) == 0:
		case !c.flags:
			values = append(values, ingest.Value{Quantity: c.quantity, Value: float(kind, value)})
		case last >= 0 && values[last].Quantity == c.quantity:
			values[last].Flags = ingest.Flags(integer(kind, value))
		}
	}
	if !l.ordered {
		slices.SortFunc(values, func(a, b ingest.Value) int { return cmp.Compare(a.Quantity, b.Quantity) })
	}
	r.Received, r.TimeSource, r.Values = time.UnixMilli(received).UTC(), ingest.TimeSource(source), slices.Clip(values)
	return r, isInteger && isSource
}
