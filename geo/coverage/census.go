package coverage

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"stadtluft/geo"
)

const (
	maxTableBytes  = 256 << 20  // Germany's table of 100 m cells has about 150 MiB
	maxInhabitants = 10_000_000 // of one cell; the largest cells of 10 km in Europe have some two million
	maxHeadBytes   = 4096       // bounds the length of the first line
)

// peopleColumns are the names, in lower case, of the column of inhabitants in the tables of the German census and of
// Eurostat, in the order in which they are tried.
var peopleColumns = []string{"einwohner", "inhabitants", "insgesamt_bevoelkerung", "population", "tot_p"}

// ReadPeople reads the inhabitants of the city's cells, which are all of one size, from a census table: CSV with
// semicolons or commas, with or without a header. The column of cells is the one with cell codes, in either form; if
// there are several, the one with the smallest cells. The column of inhabitants is found by its name, or is the only
// other one. ReadPeople skips other columns and cells outside the city.
//
// If the table's cells are parts of the city's, it adds them up. A number that is withheld (empty, a dash or −1) is
// not known, and the result only has cells of which at least one number is known.
func ReadPeople(r io.Reader, city []geo.Cell) (map[geo.Cell]int, error) {
	if len(city) == 0 {
		return nil, errors.New("census table: the city has no cells")
	}
	limited := &io.LimitedReader{R: r, N: maxTableBytes + 1}
	t := table{city: set(city), size: city[0].Size, people: map[geo.Cell]int{}, seen: map[geo.Cell]bool{}}
	err := t.read(limited)
	if limited.N <= 0 {
		err = fmt.Errorf("larger than %d bytes", maxTableBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("census table: %w", err)
	}
	return t.people, nil
}

// table is the state of reading a census table.
type table struct {
	city         map[geo.Cell]bool
	size         int32             // of the city's cells, metres
	part         int32             // size of the table's cells, metres; 0 before the first
	cell, number int               // columns
	people       map[geo.Cell]int  // inhabitants so far
	seen         map[geo.Cell]bool // the table's cells within the city, so that each counts once
}

func (t *table) read(r io.Reader) error {
	rows, err := open(r)
	if err != nil {
		return err
	}
	first, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	}
	if err != nil {
		return err
	}
	var header []string
	row := first
	if cellColumn(first) < 0 {
		header = slices.Clone(first)
		row, err = rows.Read()
	}
	if err == nil {
		line, _ := rows.FieldPos(0)
		err = t.locate(header, row, line)
	}
	for err == nil {
		if err = t.add(row); err != nil {
			line, _ := rows.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
		row, err = rows.Read()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if len(t.seen) == 0 {
		return errors.New("none of its cells lies in the city")
	}
	return nil
}

// open skips a byte order mark and returns a reader with the separator of the first line.
func open(r io.Reader) (*csv.Reader, error) {
	in := bufio.NewReaderSize(r, maxHeadBytes)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = in.Discard(len(mark))
	}
	head, err := in.Peek(maxHeadBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	if bytes.ContainsRune(line, ';') {
		rows.Comma = ';'
	}
	return rows, nil
}

// cellColumn returns the column with the code of the smallest cell; -1 when there is none.
func cellColumn(row []string) int {
	column, size := -1, int32(0)
	for i, field := range row {
		if cell, err := geo.ParseCell(strings.TrimSpace(field)); err == nil && (column < 0 || cell.Size < size) {
			column, size = i, cell.Size
		}
	}
	return column
}

// locate finds the columns from the header, which may be nil, and the first row, which is on the given line.
func (t *table) locate(header, row []string, line int) error {
	t.cell = cellColumn(row)
	if t.cell < 0 {
		return fmt.Errorf("line %d: no cell code such as CRS3035RES1000mN3096000E4107000 or 1kmN3096E4107 in %.120q", line, strings.Join(row, " "))
	}
	for _, name := range peopleColumns {
		t.number = slices.IndexFunc(header, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) })
		if t.number >= 0 {
			return nil
		}
	}
	if len(row) == 2 {
		t.number = 1 - t.cell
		return nil
	}
	return fmt.Errorf("no column is called one of %s among %.120q", strings.Join(peopleColumns, ", "), strings.Join(header, " "))
}

func (t *table) add(row []string) error {
	cell, err := geo.ParseCell(strings.TrimSpace(row[t.cell]))
	if err != nil {
		return err
	}
	switch {
	case t.part == 0 && t.size%cell.Size != 0:
		return fmt.Errorf("cells of %d m are no parts of the city's cells of %d m", cell.Size, t.size)
	case t.part == 0:
		t.part = cell.Size
	case cell.Size != t.part:
		return fmt.Errorf("cell %v has another size than the first, %d m", cell, t.part)
	}
	number, known, err := inhabitants(row[t.number])
	if err != nil {
		return err
	}
	whole := cell.Parent(t.size)
	if !t.city[whole] {
		return nil
	}
	if t.seen[cell] {
		return fmt.Errorf("cell %v is there already", cell)
	}
	t.seen[cell] = true
	if known {
		t.people[whole] += number
	}
	return nil
}

func inhabitants(field string) (n int, known bool, err error) {
	field = strings.TrimSpace(field)
	switch field {
	case "", "-1", "-", "–":
		return 0, false, nil
	}
	n, err = strconv.Atoi(field)
	if err != nil || n < 0 || n > maxInhabitants {
		return 0, false, fmt.Errorf("inhabitants %.40q are not a whole number from 0 to %d, nor -1", field, maxInhabitants)
	}
	return n, true, nil
}
