package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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
	j := joiner{from: ceilMilli(from), to: ceilMilli(to), yield: yield}
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
}

func (j *joiner) group(group parquet.RowGroup) error {
	reader := parquet.NewGenericRowGroupReader[readingRow](group)
	defer reader.Close()
	rows := make([]readingRow, batchRows)
	for {
		n, err := reader.Read(rows)
		for i := range rows[:n] {
			if err := j.row(&rows[i]); err != nil {
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

func (j *joiner) row(row *readingRow) error {
	if row.Time < j.from || row.Time >= j.to {
		return nil
	}
	value, err := row.value()
	if err != nil {
		return err
	}
	if len(j.open.Values) > 0 && (j.millis != row.Time || j.open.Station != row.Station) {
		if err := j.flush(); err != nil {
			return err
		}
	}
	if len(j.open.Values) == 0 {
		source, ok := ingest.ParseTimeSource(row.TimeSource)
		if !ok {
			return fmt.Errorf("read Parquet: time_source %q is not known to this version", row.TimeSource)
		}
		j.millis = row.Time
		j.open = ingest.Reading{Station: row.Station, Time: time.UnixMilli(row.Time).UTC(), Received: time.UnixMilli(row.Received).UTC(), TimeSource: source}
	}
	j.open.Values = append(j.open.Values, value)
	return nil
}

func (row *readingRow) value() (ingest.Value, error) {
	quantity, ok := wire.ParseQuantity(row.Quantity)
	if !ok {
		return ingest.Value{}, fmt.Errorf("read Parquet: quantity %q is not known to this version", row.Quantity)
	}
	flags, ok := ingest.ParseFlags(row.Flags)
	if !ok {
		return ingest.Value{}, fmt.Errorf("read Parquet: flags %q are not known to this version", row.Flags)
	}
	return ingest.Value{Quantity: quantity, Value: row.Value, Flags: flags}, nil
}

func (j *joiner) flush() error {
	if len(j.open.Values) == 0 {
		return nil
	}
	r := j.open
	j.open = ingest.Reading{}
	return j.yield(r)
}
