package parquet

import (
	"io"

	"stadtluft/export"
)

// NewInstallations makes an encoder of stations by period that writes to w.
func NewInstallations(w io.Writer, meta export.Meta, notes map[string]string) export.Encoder[export.Installed] {
	return newRows(w, meta, notes, "installedRow", export.InstalledColumns, "station", "valid_from")
}

// NewCalibrations makes an encoder of calibrations that writes to w.
func NewCalibrations(w io.Writer, meta export.Meta, notes map[string]string) export.Encoder[export.Calibrated] {
	return newRows(w, meta, notes, "calibratedRow", export.CalibratedColumns, "station")
}
