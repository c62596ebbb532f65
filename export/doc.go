// Package export is how data leaves: readings, means of stations, averages of cells and districts as CSV, GeoJSON and
// JSON, streamed row by row, the same input always as the same bytes. README.md beside this file is the promise to
// data users; its columns are held against the tables here, and the tables against the encoders, by tests.
//
// The packages below it publish: download from the store, api over HTTP, live as a stream and over MQTT, metrics for
// operators, web as pages, openapi as the description of it all. It knows no HTTP itself.
package export

import (
	"fmt"
	"io"
	"time"
)

// Disclaimer goes with every document that has a place for it.
const Disclaimer = "Indicative values from low-cost sensors, not regulatory data."

// DisclaimerDE says the same in German.
const DisclaimerDE = "Orientierende Messwerte einfacher Sensoren, keine amtlichen Messwerte."

// Meta is what a document says of itself.
type Meta struct {
	Licence     string    // such as dl-zero-de/2.0
	Attribution string    // whom to name
	Generated   time.Time // UTC; the zero time is left out
	Demo        bool      // simulated stations are among the sources
	Licences    []string  // URLs of neighbours' licences, beside the city's own
	Averaging   string    // how values became means, a sentence or two; empty where nothing is said of it
	Quality     string    // which values are good, likewise
	Next        string    // address of the next page of JSON; empty on the last
}

// LicenceURL is the address of one of the licences of DCAT-AP.de.
func LicenceURL(id string) string { return "http://dcat-ap.de/def/licenses/" + id }

// Format is a form a document can have.
type Format string

const (
	CSV       Format = "csv"       // RFC 4180 with LF at the end of lines, UTF-8, a header line
	Semicolon Format = "semicolon" // CSV for spreadsheets that split at semicolons; decimals keep their point
	German    Format = "german"    // Semicolon with decimal commas and a byte order mark, for spreadsheets in German
	GeoJSON   Format = "geojson"   // RFC 7946
	JSON      Format = "json"      // an object whose "rows" are those of the CSV
	Parquet   Format = "parquet"   // made by package parquet
)

// MediaType is the format's type in HTTP.
func (f Format) MediaType() string {
	switch f {
	case GeoJSON:
		return "application/geo+json"
	case JSON:
		return "application/json"
	case Parquet:
		return "application/vnd.apache.parquet"
	}
	return "text/csv; charset=utf-8; header=present"
}

// Extension is what names of files end with, without the point.
func (f Format) Extension() string {
	if f.csv() {
		return string(CSV)
	}
	return string(f)
}

// csv reports whether the format is CSV of any kind.
func (f Format) csv() bool { return f == CSV || f == Semicolon || f == German }

// comma is what stands between the fields of a line.
func (f Format) comma() byte {
	if f == Semicolon || f == German {
		return ';'
	}
	return ','
}

// byteOrderMark says to spreadsheets that a text is UTF-8.
const byteOrderMark = "\ufeff"

// Encoder writes a document of rows as they come: Begin, Add for each, End. Not safe for concurrent use.
type Encoder[T any] interface {
	Begin() error
	Add(row T) error
	End() error
}

// ParseTime reads RFC 3339, or a date, which is its midnight in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is neither a time such as 2026-05-01T10:00:00Z nor a date", text)
}

// flushBytes is how much is gathered before it is written.
const flushBytes = 32 << 10

// document gathers bytes and writes them in pieces. Its buffer is the encoders' scratch space.
type document struct {
	w   io.Writer
	buf []byte
}

// flush writes what is gathered, when it is enough or force is set.
func (d *document) flush(force bool) error {
	if len(d.buf) == 0 || !force && len(d.buf) < flushBytes {
		return nil
	}
	_, err := d.w.Write(d.buf)
	d.buf = d.buf[:0]
	return err
}
