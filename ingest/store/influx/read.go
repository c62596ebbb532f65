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
	quantities := q.Quantities
	if len(quantities) == 0 {
		var err error
		if quantities, err = s.stored(ctx); err != nil {
			return err
		}
	}
	fields := []string{"station", "received", "time_source"}
	for _, q := range quantities {
		fields = append(fields, q.String(), "flags_"+q.String(), "checks_"+q.String())
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
	err := s.query(ctx, "SELECT "+quoteNames(fields)+` FROM "reading" WHERE `+where+" ORDER BY time ASC", http.MethodGet, func(r result) error {
		for _, values := range r.values {
			reading, err := decodeReading(values, quantities)
			if err != nil {
				return err
			}
			if len(reading.Values) == 0 || values[receivedColumn] == nil {
				continue // the second is of a point that is written just now, of which the query saw some columns before and some after
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

// stored returns the quantities that InfluxDB has fields of. To ask for others as well takes it several times as long; all where it
// names none.
func (s *Store) stored(ctx context.Context) ([]quantity.Quantity, error) {
	there := map[any]bool{}
	err := s.query(ctx, `SHOW FIELD KEYS FROM "reading"`, http.MethodGet, func(r result) error {
		for _, row := range r.values {
			there[row[0]] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(slices.Clone(quantity.All()), func(q quantity.Quantity) bool { return !there[q.String()] })
	if len(list) == 0 {
		return quantity.All(), nil
	}
	return list, nil
}

// receivedColumn is the column of the time of receipt, which each reading has.
const receivedColumn = 2

// decodeReading decodes a row: time, station, received, time_source, then value, flags and checks of each quantity. A column
// is null when the reading has no such field.
func decodeReading(values []any, quantities []quantity.Quantity) (ingest.Reading, error) {
	if len(values) != 4+3*len(quantities) {
		return ingest.Reading{}, fmt.Errorf("InfluxDB: a row of %d columns, want %d", len(values), 4+3*len(quantities))
	}
	station, _ := values[1].(string)
	r := ingest.Reading{
		Station: station, Time: time.UnixMilli(whole(values[0])).UTC(), Received: time.UnixMilli(whole(values[receivedColumn])).UTC(),
		TimeSource: ingest.TimeSource(whole(values[3])),
	}
	for i, q := range quantities {
		number, ok := values[4+3*i].(json.Number)
		if !ok {
			continue
		}
		v, err := number.Float64()
		if err != nil {
			return ingest.Reading{}, fmt.Errorf("InfluxDB: %s is %q: %w", q, number, err)
		}
		r.Values = append(r.Values, ingest.Value{Quantity: q, Value: v, Flags: ingest.JoinFlags(whole(values[5+3*i]), whole(values[6+3*i]))})
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
