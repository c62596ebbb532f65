package parquet

import (
	"io"

	"stadtluft/export"
)

// NewAreas makes an encoder of averages of districts that writes to w.
func NewAreas(w io.Writer, meta export.Meta) export.Encoder[export.AreaRow] {
	return newRows(w, meta, nil, "areaRow", export.AreaColumns, "window_start")
}
