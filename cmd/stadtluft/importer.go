package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/neighbours"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

const (
	importChunk    = 20_000 // rows that are held, and put in order, at once
	importBatch    = 400    // readings of one delivery
	importProblems = 20     // broken lines that are told
	importPatience = 10 * time.Second
)

// importer delivers rows to a running server as readings of stations that are adopted for them.
type importer struct {
	registry *registry.Registry
	boundary *geo.Boundary
	margin   float64 // metres
	data     string  // the data folder, where the server has left its word for importers
	server   string  // URL
	tally    *tally

	rows    []neighbours.Row
	reached bool // the server has answered
}

// fatalError ends an import; other errors are of one file.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

// read takes the rows of one file or address; flush delivers what is held of them.
func (im *importer) read(ctx context.Context, source func(row func(neighbours.Row) error, broken func(neighbours.Broken)) error) error {
	im.tally.Files++
	return source(func(r neighbours.Row) error {
		im.tally.Rows++
		switch {
		case im.boundary.Distance(r.Point) > im.margin:
			im.tally.Outside++
		case len(r.Reading.Values) == 0:
			reason := wire.NoValues
			if len(r.Refused) > 0 {
				reason = r.Refused[0].Reason
			}
			im.tally.Refused[string(reason)]++
		default:
			for _, f := range r.Refused {
				im.tally.Values.Refused[string(f.Reason)]++
			}
			im.rows = append(im.rows, r)
		}
		if len(im.rows) < importChunk {
			return nil
		}
		return im.flush(ctx)
	}, func(b neighbours.Broken) {
		im.tally.Rows++
		im.tally.Broken++
		im.tally.Refused[string(b.Reason)]++
		im.problem(fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Detail))
	})
}

func (im *importer) problem(text string) {
	if len(im.tally.Problems) < importProblems {
		im.tally.Problems = append(im.tally.Problems, text)
	}
}

// note tells what was wrong with a file and returns what ends the import.
func (im *importer) note(w io.Writer, file string, err error) error {
	var fatal fatalError
	if errors.As(err, &fatal) {
		return fatal
	}
	if err != nil {
		im.problem(err.Error())
	}
	for _, problem := range im.tally.Problems {
		fmt.Fprintln(w, problem)
	}
	if more := im.tally.Broken - len(im.tally.Problems); len(im.tally.Problems) == importProblems && more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	im.tally.Problems = nil
	return nil
}

// flush delivers the rows that are held, by station and time, so that two rows of one second are neighbours.
func (im *importer) flush(ctx context.Context) error {
	rows := im.rows
	im.rows = im.rows[:0]
	slices.SortStableFunc(rows, func(a, b neighbours.Row) int {
		return cmp.Or(strings.Compare(a.Location, b.Location), a.Reading.Time.Compare(b.Reading.Time))
	})
	type part struct {
		station string
		rows    []neighbours.Row
	}
	var parts []part
	for len(rows) > 0 { // all stations first: the server takes a moment to notice new ones
		n := 1
		for n < len(rows) && rows[n].Location == rows[0].Location {
			n++
		}
		st, err := im.adopt(ctx, rows[:n])
		var field *registry.FieldError
		switch {
		case errors.As(err, &field): // such as a place that no cell holds
			im.tally.Refused[string(wire.Malformed)] += n
			im.problem(fmt.Sprintf("%s:%d: %v", rows[0].File, rows[0].Line, err))
		case err != nil:
			return fatalError{err}
		default:
			parts = append(parts, part{st.ID, rows[:n]})
		}
		rows = rows[n:]
	}
	for _, p := range parts {
		im.tally.Stations[p.station] = true
		for batch := range slices.Chunk(p.rows, importBatch) {
			if err := im.deliver(ctx, p.station, batch); err != nil {
				return fatalError{err}
			}
		}
	}
	return nil
}

