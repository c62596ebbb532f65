package download

import (
	"io"

	"stadtluft/export"
	"stadtluft/export/parquet"
)

// NewInstallations returns an encoder for any format except GeoJSON.
func NewInstallations(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.Installed] {
	if format == export.Parquet {
		return parquet.NewInstallations(w, meta, nil)
	}
	return export.NewInstallations(w, format, meta)
}

// NewCalibrations returns an encoder for any format except GeoJSON.
func NewCalibrations(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.Calibrated] {
	if format == export.Parquet {
		return parquet.NewCalibrations(w, meta, nil)
	}
	return export.NewCalibrations(w, format, meta)
}
