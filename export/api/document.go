package api

import (
	"io"
	"net/http"
	"net/url"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
)

// patience is how long a client may take to receive a part of an answer; after that the connection ends.
const patience = 2 * time.Minute

// document is an answer made of rows: its format, its name, and the requested page.
type document struct {
	format   export.Format
	meta     export.Meta
	name     string // for the file
	schema   string // of the table, below /api/v1/schema/
	from, to time.Time
	limit    int             // rows per page
	cursor   download.Cursor // the page begins after it
	address  url.URL         // the address of the next page, except its cursor and pinned parameters
}

// document parses the format and page of a request for a period. most is the longest period for formats that a client
// has to hold in memory whole.
func (q *query) document(s *Server, r *http.Request, from, to time.Time, most time.Duration) document {
	d := document{format: q.format(), from: from, to: to, limit: q.number("limit"), address: s.access(r).HTTP}
	inMemory := d.format == export.GeoJSON || d.format == export.JSON
	if inMemory && to.Sub(from) > most {
		archive := s.access(r).HTTP
		archive.Path = "/archive/"
		q.Fail(wrong("from", "as %s at most %.0f days of this can be had at once; format=csv and format=parquet have no such limit, and closed days are ready as files at %s",
			d.format, most.Hours()/24, archive.String()).
			InGerman("Als %s gibt es davon höchstens %.0f Tage auf einmal; format=csv und format=parquet haben keine solche Grenze, und abgeschlossene Tage liegen als Dateien unter %s.",
				d.format, most.Hours()/24, archive.String()))
	}
	for _, name := range []string{"limit", "cursor"} {
		if d.format != export.JSON && q.Given(name) {
			q.Fail(wrong(name, "%s is for pages, which only format=json has: %s comes whole", name, d.format).
				InGerman("%s ist für Seiten, und die hat nur format=json: %s kommt ganz.", name, d.format))
		}
	}
	d.cursor = q.cursor()
	if outside := d.cursor.Time.Before(from) || !d.cursor.Time.Before(to); d.cursor.Key != "" && from.Before(to) && outside {
		q.Fail(wrong("cursor", "cursor %.80q belongs to another period: take the address of the next page as it is", q.text("cursor")).
			InGerman("Der cursor %.80q gehört zu einem anderen Zeitraum: Nimm die Adresse der nächsten Seite, wie sie ist.", q.text("cursor")))
	}
	d.address.Path, d.address.RawQuery = r.URL.Path, q.Values.Encode()
	return d
}

// pin fixes a time for the following pages.
func (d *document) pin(name string, at time.Time) {
	values := d.address.Query()
	values.Set(name, at.Format(time.RFC3339Nano))
	d.address.RawQuery = values.Encode()
}

// start returns the time from which the stream of a page begins.
func (d *document) start(from time.Time) time.Time {
	if d.cursor.Time.After(from) {
		return d.cursor.Time
	}
	return from
}

// next returns the address of the page after a cursor.
func (d *document) next(c download.Cursor) string {
	address, values := d.address, d.address.Query()
	values.Set("cursor", c.String())
	address.RawQuery = values.Encode()
	return address.String()
}

// head sets the headers.
func (d *document) head(w http.ResponseWriter) {
	h := w.Header()
	headers(h, d.meta, d.format, download.Name(d.name, d.from, d.to, d.format, d.meta.Demo))
	h.Add("Link", "</api/v1/schema/"+d.schema+`>; rel="describedby"; type="application/json"`)
	if d.meta.Next != "" {
		h.Add("Link", "<"+d.meta.Next+`>; rel="next"`)
	}
}

func headers(h http.Header, meta export.Meta, format export.Format, file string) {
	h.Set("Content-Type", format.MediaType())
	how := "attachment"
	if format == export.GeoJSON || format == export.JSON {
		how = "inline"
	}
	h.Set("Content-Disposition", how+`; filename="`+file+`"`)
	h.Set("Cache-Control", "no-cache")
	licences(h, meta)
}

// licences sets the header with the licences of an answer's data.
func licences(h http.Header, meta export.Meta) {
	h.Add("Link", "<"+export.LicenceURL(meta.Licence)+`>; rel="license"`)
	for _, licence := range meta.Licences {
		h.Add("Link", "<"+licence+`>; rel="license"`)
	}
}

// send answers with rows: JSON by pages, any other format as a stream. HEAD gets the headers alone.
func send[T any](w http.ResponseWriter, r *http.Request, d document, rows func(add func(T) error) error, at func(T) download.Cursor,
	encoder func(io.Writer, export.Format, export.Meta) export.Encoder[T]) error {
	d.meta.Generated = time.Now().UTC()
	if d.format == export.JSON {
		page := download.Page[T]{Limit: d.limit, After: d.cursor, At: at}
		if err := page.Fill(rows); err != nil {
			return err
		}
		if next, more := page.Next(); more {
			d.meta.Next = d.next(next)
		}
		rows = page.Each
	}
	d.head(w)
	if r.Method == http.MethodHead {
		return nil
	}
	patient := patientWriter{w, http.NewResponseController(w)}
	defer patient.rest()
	return download.Write(encoder(patient, d.format, d.meta), rows)
}

// sendWhole answers with all rows, without pages.
func sendWhole[T any](w http.ResponseWriter, r *http.Request, d document, rows []T, encoder func(io.Writer, export.Format, export.Meta) export.Encoder[T]) error {
	d.limit = len(rows)
	return send(w, r, d, func(add func(T) error) error { return each(rows, add) }, nil, encoder)
}

// patientWriter sets a deadline for each write.
type patientWriter struct {
	io.Writer
	control *http.ResponseController
}

func (p patientWriter) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience)) // without support for deadlines the connection's own applies
	return p.Writer.Write(b)
}

// rest removes the deadline for the connection's next request.
func (p patientWriter) rest() { _ = p.control.SetWriteDeadline(time.Time{}) }
