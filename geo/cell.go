package geo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// Cell is a square of the grid, named by its size and its lower left corner as in Regulation (EU) 2018/1799. The zero
// Cell means that there is none.
type Cell struct {
	Size  int32 // metres: one of Resolutions
	North int32 // metres, EPSG:3035 northing of the lower left corner, a multiple of Size
	East  int32 // metres, EPSG:3035 easting of the lower left corner, a multiple of Size
}

// BaseSize is the size of the smallest cells, in metres. Cells of every other size consist of whole base cells, so a
// place's base cell is enough to find its cell of any size.
const BaseSize = 100

// Resolutions returns the sizes of cells in metres, ascending.
func Resolutions() []int32 { return []int32{100, 200, 500, 1000, 2000, 5000, 10000} }

// CellAt returns the cell of the given size in metres that contains p. A size that is not in Resolutions and a place
// outside the grid are errors.
func CellAt(p orb.Point, size int32) (Cell, error) {
	if !slices.Contains(Resolutions(), size) {
		return Cell{}, fmt.Errorf("cell size %d m is not one of %v", size, Resolutions())
	}
	east, north, err := Project(p)
	if err != nil {
		return Cell{}, err
	}
	if east < minMetres || east >= maxMetres || north < minMetres || north >= maxMetres {
		return Cell{}, fmt.Errorf("longitude %v, latitude %v: %w", p.Lon(), p.Lat(), ErrOutside)
	}
	return Cell{Size: size, North: floor(north, size), East: floor(east, size)}, nil
}

func floor(metres float64, size int32) int32 {
	return int32(math.Floor(metres/float64(size))) * size
}

// IsZero reports whether c is the zero Cell.
func (c Cell) IsZero() bool { return c == Cell{} }

// Parent returns the cell of a larger size that contains the lower left corner of c. For sizes that are a multiple of
// c's it contains all of c.
func (c Cell) Parent(size int32) Cell {
	return Cell{Size: size, North: c.North - c.North%size, East: c.East - c.East%size}
}

// Compare orders cells by size, northing and easting.
func (c Cell) Compare(o Cell) int {
	return cmp.Or(cmp.Compare(c.Size, o.Size), cmp.Compare(c.North, o.North), cmp.Compare(c.East, o.East))
}

// Center returns the centre of c in EPSG:3035 as longitude and latitude.
func (c Cell) Center() orb.Point {
	half := float64(c.Size) / 2
	return Unproject(float64(c.East)+half, float64(c.North)+half)
}

// Polygon returns the outline of c: one closed ring of its four corners, counter-clockwise (RFC 7946).
func (c Cell) Polygon() orb.Polygon {
	w, s := float64(c.East), float64(c.North)
	e, n := w+float64(c.Size), s+float64(c.Size)
	sw := Unproject(w, s)
	return orb.Polygon{{sw, Unproject(e, s), Unproject(e, n), Unproject(w, n), sw}}
}

// String returns the long code, such as CRS3035RES1000mN3096000E4107000.
func (c Cell) String() string { return string(c.Append(nil)) }

// Append appends the long code to b.
func (c Cell) Append(b []byte) []byte {
	b = append(b, "CRS3035RES"...)
	b = strconv.AppendInt(b, int64(c.Size), 10)
	b = append(b, "mN"...)
	b = strconv.AppendInt(b, int64(c.North), 10)
	b = append(b, 'E')
	return strconv.AppendInt(b, int64(c.East), 10)
}

// Short returns the code as in German census tables, such as 1kmN3096E4107: the corner in units of the size.
func (c Cell) Short() string {
	unit := strconv.Itoa(int(c.Size)) + "m"
	if c.Size >= 1000 {
		unit = strconv.Itoa(int(c.Size/1000)) + "km"
	}
	return fmt.Sprintf("%sN%dE%d", unit, c.North/c.Size, c.East/c.Size)
}

// ParseCell parses the long or short code of a cell.
func ParseCell(code string) (Cell, error) {
	c, ok := parseLong(code)
	if !ok {
		c, ok = parseShort(code)
	}
	switch {
	case !ok:
		return Cell{}, fmt.Errorf("cell %.64q is not of the form CRS3035RES1000mN3096000E4107000 or 1kmN3096E4107", code)
	case !slices.Contains(Resolutions(), c.Size):
		return Cell{}, fmt.Errorf("cell %q: size %d m is not one of %v", code, c.Size, Resolutions())
	case c.North%c.Size != 0 || c.East%c.Size != 0:
		return Cell{}, fmt.Errorf("cell %q: the corner is not a multiple of %d m", code, c.Size)
	case c.North >= maxMetres || c.East >= maxMetres:
		return Cell{}, fmt.Errorf("cell %q: %w", code, ErrOutside)
	}
	return c, nil
}

func parseLong(code string) (Cell, bool) {
	rest, ok := strings.CutPrefix(code, "CRS3035RES")
	if !ok {
		return Cell{}, false
	}
	size, rest, ok := strings.Cut(rest, "m")
	if !ok {
		return Cell{}, false
	}
	north, east, ok := corner(rest)
	metres, sized := number(size)
	return Cell{Size: metres, North: north, East: east}, ok && sized && metres > 0
}

func parseShort(code string) (Cell, bool) {
	size, rest, ok := strings.Cut(code, "m")
	if !ok {
		return Cell{}, false
	}
	scale := int32(1)
	if km, isKm := strings.CutSuffix(size, "k"); isKm {
		size, scale = km, 1000
	}
	metres, sized := number(size)
	north, east, ok := corner(rest)
	metres *= scale
	const most = maxMetres / BaseSize
	if !ok || !sized || metres <= 0 || metres > 10000 || north > most || east > most {
		return Cell{}, false
	}
	return Cell{Size: metres, North: north * metres, East: east * metres}, true
}

// corner parses "N…E…".
func corner(s string) (north, east int32, ok bool) {
	s, ok = strings.CutPrefix(s, "N")
	n, e, cut := strings.Cut(s, "E")
	north, northOK := number(n)
	east, eastOK := number(e)
	return north, east, ok && cut && northOK && eastOK
}

// number parses one to seven decimal digits.
func number(s string) (int32, bool) {
	const digits = 7
	if len(s) == 0 || len(s) > digits || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n := int32(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int32(s[i]-'0')
	}
	return n, true
}
