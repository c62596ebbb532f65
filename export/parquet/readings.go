package parquet

import (
	"io"

	"stadtluft/export"
	"stadtluft/ingest"
)

type readings struct {
	*rows[export.ReadingRow]
	stations ingest.Stations
}

// NewReadings makes an encoder that writes to w. Places of stations come from stations; a station that is not
// there has none. notes are further key-value metadata, such as the rules of the checks; nil is none.
func NewReadings(w io.Writer, stations ingest.Stations, meta export.Meta, notes map[string]string) export.Readings {
	return &readings{rows: newRows(w, meta, notes, "readingRow", export.FullReadingColumns, "time", "station"), stations: stations}
}

// Add writes a row for each value.
func (e *readings) Add(r ingest.Reading) error {
	e.row.Take(&r, e.stations)
	for i, v := range r.Values {
		e.row.Value = v
		if err := e.add(i > 0); err != nil {
			return err
		}
	}
	return nil
}
