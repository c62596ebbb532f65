package influx

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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

// result is one chunk of a response.
type result struct {
	columns []string
	values  [][]any // numbers are of type json.Number
}

// query runs InfluxQL and calls each for each chunk as it arrives.
func (s *Store) query(ctx context.Context, query, method string, each func(result) error) error {
	response, err := s.request(ctx, query, method)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(bufio.NewReaderSize(response.Body, 64<<10))
	decoder.UseNumber()
	for {
		var chunk struct {
			Error   string
			Results []struct {
				Error  string
				Series []struct {
					Columns []string
					Values  [][]any
				}
			}
		}
		err := decoder.Decode(&chunk)
		if errors.Is(err, io.EOF) {
			return nil
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
		for _, values := range r.values {
			reading, err := columns.decode(values)
			if err != nil {
				return err
			}
			if len(reading.Values) == 0 {
				continue
			}
			if len(second) > 0 && !second[0].Time.Equal(reading.Time) {
				if err := flush(); err != nil {
					return err
				}
			}
			second = append(second, reading)
		}
		return nil
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
		for _, row := range r.values {
			if at := slices.Index(r.columns, "fieldKey"); at >= 0 && at < len(row) {
				name, _ := row[at].(string)
				names[name] = true
			}
		}
		return nil
	})
	return names, err
}

// columns are those of an answer with readings: time, station, received, time_source, then value, flags and checks of
// each quantity as far as they are stored.
type columns struct {
	names []string // but time
	of    []columnsOf
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
	c := &columns{names: []string{"station", "received", "time_source"}}
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
func (c *columns) decode(values []any) (ingest.Reading, error) {
	if len(values) != 1+len(c.names) {
		return ingest.Reading{}, fmt.Errorf("InfluxDB: a row of %d columns, want %d", len(values), 1+len(c.names))
	}
	station, _ := values[1].(string)
	r := ingest.Reading{
		Station: station, Time: time.UnixMilli(whole(values[0])).UTC(), Received: time.UnixMilli(whole(values[2])).UTC(),
		TimeSource: ingest.TimeSource(whole(values[3])),
	}
	integer := func(at int) int64 {
		if at == 0 {
			return 0
		}
		return whole(values[at])
	}
	for _, of := range c.of {
		number, ok := values[of.value].(json.Number)
		if !ok {
			continue
		}
		v, err := number.Float64()
		if err != nil {
			return ingest.Reading{}, fmt.Errorf("InfluxDB: %s is %q: %w", of.quantity, number, err)
		}
		r.Values = append(r.Values, ingest.Value{Quantity: of.quantity, Value: v, Flags: ingest.JoinFlags(integer(of.flags), integer(of.checks))})
	}
	return r, nil
}

// whole returns the value of an integer column; 0 for null.
func whole(v any) int64 {
	number, _ := v.(json.Number)
	n, _ := number.Int64()
	return n
}

// milli returns the value of a float column in thousandths.
func milli(v any) int64 {
	number, _ := v.(json.Number)
	f, _ := strconv.ParseFloat(string(number), 64)
	return int64(math.Round(f * 1000))
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
		for _, values := range r.values {
			row, err := decodeRow(values, q.Window)
			if err != nil {
				return err
			}
			if q.Size != 0 && row.Cell.Size != q.Size || row.Stations == 0 {
				continue
			}
			if len(window) > 0 && !window[0].Start.Equal(row.Start) {
				if err := flush(); err != nil {
					return err
				}
			}
			window = append(window, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func decodeRow(values []any, window aggregate.Window) (aggregate.Row, error) {
	if len(values) != 14 {
		return aggregate.Row{}, fmt.Errorf("InfluxDB: a grid row of %d columns, want 14", len(values))
	}
	code, _ := values[1].(string)
	cell, err := geo.ParseCell(code)
	if err != nil {
		return aggregate.Row{}, fmt.Errorf("InfluxDB: %w", err)
	}
	name, _ := values[2].(string)
	q, ok := quantity.Parse(name)
	if !ok {
		return aggregate.Row{}, fmt.Errorf("InfluxDB: quantity %q is not known to this version", name)
	}
	return aggregate.Row{
		Cell: cell, Start: time.UnixMilli(whole(values[0])).UTC(), Window: window, Quantity: q,
		Mean: milli(values[3]), Median: milli(values[4]), Min: milli(values[5]), Max: milli(values[6]),
		Stations: int(whole(values[7])), Readings: int(whole(values[8])), Coverage: milli(values[9]), Revision: int(whole(values[10])),
		Raw: milli(values[11]), Uncorrected: int(whole(values[12])), Spread: milli(values[13]),
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
