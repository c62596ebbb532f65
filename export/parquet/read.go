package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// Read calls yield for each reading of a file of NewReadings with from <= time < to, in the file's order. Groups of
// rows outside the period are not looked at; memory is bounded by the batch that is read. An error from yield ends it
// and is returned. The readings and their values are the caller's.
func Read(r io.ReaderAt, size int64, from, to time.Time, yield func(ingest.Reading) error) error {
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	got, want := columnsOf(file)+",", export.FullReadingsTable.Header()+","
	earlier := strings.TrimSuffix(want, "checks,") // of files of versions that had no such column
	if !strings.HasPrefix(got, earlier) {
		return fmt.Errorf("read Parquet: the columns are %s want %s", got, want)
	}
	j := newJoiner(from, to, yield)
	if j.needed = needed[:]; !strings.HasPrefix(got, want) {
		j.needed = needed[:len(needed)-1]
	}
	for i, group := range file.RowGroups() {
		low, high := bounds(file, i)
		if high < j.from || low >= j.to {
			continue
		}
		if err := j.group(group); err != nil {
			return err
		}
	}
	return j.flush()
}

func columnsOf(file *parquet.File) string {
	var names []string
	for _, c := range file.Root().Columns() {
		names = append(names, c.Name())
	}
	return strings.Join(names, ",")
}

// bounds are the first and last time of a group; all time where the file does not say.
func bounds(file *parquet.File, group int) (low, high int64) {
	s := file.Metadata().RowGroups[group].Columns[0].MetaData.Statistics
	if len(s.MinValue) != 8 || len(s.MaxValue) != 8 {
		return math.MinInt64, math.MaxInt64
	}
	return int64(binary.LittleEndian.Uint64(s.MinValue)), int64(binary.LittleEndian.Uint64(s.MaxValue))
}

// ceilMilli is the first whole millisecond at or after t.
func ceilMilli(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// joiner makes readings of rows again: those of one time and station are one.
type joiner struct {
	from, to int64 // Unix milliseconds
	yield    func(ingest.Reading) error
	open     ingest.Reading // what rows may still be added to; it has no values when there is none
	millis   int64          // its time
	values   int            // of the reading before: as many are likely to come

	stations   names[string]
	quantities names[quantity.Quantity]
	flags      names[ingest.Flags]
	sources    names[ingest.TimeSource]
	checks     names[ingest.Flags]
	needed     []int // columns that the file has
}

func newJoiner(from, to time.Time, yield func(ingest.Reading) error) *joiner {
	return &joiner{
		from: ceilMilli(from), to: ceilMilli(to), yield: yield,
		stations:   newNames(func(s string) (string, bool) { return s, true }),
		quantities: newNames(quantity.Parse),
		flags:      newNames(ingest.ParseFlags),
		sources:    newNames(ingest.ParseTimeSource),
		checks:     newNames(ingest.ParseChecks),
	}
}

// names reads a name once and knows it from then on.
type names[T any] struct {
	known map[string]T
	parse func(string) (T, bool)
	last  string // the one before, which often comes again
	value T      // of last
}

func newNames[T any](parse func(string) (T, bool)) names[T] {
	return names[T]{known: map[string]T{}, parse: parse}
}

func (n *names[T]) of(v parquet.Value) (value T, err error) {
	bytes := v.ByteArray()
	if len(n.known) > 0 && string(bytes) == n.last { // does not copy, nor does the next
		return n.value, nil
	}
	value, known := n.known[string(bytes)]
	if !known {
		if value, known = n.parse(string(bytes)); !known {
			return value, fmt.Errorf("read Parquet: %q is not known to this version", bytes)
		}
		n.known[string(bytes)] = value
	}
	n.last, n.value = string(bytes), value
	return value, nil
}

// needed are the columns of readings that are read: a place and a unit follow from the others.
var needed = [...]int{0, 1, 4, 5, 7, 8, 9, 10}

// column reads a column's values one by one.
type column struct {
	reader parquet.ColumnChunkValueReader
	batch  []parquet.Value
	rest   []parquet.Value // of the batch; valid until the next is read
}

func (c *column) next() (parquet.Value, error) {
	if len(c.rest) == 0 {
		n, err := c.reader.ReadValues(c.batch)
		if n == 0 {
			return parquet.Value{}, fmt.Errorf("read Parquet: a column is too short: %w", err)
		}
		c.rest = c.batch[:n]
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v, nil
}

func (j *joiner) group(group parquet.RowGroup) error {
	var columns [len(needed)]column
	for i, k := range j.needed {
		columns[i] = column{reader: parquet.NewColumnChunkValueReader(group.ColumnChunks()[k]), batch: make([]parquet.Value, batchRows)}
		defer columns[i].reader.Close()
	}
	var row [11]parquet.Value
	for range group.NumRows() {
		for i, k := range j.needed {
			var err error
			if row[k], err = columns[i].next(); err != nil {
				return err
			}
		}
		if err := j.row(row[:]); err != nil {
			return err
		}
	}
	return nil
}

// row takes a row in. Its values lie in the order of the columns.
func (j *joiner) row(row parquet.Row) error {
	millis := row[0].Int64()
	if millis < j.from || millis >= j.to {
		return nil
	}
	station, err := j.stations.of(row[1])
	if err != nil {
		return err
	}
	if len(j.open.Values) > 0 && (j.millis != millis || j.open.Station != station) {
		if err := j.flush(); err != nil {
			return err
		}
	}
	if len(j.open.Values) == 0 {
		source, err := j.sources.of(row[9])
		if err != nil {
			return err
		}
		j.millis = millis
		j.open = ingest.Reading{Station: station, Time: time.UnixMilli(millis).UTC(), Received: time.UnixMilli(row[8].Int64()).UTC(), TimeSource: source, Values: make([]ingest.Value, 0, max(1, j.values))}
	}
	value := ingest.Value{Value: row[5].Double()}
	if value.Quantity, err = j.quantities.of(row[4]); err != nil {
		return err
	}
	if value.Flags, err = j.flags.of(row[7]); err != nil {
		return err
	}
	results, err := j.checks.of(row[10])
	if err != nil {
		return err
	}
	value.Flags |= results
	j.open.Values = append(j.open.Values, value)
	return nil
}

func (j *joiner) flush() error {
	if len(j.open.Values) == 0 {
		return nil
	}
	r := j.open
	j.open, j.values = ingest.Reading{}, len(r.Values)
	return j.yield(r)
}
