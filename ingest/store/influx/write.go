package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
	"stadtluft/ingest"
)

// batchLines bounds the lines of one request, as InfluxData advises.
const batchLines = 5000

// WriteReadings stores readings. A reading that InfluxDB will never take comes back as a refusal for
// each of its values at fault, with InfluxDB's words.
func (s *Store) WriteReadings(ctx context.Context, readings []ingest.Reading) ([]ingest.Refusal, error) {
	var refused []ingest.Refusal
	for len(readings) > 0 {
		n := min(len(readings), batchLines)
		r, err := s.writeReadings(ctx, readings[:n])
		if err != nil {
			return nil, fmt.Errorf("store %d readings: %w", len(readings), err)
		}
		refused, readings = append(refused, r...), readings[n:]
	}
	return refused, nil
}

// writeReadings halves a batch that InfluxDB blames until the culprit stands alone. InfluxDB 1.8 has
// taken the rest of a batch already then; writing it again changes nothing.
func (s *Store) writeReadings(ctx context.Context, readings []ingest.Reading) ([]ingest.Refusal, error) {
	var e lineprotocol.Encoder
	e.SetPrecision(lineprotocol.Second)
	e.SetLax(true) // a name's order and form are ours
	for i := range readings {
		encodeReading(&e, &readings[i])
	}
	if err := e.Err(); err != nil {
		return s.blame(ctx, readings, err.Error())
	}
	err := s.post(ctx, e.Bytes())
	var answer *answerError
	if errors.As(err, &answer) && answer.blamesData() {
		return s.blame(ctx, readings, answer.words)
	}
	return nil, err
}

func (s *Store) blame(ctx context.Context, readings []ingest.Reading, words string) ([]ingest.Refusal, error) {
	if len(readings) > 1 {
		half := len(readings) / 2
		first, err := s.writeReadings(ctx, readings[:half])
		if err != nil {
			return nil, err
		}
		second, err := s.writeReadings(ctx, readings[half:])
		return append(first, second...), err
	}
	r := readings[0]
	if len(r.Values) > 1 { // one bad value never costs its neighbours
		var refused []ingest.Refusal
		for _, v := range r.Values {
			single := r
			single.Values = []ingest.Value{v}
			f, err := s.writeReadings(ctx, []ingest.Reading{single})
			if err != nil {
				return nil, err
			}
			refused = append(refused, f...)
		}
		return refused, nil
	}
	return []ingest.Refusal{{
		Station: r.Station, Received: r.Received, Reason: wire.Unstorable, Field: r.Values[0].Quantity.String(),
		Detail: clip("InfluxDB: " + words),
	}}, nil
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), ingest.MaxDetail)], "") }

func encodeReading(e *lineprotocol.Encoder, r *ingest.Reading) {
	e.StartLine("reading")
	e.AddTag("station", r.Station)
	for _, v := range r.Values {
		value, ok := lineprotocol.FloatValue(v.Value)
		if !ok {
			continue // a Reading's values are finite
		}
		e.AddField(v.Quantity.String(), value)
		// A flag that was set before must go when the value is written again without it.
		e.AddField("flags_"+v.Quantity.String(), lineprotocol.IntValue(int64(v.Flags)))
	}
	e.AddField("received", lineprotocol.IntValue(r.Received.UnixMilli()))
	e.AddField("time_source", lineprotocol.IntValue(int64(r.TimeSource)))
	e.EndLine(r.Time)
}

// WriteGrid stores grid rows. A row that InfluxDB will never take is an error: rows are made here, and
// none can be wrong by itself.
func (s *Store) WriteGrid(ctx context.Context, rows []aggregate.Row) error {
	for len(rows) > 0 {
		n := min(len(rows), batchLines)
		var e lineprotocol.Encoder
		e.SetPrecision(lineprotocol.Second)
		e.SetLax(true)
		for i := range rows[:n] {
			encodeRow(&e, &rows[i])
		}
		err := e.Err()
		if err == nil {
			err = s.post(ctx, e.Bytes())
		}
		if err != nil {
			return fmt.Errorf("store %d grid rows: %w", len(rows), err)
		}
		rows = rows[n:]
	}
	return nil
}

func encodeRow(e *lineprotocol.Encoder, r *aggregate.Row) {
	quantity := wire.Quantity(r.Quantity).String()
	e.StartLine("grid")
	e.AddTag("cell", r.Cell.String())
	e.AddTag("quantity", quantity)
	e.AddTag("window", r.Window.String())
	float := func(name string, v float64) {
		if value, ok := lineprotocol.FloatValue(v); ok {
			e.AddField(name, value)
		}
	}
	whole := func(name string, v int) { e.AddField(name, lineprotocol.IntValue(int64(v))) }
	float("mean", float64(r.Mean)/1000)
	float("median", float64(r.Median)/1000)
	float("min", float64(r.Min)/1000)
	float("max", float64(r.Max)/1000)
	float("coverage", float64(r.Coverage)/1000)
	whole("stations", r.Stations)
	whole("readings", r.Readings)
	whole("revision", r.Revision)
	float("raw_mean", float64(r.Raw)/1000)
	whole("uncorrected", r.Uncorrected)
	float("spread", float64(r.Spread)/1000)
	if class, ok := airindex.EAQI(quantity, float64(r.Mean)/1000); ok {
		whole("eaqi", int(class))
	}
	center := r.Cell.Center()
	float("lon", center.Lon())
	float("lat", center.Lat())
	e.EndLine(r.Start)
}

// post sends lines, and again a few times while InfluxDB is busy or away.
func (s *Store) post(ctx context.Context, lines []byte) error {
	if s.isClosed() {
		return errClosed
	}
	body := string(lines)
	wait := retryFirst
	for attempt := 1; ; attempt++ {
		err := s.prepare(ctx)
		if err == nil {
			err = s.understand(s.writer.WriteRecord(ctx, body))
		}
		var answer *answerError
		if errors.As(err, &answer) && answer.status == http.StatusNotFound {
			s.prepared.Store(false) // the next write looks for the database, and makes it
		}
		if err == nil || !passing(err) || attempt == attempts || ctx.Err() != nil {
			return err
		}
		if answer != nil && answer.retryIn > 0 {
			wait = answer.retryIn
		}
		if s.sleep(ctx, wait) != nil {
			return err
		}
		wait = min(2*wait, retryMost)
	}
}

// understand makes an answerError of the client's error.
func (s *Store) understand(err error) error {
	var answer *influxhttp.Error
	if !errors.As(err, &answer) {
		return err
	}
	if answer.StatusCode == 0 {
		return fmt.Errorf("InfluxDB at %s: %w", s.options.URL, err)
	}
	words := answer.Message
	if words == "" {
		words = answer.Error()
	}
	return &answerError{
		url: s.options.URL, bucket: s.options.Bucket, status: answer.StatusCode, words: words,
		retryIn: time.Duration(answer.RetryAfter) * time.Second,
	}
}
