package parquet

import (
	"io"

	"stadtluft/export"
	"stadtluft/ingest/comparison"
)

// NewComparison makes an encoder of comparisons over periods that writes to w.
func NewComparison(w io.Writer, meta export.Meta) export.Encoder[comparison.Row] {
	return newRows(w, meta, nil, "comparisonRow", export.ComparisonColumns)
}

// NewPairs makes an encoder of the hours behind a comparison that writes to w, with notes among the key-value metadata.
func NewPairs(w io.Writer, meta export.Meta, notes map[string]string) export.Encoder[comparison.Pair] {
	return newRows(w, meta, notes, "pairRow", export.PairColumns, "start")
}
