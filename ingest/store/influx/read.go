package influx

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// query runs InfluxQL and calls each for each chunk as it arrives.
func (s *Store) query(ctx context.Context, query, method string, each func(result) error) error {
	response, err := s.request(ctx, query, method)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(bufio.NewReaderSize(response.Body, 64<<10))
	more := false // InfluxDB says that another chunk follows
	for {
		var chunk struct {
			Error   string
			Results []struct {
				Error   string
				Partial bool
				Series  []struct {
					Columns []string
					Values  json.RawMessage
				}
			}
		}
		err := decoder.Decode(&chunk)
		if errors.Is(err, io.EOF) {
			if !more {
				return nil
			}
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("InfluxDB: the answer breaks off: %w", err)
		}
		if chunk.Error == "" && chunk.Results == nil {
			return &answerError{url: s.shownURL(), status: http.StatusOK, words: "JSON without results"}
		}
		if chunk.Error != "" {
			return s.failed(chunk.Error)
		}
		for _, r := range chunk.Results {
			if r.Error != "" {
				return s.failed(r.Error)
			}
			more = r.Partial
			for _, series := range r.Series {
				if err := each(result{series.Columns, series.Values}); err != nil {
					return err
				}
			}
		}
	}
}

// failed returns a query's error, which comes with status 200. It names an unknown database like a write does.
func (s *Store) failed(words string) error {
	status := http.StatusBadRequest
	if strings.Contains(words, "not found") {
		status = http.StatusNotFound
	}
	return &answerError{url: s.shownURL(), bucket: s.options.Bucket, status: status, own: true, words: words}
}

// DeleteReadings needs the right to delete, which includes every token of InfluxDB 2 that may write. InfluxDB 3
// cannot delete.
func (s *Store) DeleteReadings(ctx context.Context, station string) error {
	err := s.query(ctx, `DELETE FROM "reading" WHERE "station" = `+quoteText(station), http.MethodPost, func(result) error { return nil })
	if err != nil {
		return fmt.Errorf("delete readings of %s: %w", station, err)
	}
	return nil
}

// Readings streams. InfluxDB returns points in the order of time; Readings sorts those of one second by station, so
// memory is bounded by a chunk and the readings of one second.
func (s *Store) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	stored, err := s.fields(ctx)
	if err != nil {
		return err
	}
	columns := newColumns(q.Quantities, stored)
	if len(columns.of) == 0 {
		return nil
	}
	where := period(q.From, q.To)
	if len(q.Stations) > 0 {
		var any []string
		for _, id := range q.Stations {
			any = append(any, `"station" = `+quoteText(id))
		}
		where += " AND (" + strings.Join(any, " OR ") + ")"
	}
	var second []ingest.Reading
	flush := func() error {
		slices.SortFunc(second, func(a, b ingest.Reading) int { return cmp.Compare(a.Station, b.Station) })
		for _, r := range second {
			if err := yield(r); err != nil {
				return err
			}
		}
		second = second[:0]
		return nil
	}
	err = s.query(ctx, "SELECT "+quoteNames(columns.names)+` FROM "reading" WHERE `+where+" ORDER BY time ASC", http.MethodGet, func(r result) error {
		return r.each(func(row []cell) error {
			reading, err := columns.decode(row)
			if err != nil || len(reading.Values) == 0 || row[receivedColumn].null() {
				return err // without a time of receipt the point is written just now: the query saw some columns before and some after
			}
			if len(second) > 0 && !second[0].Time.Equal(reading.Time) {
				if err := flush(); err != nil {
					return err
				}
			}
			second = append(second, reading)
			return nil
		})
	})
	if err != nil {
		return err
	}
	return flush()
}

// fields returns the names of the fields that readings have had: InfluxDB takes as long for a column of which there is
// nothing as for a full one.
func (s *Store) fields(ctx context.Context) (map[string]bool, error) {
	names := map[string]bool{}
	err := s.query(ctx, `SHOW FIELD KEYS FROM "reading"`, http.MethodGet, func(r result) error {
		at := slices.Index(r.columns, "fieldKey")
		return r.each(func(row []cell) error {
			if at >= 0 && at < len(row) {
				names[row[at].text()] = true
			}
			return nil
		})
	})
	return names, err
}

// receivedColumn is the column of the time of receipt, which each reading has.
const receivedColumn = 2

// columns are those of an answer with readings: time, station, received, time_source, then value, flags and checks of
// each quantity as far as they are stored.
type columns struct {
	names    []string // but time
	of       []columnsOf
	stations map[string]string // so that readings share their names
	values   []ingest.Value    // room for those of the next readings
}

// columnsOf are where a quantity's columns are; 0 for none.
type columnsOf struct {
	quantity             quantity.Quantity
	value, flags, checks int
}

func newColumns(quantities []quantity.Quantity, stored map[string]bool) *columns {
	if len(quantities) == 0 {
		quantities = quantity.All()
	}
	c := &columns{stations: map[string]string{}, names: []string{"station", "received", "time_source"}}
	add := func(name string) int {
		if !stored[name] {
			return 0
		}
		c.names = append(c.names, name)
		return len(c.names)
	}
	for _, q := range quantities {
		if value := add(q.String()); value > 0 {
			c.of = append(c.of, columnsOf{q, value, add("flags_" + q.String()), add("checks_" + q.String())})
		}
	}
	return c
}

