package parquet

import (
	"io"

	"stadtluft/export"
)

// NewIndices makes an encoder of the indices of cells that writes to w.
func NewIndices(w io.Writer, meta export.Meta) export.Encoder[export.CellIndex] {
	return newRows(w, meta, nil, "indexRow", export.IndexColumns, "window_start")
}
