package sqlite

import (
	"encoding/binary"
	"slices"

	"zombiezen.com/go/sqlite"
)

// cursor reads the records of a table in the order of its key. It decodes the table's pages itself, by the format of the
// file (https://www.sqlite.org/fileformat2.html): that takes a quarter of the CPU that SQL takes, which looks at each
// column of each row by itself. The pages come from SQLite, as the connection's transaction sees them.
//
// The table has no rowid. So it is an index b-tree: its key is the first columns of a record, and inner pages have
// records too, each between those of two children.
type cursor struct {
	fetch  func(number uint32, page []byte) ([]byte, error) // reads a page into the memory of page, where there is enough
	root   uint32                                           // number of the table's first page
	unused int                                              // bytes at the end of each page
	path   []level                                          // from the root to the page of the current record; empty behind the last one
	free   [][]byte                                         // memory of pages that are no longer in the path
	long   []byte                                           // a record that does not fit into its page
}

// level is a page in which the cursor is.
type level struct {
	page  []byte
	leaf  bool
	cells int // how many
	cell  int // the current one, or where the next page in the path lies before it
	list  int // where the list of cells begins
}

const (
	innerPage   = 2 // types of pages of index b-trees
	leafPage    = 10
	smallest    = 480     // usable bytes of a page
	maxDepth    = 20      // of a tree, as in SQLite
	maxRecord   = 1 << 16 // bytes; a reading has some hundred
	pageHead    = 8       // bytes; an inner page has the number of its last child behind it
	pointer     = 4       // bytes of a page's number
	selectPage  = "SELECT data FROM sqlite_dbpage WHERE pgno = ?"
	headUnused  = 20 // where the file's first page has the number of unused bytes of pages
	headVersion = 40 // and the version of its schema
)

// errDamaged is a page or record that the format does not allow.
var errDamaged = sqlite.ResultCorrupt.ToError()

// pagesOf returns a function that reads pages of a connection's file.
func pagesOf(conn *sqlite.Conn) (func(number uint32, page []byte) ([]byte, error), error) {
	row, err := conn.Prepare(selectPage)
	return func(number uint32, page []byte) ([]byte, error) {
		row.BindInt64(1, int64(number))
		there, err := row.Step()
		if err != nil {
			return nil, err
		}
		if !there {
			return nil, errDamaged
		}
		size := row.ColumnLen(0)
		page = slices.Grow(page[:0], size)[:size]
		row.ColumnBytes(0, page)
		return page, row.Reset()
	}, err
}

// seek moves to the first record that is not before a position. It reads only pages in which the cursor is not yet.
func (c *cursor) seek(from position) error {
	number := c.root
	for depth := 0; ; depth++ {
		if depth == len(c.path) {
			if err := c.open(number); err != nil {
				return err
			}
		}
		l := &c.path[depth]
		cell, err := c.search(l, from)
		if err != nil {
			return err
		}
		if cell != l.cell {
			l.cell = cell
			c.leave(depth + 1)
		}
		if l.leaf {
			c.settle()
			return nil
		}
		if number, err = l.child(); err != nil {
			return err
		}
	}
}

