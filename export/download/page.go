package download

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// Cursor is a row's position in the order of its kind. It stays valid when other rows are added or removed.
type Cursor struct {
	Time time.Time // whole seconds
	Key  string    // in the order of the rows of that time
}

// String returns the cursor as it stands in an address.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, c.Time.Unix(), 10)) + "." + base64.RawURLEncoding.EncodeToString([]byte(c.Key))
}

// ParseCursor is the inverse of String.
func ParseCursor(text string) (Cursor, error) {
	head, tail, _ := strings.Cut(text, ".")
	unix, err := base64.RawURLEncoding.DecodeString(head)
	key, keyErr := base64.RawURLEncoding.DecodeString(tail)
	seconds, numberErr := strconv.ParseInt(string(unix), 10, 64)
	if errors.Join(err, keyErr, numberErr) != nil || tail == "" {
		return Cursor{}, errors.New("it is not the cursor of a page: take the address of the next page as it is")
	}
	return Cursor{time.Unix(seconds, 0).UTC(), string(key)}, nil
}

// after reports whether c comes after o.
func (c Cursor) after(o Cursor) bool {
	if !c.Time.Equal(o.Time) {
		return c.Time.After(o.Time)
	}
	return c.Key > o.Key
}

// errFull ends a stream when the page is full.
var errFull = errors.New("the page is full")

// Page holds at most Limit rows after After.
type Page[T any] struct {
	Limit int
	After Cursor // the last row of the page before; the zero Cursor is before all
	At    func(T) Cursor
	Rows  []T
	more  bool
}

// Fill adds rows until the page is full. The stream must begin at or before After.
func (p *Page[T]) Fill(rows func(add func(T) error) error) error {
	err := rows(func(row T) error {
		if p.After.Key != "" && !p.At(row).after(p.After) {
			return nil
		}
		if len(p.Rows) == p.Limit {
			p.more = true
			return errFull
		}
		p.Rows = append(p.Rows, row)
		return nil
	})
	if errors.Is(err, errFull) {
		return nil
	}
	return err
}

// Each adds the page's rows again.
func (p *Page[T]) Each(add func(T) error) error {
	for _, row := range p.Rows {
		if err := add(row); err != nil {
			return err
		}
	}
	return nil
}

// Next returns the cursor for the next page; false when this is the last.
func (p *Page[T]) Next() (Cursor, bool) {
	if !p.more {
		return Cursor{}, false
	}
	return p.At(p.Rows[len(p.Rows)-1]), true
}

// Single passes each value of a reading on as a reading of its own.
func Single(add func(ingest.Reading) error) func(ingest.Reading) error {
	return func(r ingest.Reading) error {
		for _, v := range r.Values {
			one := r
			one.Values = []ingest.Value{v}
			if err := add(one); err != nil {
				return err
			}
		}
		return nil
	}
}

// AtReading returns the position of a reading of one value.
func AtReading(r ingest.Reading) Cursor {
	return Cursor{r.Time, fmt.Sprintf("%s\x00%03d", r.Station, r.Values[0].Quantity)}
}

// AtMean returns the position of a station's mean.
func AtMean(m aggregate.StationWindow) Cursor {
	return Cursor{m.Start, fmt.Sprintf("%s\x00%03d %08d %08d", m.Station, m.Quantity, m.Cell.North, m.Cell.East)}
}

// AtRow returns the position of a cell's average; rows of one page have one cell size.
func AtRow(r aggregate.Row) Cursor {
	return Cursor{r.Start, fmt.Sprintf("%03d %08d %08d", r.Quantity, r.Cell.North, r.Cell.East)}
}

// AtArea returns the position of a district's average; districts are sorted by name.
func AtArea(r export.AreaRow) Cursor {
	q, _ := quantity.Parse(r.Quantity) // the name is valid
	return Cursor{r.Start, fmt.Sprintf("%s\x00%03d", r.Area, q)}
}
