package parquet

import (
	"io"

	"stadtluft/export"
)

// NewCoverage makes an encoder of the city's cells that writes to w.
func NewCoverage(w io.Writer, meta export.Meta) export.Encoder[export.CoverageRow] {
	return newRows(w, meta, nil, "coverageRow", export.CoverageColumns)
}

// NewHistory makes an encoder of the coverage over time that writes to w.
func NewHistory(w io.Writer, meta export.Meta) export.Encoder[export.CoveredThen] {
	return newRows(w, meta, nil, "historyRow", export.HistoryColumns, "start")
}
