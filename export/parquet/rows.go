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

// rows encodes the rows of a table, a column after the other.
type rows[R any] struct {
	writer  *parquet.Writer
	columns export.Columns[R]
	written int // rows of the group under way
	rows    []R // that are gathered
	values  []parquet.Value
	text    []byte // of values
	places  [pageRows]place
	centres export.Centres
}

// place is where a row is: its longitude leaves it to its latitude.
type place struct {
	point orb.Point
	known bool
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
	return &rows[R]{writer: parquet.NewWriter(w, options...), columns: columns, rows: make([]R, 0, pageRows), centres: export.Centres{}}
}

// Begin writes nothing: the form begins with its first group.
func (e *rows[R]) Begin() error { return nil }

// Add writes a row.
func (e *rows[R]) Add(r R) error {
	e.rows = append(e.rows, r)
	if len(e.rows) < pageRows {
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

// flush writes the rows that are gathered, and ends a group of rows that is full.
func (e *rows[R]) flush() error {
	for i, column := range e.writer.ColumnWriters() {
		e.read(&e.columns[i])
		if _, err := column.WriteRowValues(e.values); err != nil {
			return err
		}
	}
	e.written += len(e.rows)
	e.rows = e.rows[:0]
	if e.written < groupRows {
		return nil
	}
	e.written = 0
	return e.writer.Flush()
}
