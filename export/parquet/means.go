package parquet

import (
	"io"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
)

// NewMeans makes an encoder of means of stations that writes to w.
func NewMeans(w io.Writer, meta export.Meta) export.Encoder[aggregate.StationWindow] {
	return newRows(w, meta, nil, "meanRow", export.MeanColumns, "window_start", "station")
}