// adopt finds or registers the station of one location. Its sensors are those that its rows name.
func (im *importer) adopt(ctx context.Context, rows []neighbours.Row) (st *ingest.Station, err error) {
	kinds := map[string]bool{}
	for _, r := range rows {
		kinds[strings.ToLower(r.Type)] = true
	}
	sensors := slices.Sorted(maps.Keys(kinds))
	sensors = sensors[:min(len(sensors), 10)]
	exposure := ingest.Outdoor
	if rows[0].Indoor {
		exposure = ingest.Indoor
	}
	for i, r := range rows {
		if i > 0 && r.Point == rows[i-1].Point {
			continue
		}
		st, err = im.registry.Adopt(ctx, registry.Foreign{
			Source: registry.SensorCommunity, Key: r.Location, Name: "Sensor.Community " + r.Location, Point: r.Point, Since: r.Reading.Time,
			Kit: "Sensor.Community", Sensors: slices.Clone(sensors), Exposure: exposure, Licence: "ODbL-1.0",
		})
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

// answer is what a delivery became.
type answer struct {
	Detail   string `json:"detail"`
	Accepted []struct {
		Time   string                     `json:"time"`
		Values map[string]json.RawMessage `json:"values"`
	} `json:"accepted"`
	Repeated int `json:"repeated"`
	Refused  []struct {
		Reason string `json:"reason"`
		Detail string `json:"detail"`
	} `json:"refused"`
}

func (im *importer) deliver(ctx context.Context, station string, rows []neighbours.Row) error {
	readings := make([]wire.Reading, len(rows))
	for i, r := range rows {
		readings[i] = r.Reading
	}
	a, err := im.post(ctx, station, wire.AppendReadings(nil, readings))
	if err != nil {
		return err
	}
	im.count(rows, a)
	return nil
}

// count tells the rows of a delivery apart. The server keeps their order, so the accepted ones are found from the front;
// of the others those that a refusal quotes were refused, the rest is known already.
func (im *importer) count(rows []neighbours.Row, a answer) {
	accepted := a.Accepted
	for _, r := range rows {
		at := r.Reading.Time.Format(time.RFC3339)
		switch {
		case len(accepted) > 0 && accepted[0].Time == at && slices.ContainsFunc(r.Reading.Values, func(v wire.Value) bool {
			_, there := accepted[0].Values[v.Quantity.String()]
			return there
		}):
			im.tally.Stored++
			im.tally.Values.Stored += len(accepted[0].Values)
			accepted = accepted[1:]
		default:
			if reason := a.refused(r.Reading, at); reason != "" {
				im.tally.Refused[reason]++
			} else {
				im.tally.Repeated++
			}
		}
	}
}

// refused is why a reading was refused as a whole; empty when it was not. A refusal quotes the reading's time, and that
// of a second value the value.
func (a *answer) refused(r wire.Reading, at string) string {
	for _, f := range a.Refused {
		if !strings.Contains(f.Detail, at) {
			continue
		}
		quoted := func(v wire.Value) bool {
			return strings.Contains(f.Detail, fmt.Sprintf("; %v comes too late", v.Value))
		}
		if f.Reason != string(wire.Duplicate) || slices.ContainsFunc(r.Values, quoted) {
			return f.Reason
		}
	}
	return ""
}

// post delivers until it is taken. A server that does not know a new station yet is asked again.
func (im *importer) post(ctx context.Context, station string, payload []byte) (a answer, err error) {
	give := time.Now().Add(importPatience)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		status := 0
		status, a, err = im.postOnce(ctx, station, payload)
		switch {
		case err == nil && (status == http.StatusAccepted || status == http.StatusUnprocessableEntity):
			return a, nil
		case err == nil:
			err = fmt.Errorf("%s answers %d: %s", im.server, status, a.Detail)
			if status == http.StatusUnauthorized {
				err = fmt.Errorf("%w (does it serve from the data folder %s?)", err, im.data)
			}
		}
		im.reached = im.reached || status != 0
		busy := status == http.StatusServiceUnavailable
		if ctx.Err() != nil || (time.Now().After(give) || !im.reached) && !busy {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (im *importer) postOnce(ctx context.Context, station string, payload []byte) (status int, a answer, err error) {
	token, err := readImportToken(im.data)
	if err != nil {
		return 0, a, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, im.server+"/api/v1/push/"+push.Native, bytes.NewReader(payload))
	if err != nil {
		return 0, a, err
	}
	request.SetBasicAuth(station, token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, a, fmt.Errorf("is the server running? import needs it: %w", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, 16<<20)).Decode(&a); err != nil {
		return 0, a, fmt.Errorf("%s answers %s: %w", im.server, response.Status, err)
	}
	return response.StatusCode, a, nil
}