// decode decodes a row. A column is null when the reading has no such field.
func (c *columns) decode(row []cell) (ingest.Reading, error) {
	if len(row) != 1+len(c.names) {
		return ingest.Reading{}, fmt.Errorf("InfluxDB: a row of %d columns, want %d", len(row), 1+len(c.names))
	}
	r := ingest.Reading{
		Station: c.station(row[1]), Time: time.UnixMilli(row[0].whole()).UTC(), Received: time.UnixMilli(row[receivedColumn].whole()).UTC(),
		TimeSource: ingest.TimeSource(row[3].whole()),
	}
	integer := func(at int) int64 {
		if at == 0 {
			return 0
		}
		return row[at].whole()
	}
	if cap(c.values)-len(c.values) < len(c.of) {
		c.values = make([]ingest.Value, 0, valuesAtOnce+len(c.of))
	}
	first := len(c.values)
	for _, of := range c.of {
		if row[of.value].null() {
			continue
		}
		v, err := strconv.ParseFloat(string(row[of.value]), 64)
		if err != nil {
			return ingest.Reading{}, fmt.Errorf("InfluxDB: %s is %q: %w", of.quantity, row[of.value], err)
		}
		c.values = append(c.values, ingest.Value{Quantity: of.quantity, Value: v, Flags: ingest.JoinFlags(integer(of.flags), integer(of.checks))})
	}
	r.Values = c.values[first:len(c.values):len(c.values)]
	return r, nil
}

// valuesAtOnce is for how many values room is made at once.
const valuesAtOnce = 1000

// station returns the name of a station.
func (c *columns) station(one cell) string {
	text := one.bytes()
	name, known := c.stations[string(text)]
	if !known {
		name = string(text)
		c.stations[name] = name
	}
	return name
}

// Grid streams; it sorts the rows of one start, so memory is bounded by a chunk and one window's cells.
func (s *Store) Grid(ctx context.Context, q store.GridQuery, yield func(aggregate.Row) error) error {
	where := period(q.From, q.To) + ` AND "window" = ` + quoteText(q.Window.String())
	if len(q.Quantities) > 0 {
		var any []string
		for _, wanted := range q.Quantities {
			any = append(any, `"quantity" = `+quoteText(wanted.String()))
		}
		where += " AND (" + strings.Join(any, " OR ") + ")"
	}
	var window []aggregate.Row
	flush := func() error {
		slices.SortFunc(window, func(a, b aggregate.Row) int {
			return cmp.Or(cmp.Compare(a.Quantity, b.Quantity), a.Cell.Compare(b.Cell))
		})
		for _, row := range window {
			if err := yield(row); err != nil {
				return err
			}
		}
		window = window[:0]
		return nil
	}
	query := "SELECT " + quoteNames([]string{"cell", "quantity", "mean", "median", "min", "max", "stations", "readings", "coverage", "revision", "raw_mean", "uncorrected", "spread"}) +
		` FROM "grid" WHERE ` + where + " ORDER BY time ASC"
	err := s.query(ctx, query, http.MethodGet, func(r result) error {
		return r.each(func(cells []cell) error {
			row, err := decodeRow(cells, q.Window)
			if err != nil || q.Size != 0 && row.Cell.Size != q.Size || row.Stations == 0 {
				return err
			}
			if len(window) > 0 && !window[0].Start.Equal(row.Start) {
				if err := flush(); err != nil {
					return err
				}
			}
			window = append(window, row)
			return nil
		})
	})
	if err != nil {
		return err
	}
	return flush()
}

func decodeRow(values []cell, window aggregate.Window) (aggregate.Row, error) {
	if len(values) != 14 {
		return aggregate.Row{}, fmt.Errorf("InfluxDB: a grid row of %d columns, want 14", len(values))
	}
	cell, err := geo.ParseCell(values[1].text())
	if err != nil {
		return aggregate.Row{}, fmt.Errorf("InfluxDB: %w", err)
	}
	name := values[2].text()
	q, ok := quantity.Parse(name)
	if !ok {
		return aggregate.Row{}, fmt.Errorf("InfluxDB: quantity %q is not known to this version", name)
	}
	return aggregate.Row{
		Cell: cell, Start: time.UnixMilli(values[0].whole()).UTC(), Window: window, Quantity: q,
		Mean: values[3].milli(), Median: values[4].milli(), Min: values[5].milli(), Max: values[6].milli(),
		Stations: int(values[7].whole()), Readings: int(values[8].whole()), Coverage: values[9].milli(), Revision: int(values[10].whole()),
		Raw: values[11].milli(), Uncorrected: int(values[12].whole()), Spread: values[13].milli(),
	}, nil
}

// period returns the condition from <= time < to in InfluxQL.
func period(from, to time.Time) string {
	return fmt.Sprintf("time >= %s AND time < %s", quoteText(from.UTC().Format(time.RFC3339Nano)), quoteText(to.UTC().Format(time.RFC3339Nano)))
}

// quoteText returns a string literal of InfluxQL.
func quoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}

// quoteName returns an identifier of InfluxQL.
func quoteName(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return strings.Join(quoted, ", ")
}
