package download

import (
	"io"

	"stadtluft/export"
	"stadtluft/export/parquet"
)

// NewIndices returns an encoder for any format.
func NewIndices(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.CellIndex] {
	if format == export.Parquet {
		return parquet.NewIndices(w, meta)
	}
	return export.NewIndices(w, format, meta)
}

// NewCoverage returns an encoder for any format except GeoJSON.
func NewCoverage(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.CoverageRow] {
	if format == export.Parquet {
		return parquet.NewCoverage(w, meta)
	}
	return export.NewCoverage(w, format, meta)
}

// NewHistory returns an encoder for any format except GeoJSON.
func NewHistory(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.CoveredThen] {
	if format == export.Parquet {
		return parquet.NewHistory(w, meta)
	}
	return export.NewHistory(w, format, meta)
}
