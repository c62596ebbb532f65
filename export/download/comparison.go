package download

import (
	"io"

	"stadtluft/export"
	"stadtluft/export/parquet"
	"stadtluft/ingest/comparison"
)

// NewComparison returns an encoder for any format except GeoJSON.
func NewComparison(w io.Writer, format export.Format, meta export.Meta) export.Encoder[comparison.Row] {
	if format == export.Parquet {
		return parquet.NewComparison(w, meta)
	}
	return export.NewComparison(w, format, meta)
}

// NewPairs returns an encoder for any format except GeoJSON.
func NewPairs(w io.Writer, format export.Format, meta export.Meta) export.Encoder[comparison.Pair] {
	if format == export.Parquet {
		return parquet.NewPairs(w, meta, nil)
	}
	return export.NewPairs(w, format, meta)
}
