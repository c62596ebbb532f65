package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// magic begins and ends each file.
const magic = "PAR1"

// ErrOtherColumns is the error of a file that has other columns than those before it.
var ErrOtherColumns = errors.New("it has other columns than the files before it")

// Joiner makes one file of the groups of rows of several, which need not be read: the whole is magic, then of each file the
// bytes that Add returns, in the order of the calls, then what End returns. The same files give the same bytes. It needs
// memory for the description of each group.
type Joiner struct {
	whole  format.FileMetaData
	size   int64               // of what there is so far
	said   map[string][]string // the files' key-value metadata, each value once
	groups int
}

// Begin returns the first bytes of the file.
func (j *Joiner) Begin() []byte {
	j.size, j.said = int64(len(magic)), map[string][]string{}
	return []byte(magic)
}

// Add takes the groups of a file of ours, and returns the span of its bytes that belongs into the whole.
func (j *Joiner) Add(r io.ReaderAt, size int64) (from, length int64, err error) {
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, 0, fmt.Errorf("join Parquet: %w", err)
	}
	part := file.Metadata()
	if len(j.whole.Schema) > 0 && !sameColumns(j.whole.Schema, part.Schema) {
		return 0, 0, fmt.Errorf("join Parquet: %w", ErrOtherColumns)
	}
	if j.groups+len(part.RowGroups) > math.MaxInt16 {
		return 0, 0, fmt.Errorf("join Parquet: more than %d groups of rows", math.MaxInt16)
	}
	from, to := dataOf(part)
	j.whole.Version, j.whole.Schema, j.whole.CreatedBy, j.whole.ColumnOrders = part.Version, part.Schema, part.CreatedBy, part.ColumnOrders
	j.whole.NumRows += part.NumRows
	for _, group := range part.RowGroups {
		j.whole.RowGroups = append(j.whole.RowGroups, j.moved(group, j.size-from))
	}
	for _, pair := range part.KeyValueMetadata {
		if !slices.Contains(j.said[pair.Key], pair.Value) {
			j.said[pair.Key] = append(j.said[pair.Key], pair.Value)
		}
	}
	j.size += to - from
	return from, to - from, nil
}

// sameColumns reports whether two files have the same columns.
func sameColumns(a, b []format.SchemaElement) bool {
	var first, second bytes.Buffer
	for _, pair := range []struct {
		to   *bytes.Buffer
		what []format.SchemaElement
	}{{&first, a}, {&second, b}} {
		encoder := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(pair.to))
		for i := range pair.what {
			if encoder.Encode(&pair.what[i]) != nil {
				return false
			}
		}
	}
	return bytes.Equal(first.Bytes(), second.Bytes())
}

// dataOf returns the span of a file's bytes in which its columns lie.
func dataOf(part *format.FileMetaData) (from, to int64) {
	from, to = int64(len(magic)), int64(len(magic))
	for _, group := range part.RowGroups {
		for _, column := range group.Columns {
			to = max(to, firstPage(column)+column.MetaData.TotalCompressedSize)
		}
	}
	return from, to
}

// firstPage returns the offset of a column's first page.
func firstPage(c format.ColumnChunk) int64 {
	if c.MetaData.DictionaryPageOffset > 0 {
		return min(c.MetaData.DictionaryPageOffset, c.MetaData.DataPageOffset)
	}
	return c.MetaData.DataPageOffset
}

// moved returns a group whose bytes lie further on. It leaves the indexes of pages out, which stay behind.
func (j *Joiner) moved(group format.RowGroup, by int64) format.RowGroup {
	group.Columns = slices.Clone(group.Columns)
	for i := range group.Columns {
		c := &group.Columns[i]
		for _, offset := range []*int64{&c.FileOffset, &c.MetaData.DataPageOffset, &c.MetaData.DictionaryPageOffset} {
			if *offset > 0 {
				*offset += by
			}
		}
		c.OffsetIndexOffset, c.OffsetIndexLength, c.ColumnIndexOffset, c.ColumnIndexLength = 0, 0, 0, 0
	}
	if group.FileOffset > 0 {
		group.FileOffset += by
	}
	group.Ordinal = int16(j.groups)
	j.groups++
	return group
}

// End returns the last bytes of the file: its description. Where files say different things of themselves, it says all of
// them, a line each; it is of demo data where one is.
func (j *Joiner) End() ([]byte, error) {
	for _, key := range slices.Sorted(maps.Keys(j.said)) {
		value := strings.Join(j.said[key], "\n")
		if key == "demo" && slices.Contains(j.said[key], "true") {
			value = "true"
		}
		j.whole.KeyValueMetadata = append(j.whole.KeyValueMetadata, format.KeyValue{Key: key, Value: value})
	}
	var b bytes.Buffer
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&b)).Encode(&j.whole); err != nil {
		return nil, fmt.Errorf("join Parquet: %w", err)
	}
	length := uint32(b.Len())
	b.Write(binary.LittleEndian.AppendUint32(nil, length))
	b.WriteString(magic)
	return b.Bytes(), nil
}
