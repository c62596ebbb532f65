package parquet

import (
	"io"

	"stadtluft/export"
)

// NewGrid makes an encoder that writes to w. notes are further key-value metadata; nil is none.
func NewGrid(w io.Writer, meta export.Meta, notes map[string]string) export.Grid {
	return newRows(w, meta, notes, "gridRow", export.GridColumns, "window_start")
}
