package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"stadtluft/firmware-protocol/wire"
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
	if got := columnsOf(file); !strings.HasPrefix(got+",", ReadingColumns+",") {
		return fmt.Errorf("read Parquet: the columns are %s, want %s", got, ReadingColumns)
	}
	j := newJoiner(from, to, yield)
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

	stations   names[string]
	quantities names[wire.Quantity]
	flags      names[ingest.Flags]
	sources    names[ingest.TimeSource]
}

func newJoiner(from, to time.Time, yield func(ingest.Reading) error) *joiner {
	return &joiner{
		from: ceilMilli(from), to: ceilMilli(to), yield: yield,
		stations:   names[string]{map[string]string{}, func(s string) (string, bool) { return s, true }},
		quantities: names[wire.Quantity]{map[string]wire.Quantity{}, wire.ParseQuantity},
		flags:      names[ingest.Flags]{map[string]ingest.Flags{}, ingest.ParseFlags},
		sources:    names[ingest.TimeSource]{map[string]ingest.TimeSource{}, ingest.ParseTimeSource},
	}
}

// names reads a name once and knows it from then on.
type names[T any] struct {
	known map[string]T
	parse func(string) (T, bool)
}

func (n names[T]) of(v parquet.Value) (T, error) {
	if known, ok := n.known[string(v.ByteArray())]; ok { // does not copy
		return known, nil
	}
	name := v.String()
	parsed, ok := n.parse(name)
	if !ok {
		return parsed, fmt.Errorf("read Parquet: %q is not known to this version", name)
	}
	n.known[name] = parsed
	return parsed, nil
}

func (j *joiner) group(group parquet.RowGroup) error {
	reader := group.Rows()
	defer reader.Close()
	rows := make([]parquet.Row, batchRows)
	for {
		n, err := reader.ReadRows(rows)
		for _, row := range rows[:n] {
			if err := j.row(row); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read Parquet: %w", err)
		}
	}
}

// row takes a row in. Its values lie in the order of readingRow.
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
		j.open = ingest.Reading{Station: station, Time: time.UnixMilli(millis).UTC(), Received: time.UnixMilli(row[8].Int64()).UTC(), TimeSource: source}
	}
	value := ingest.Value{Value: row[5].Double()}
	if value.Quantity, err = j.quantities.of(row[4]); err != nil {
		return err
	}
	if value.Flags, err = j.flags.of(row[7]); err != nil {
		return err
	}
	j.open.Values = append(j.open.Values, value)
	return nil
}

func (j *joiner) flush() error {
	if len(j.open.Values) == 0 {
		return nil
	}
	r := j.open
	j.open = ingest.Reading{}
	return j.yield(r)
}
