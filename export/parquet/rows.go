package parquet

import (
	"io"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/paulmach/orb"

	"stadtluft/export"
)

// rows encodes the rows of a table. It gathers their values by column.
type rows[R any] struct {
	writer   *parquet.GenericWriter[any]
	columns  export.Columns[R]
	row      R                         // under way
	values   [][pageRows]parquet.Value // of the gathered rows, by column
	text     []byte                    // of values
	gathered int
	written  int // rows of the group under way
	centres  export.Centres
	point    orb.Point // of the row under way, from its longitude to its latitude
	placed   bool
}

// newRows makes an encoder that writes to w, of a file that says of itself what meta and notes hold. name is what the file calls a row;
// sorted are the columns that rows are sorted by.
func newRows[R any](w io.Writer, meta export.Meta, notes map[string]string, name string, columns export.Columns[R], sorted ...string) *rows[R] {
	order := make([]parquet.SortingColumn, len(sorted))
	for i, column := range sorted {
		order[i] = parquet.Ascending(column)
	}
	options := []parquet.WriterOption{
		parquet.NewSchema(name, schema(columns.Fields())),
		parquet.CreatedBy("stadtluft", "1", "parquet-go"), // without a build, which would change the bytes
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1}),
		parquet.DictionaryMaxBytes(dictionaryBytes),
		parquet.SortingWriterConfig(parquet.SortingColumns(order...)),
	}
	said := describe(meta)
	maps.Copy(said, notes)
	for _, key := range slices.Sorted(maps.Keys(said)) {
		options = append(options, parquet.KeyValueMetadata(key, said[key]))
	}
	return &rows[R]{writer: parquet.NewGenericWriter[any](w, options...), columns: columns, values: make([][pageRows]parquet.Value, len(columns)), centres: export.Centres{}}
}

// Begin writes nothing: the form begins with its first group.
func (e *rows[R]) Begin() error { return nil }

// Add writes a row.
func (e *rows[R]) Add(r R) error {
	e.row = r
	return e.add(false)
}

// add takes the row under way in; again says that it is of the same reading as the one before.
func (e *rows[R]) add(again bool) error {
	n := e.gathered
	for i := range e.columns {
		if again && n > 0 && e.columns[i].Shared {
			e.values[i][n] = e.values[i][n-1]
		} else {
			e.read(&e.columns[i], &e.values[i][n])
		}
	}
	if e.gathered++; e.gathered < pageRows {
		return nil
	}
	return e.flush()
}

// End writes what is left, and the footer.
func (e *rows[R]) End() error {
	if err := e.flush(); err != nil {
		return err
	}
	return e.writer.Close()
}

// flush writes the gathered rows, and ends a group that is full.
func (e *rows[R]) flush() error {
	for i, column := range e.writer.ColumnWriters() {
		if _, err := column.WriteRowValues(e.values[i][:e.gathered]); err != nil {
			return err
		}
	}
	e.written += e.gathered
	e.gathered, e.text = 0, e.text[:0]
	if e.written < groupRows {
		return nil
	}
	e.written = 0
	return e.writer.Flush()
}
