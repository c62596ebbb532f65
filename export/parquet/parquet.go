// Package parquet writes readings and grid averages as Apache Parquet: the columns of the CSV with types, in
// its order, compressed with zstd. It is used like the encoders of package export,
//
//	e := parquet.NewReadings(w, stations, meta, notes)
//	e.Begin(); e.Add(reading) …; e.End()
//
// and a document without its End has no footer: no reader takes it for whole. Rows are to be added in the
// order of time, then station (the grid's of start, quantity, cell), which the files declare.
//
// Memory is bounded by one group of rows and a line for each group before it. The same rows give the same
// bytes, on every machine. Readings have two columns more than the CSV, when and how their time came to be,
// so that a file holds all that the store knows; Read brings them back.
package parquet

import (
	"io"
	"maps"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"stadtluft/export"
)

const (
	// groupRows is the rows of a group: readers work on groups at once, and DuckDB likes them of this size.
	groupRows = 1 << 17
	// pageRows are handed to the library together: after each it ends the pages that are full. Groups are made of whole ones.
	pageRows = 64
	// batchRows are read together.
	batchRows = 1 << 10
	// dictionaryBytes is when a column's values in a group are too many for a dictionary.
	dictionaryBytes = 1 << 20
)

// MediaType is the form's type in HTTP.
const MediaType = "application/vnd.apache.parquet"

// table gathers rows of one kind and writes them in batches.
type table[T any] struct {
	writer *parquet.GenericWriter[T]
	rows   []T
}

// newTable is a table that says of itself what meta and notes hold.
func newTable[T any](w io.Writer, meta export.Meta, notes map[string]string, sorted ...string) table[T] {
	columns := make([]parquet.SortingColumn, len(sorted))
	for i, name := range sorted {
		columns[i] = parquet.Ascending(name)
	}
	options := []parquet.WriterOption{
		parquet.CreatedBy("stadtluft", "1", "parquet-go"), // without a build, which would change the bytes
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1}),
		parquet.MaxRowsPerRowGroup(groupRows),
		parquet.DictionaryMaxBytes(dictionaryBytes),
		parquet.SortingWriterConfig(parquet.SortingColumns(columns...)),
	}
	metadata := describe(meta)
	maps.Copy(metadata, notes)
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		options = append(options, parquet.KeyValueMetadata(key, metadata[key]))
	}
	return table[T]{writer: parquet.NewGenericWriter[T](w, options...), rows: make([]T, 0, batchRows)}
}

// describe is what a document says of itself, in the form's key-value metadata.
func describe(meta export.Meta) map[string]string {
	metadata := map[string]string{"licence": meta.Licence, "attribution": meta.Attribution, "notice": export.Disclaimer, "demo": "false"}
	if meta.Demo {
		metadata["demo"] = "true"
	}
	for key, text := range map[string]string{"averaging": meta.Averaging, "quality": meta.Quality} {
		if text != "" {
			metadata[key] = text
		}
	}
	if !meta.Generated.IsZero() {
		metadata["generated"] = meta.Generated.UTC().Format("2006-01-02T15:04:05Z")
	}
	for i, licence := range meta.Licences {
		if i > 0 {
			licence = metadata["licences"] + " " + licence
		}
		metadata["licences"] = licence
	}
	return metadata
}

func (t *table[T]) add(row T) error {
	t.rows = append(t.rows, row)
	if len(t.rows) < batchRows {
		return nil
	}
	return t.flush()
}

func (t *table[T]) flush() error {
	_, err := t.writer.Write(t.rows)
	t.rows = t.rows[:0]
	return err
}

// Begin writes nothing: the form begins with its first group.
func (t *table[T]) Begin() error { return nil }

// End writes what is left, and the footer.
func (t *table[T]) End() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.writer.Close()
}

// structs encodes each E as a row R.
type structs[E, R any] struct {
	table[R]
	row func(E) R
}

// Add writes a row.
func (e *structs[E, R]) Add(r E) error { return e.add(e.row(r)) }

func thousandths(milli int64) float64 { return float64(milli) / 1000 }

// decimal, whole and class are numbers, or none; a class is none where it is 0.
func decimal(m *export.Milli) *float64 {
	if m == nil {
		return nil
	}
	return new(thousandths(int64(*m)))
}

func whole(n *int) *int32 {
	if n == nil {
		return nil
	}
	return new(int32(*n))
}

func class(n int) *int32 {
	if n == 0 {
		return nil
	}
	return new(int32(n))
}

// degrees has the six decimals of the CSV.
func degrees(d float64) float64 { return math.Round(d*1e6) / 1e6 }