// search returns the first cell of a page whose record is not before a position.
func (c *cursor) search(l *level, from position) (int, error) {
	low, high := 0, l.cells
	for low < high {
		middle := (low + high) / 2
		k, _, err := c.recordIn(l, middle)
		if err != nil {
			return 0, err
		}
		if from.after(k) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// next moves to the next record.
func (c *cursor) next() error {
	l := &c.path[len(c.path)-1]
	l.cell++
	for !l.leaf {
		number, err := l.child()
		if err == nil {
			err = c.open(number)
		}
		if err != nil {
			return err
		}
		l = &c.path[len(c.path)-1]
	}
	c.settle()
	return nil
}

// settle leaves pages that have no more records.
func (c *cursor) settle() {
	for n := len(c.path); n > 0 && c.path[n-1].cell == c.path[n-1].cells; n-- {
		c.leave(n - 1)
	}
}

// atEnd reports whether there is no current record.
func (c *cursor) atEnd() bool { return len(c.path) == 0 }

// record returns the key of the current record and its other fields. They are valid until the cursor moves.
func (c *cursor) record() (key, fields, error) {
	l := &c.path[len(c.path)-1]
	return c.recordIn(l, l.cell)
}

// recordIn returns the record in a cell.
func (c *cursor) recordIn(l *level, cell int) (key, fields, error) {
	b, err := c.bytes(l, cell)
	if err != nil {
		return key{}, fields{}, err
	}
	k, f, ok := openRecord(b)
	if !ok {
		return key{}, fields{}, errDamaged
	}
	return k, f, nil
}

// open adds a page to the path, at its first cell.
func (c *cursor) open(number uint32) error {
	if len(c.path) == maxDepth {
		return errDamaged
	}
	var page []byte
	if n := len(c.free); n > 0 {
		page, c.free = c.free[n-1], c.free[:n-1]
	}
	page, err := c.read(number, page)
	if err != nil {
		return err
	}
	l := level{page: page, leaf: page[0] == leafPage, cells: int(binary.BigEndian.Uint16(page[3:])), list: pageHead}
	if !l.leaf {
		l.list += pointer
	}
	if page[0] != leafPage && page[0] != innerPage || l.list+2*l.cells > len(page) {
		return errDamaged
	}
	c.path = append(c.path, l)
	return nil
}

// leave shortens the path.
func (c *cursor) leave(depth int) {
	for _, l := range c.path[depth:] {
		c.free = append(c.free, l.page)
	}
	c.path = c.path[:depth]
}

// read returns the usable bytes of a page.
func (c *cursor) read(number uint32, page []byte) ([]byte, error) {
	page, err := c.fetch(number, page)
	if err != nil {
		return nil, err
	}
	usable := len(page) - c.unused
	if usable < smallest {
		return nil, errDamaged
	}
	return page[:usable], nil
}

// child returns the number of the page before the current cell of an inner page, or behind its last.
func (l *level) child() (number uint32, err error) {
	at := pageHead
	if l.cell < l.cells {
		at = l.at(l.cell)
	}
	if at+pointer > len(l.page) {
		return 0, errDamaged
	}
	return binary.BigEndian.Uint32(l.page[at:]), nil
}

// at returns where in the page a cell begins.
func (l *level) at(cell int) int { return int(binary.BigEndian.Uint16(l.page[l.list+2*cell:])) }

// bytes returns the bytes of the record in a cell.
func (c *cursor) bytes(l *level, cell int) ([]byte, error) {
	at := l.at(cell)
	if !l.leaf {
		at += pointer
	}
	if at >= len(l.page) {
		return nil, errDamaged
	}
	size, n := varint(l.page[at:])
	if n == 0 || size > maxRecord {
		return nil, errDamaged
	}
	rest := l.page[at+n:]
	here := inPage(int(size), len(l.page))
	switch {
	case here == int(size) && here <= len(rest):
		return rest[:here], nil
	case here < int(size) && here+pointer <= len(rest):
		return c.longRecord(rest[:here], binary.BigEndian.Uint32(rest[here:]), int(size))
	}
	return nil, errDamaged
}

// inPage returns how many bytes of a record lie in the page itself, of which so many are usable.
func inPage(size, usable int) int {
	most, least := (usable-12)*64/255-23, (usable-12)*32/255-23
	if size <= most {
		return size
	}
	if here := least + (size-least)%(usable-pointer); here <= most {
		return here
	}
	return least
}

// longRecord returns a record of a size, of which only the begin lies in its page: each further page begins with the
// number of the next.
func (c *cursor) longRecord(begin []byte, number uint32, size int) ([]byte, error) {
	c.long = append(c.long[:0], begin...)
	for len(c.long) < size {
		page, err := c.read(number, nil)
		if err != nil {
			return nil, err
		}
		number = binary.BigEndian.Uint32(page)
		c.long = append(c.long, page[pointer:min(len(page), pointer+size-len(c.long))]...)
	}
	return c.long, nil
}
