package influx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/klauspost/compress/gzip"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// batchLines bounds the lines of one request, as InfluxData recommends.
const batchLines = 5000

// usualLine is the length of a line of five values, in bytes.
const usualLine = 320

// WriteReadings stores readings. It returns the values that InfluxDB itself rejects while it accepts a point that is
// known to be valid. Every other failure is an error.
func (s *Store) WriteReadings(ctx context.Context, readings []ingest.Reading) ([]store.Rejected, error) {
	w := batchWriter{Store: s}
	for batch := range slices.Chunk(readings, batchLines) {
		if err := w.write(ctx, batch); err != nil {
			return nil, fmt.Errorf("store %d readings: %w", len(readings), err)
		}
	}
	return w.rejected, nil
}

// batchWriter writes batches and finds the rejected values.
type batchWriter struct {
	*Store
	probed   bool // InfluxDB accepted a valid point since it first blamed one
	rejected []store.Rejected
}

// write stores a batch. It halves a batch that InfluxDB blames until one value is left, and one that is too large
// until it fits. InfluxDB 1.8 has then already stored the rest of a batch; writing it again changes nothing.
func (w *batchWriter) write(ctx context.Context, readings []ingest.Reading) error {
	lines := make([]byte, 0, len(readings)*usualLine)
	for i := range readings {
		lines = appendReading(lines, &readings[i])
	}
	err := w.post(ctx, lines)
	var answer *answerError
	switch {
	case !errors.As(err, &answer):
		return err
	case answer.status == http.StatusRequestEntityTooLarge && len(readings) > 1:
		return w.split(ctx, readings, err)
	case !answer.blamesPoints():
		return err
	}
	if err := w.probe(ctx); err != nil {
		return err
	}
	return w.split(ctx, readings, errors.New("InfluxDB: "+answer.words))
}

// split writes the parts of readings one by one: halves, then single values. It rejects a single value.
func (w *batchWriter) split(ctx context.Context, readings []ingest.Reading, cause error) error {
	r := readings[0]
	if len(readings) == 1 && len(r.Values) == 1 {
		w.rejected = append(w.rejected, store.Rejected{Reading: r, Detail: cause.Error()})
		return nil
	}
	parts := [][]ingest.Reading{readings[:len(readings)/2], readings[len(readings)/2:]}
	if len(readings) == 1 { // so that one bad value does not reject the others
		parts = nil
		for _, v := range r.Values {
			r.Values = []ingest.Value{v}
			parts = append(parts, []ingest.Reading{r})
		}
	}
	for _, part := range parts {
		if err := w.write(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// probeStation is the tag of points that test whether InfluxDB accepts any. It is not a valid station id.
const probeStation = "_probe"

// probe writes a point that is known to be valid, once: a server that refuses it as well does not judge points.
func (w *batchWriter) probe(ctx context.Context) error {
	if w.probed {
		return nil
	}
	now := time.Now().Truncate(time.Hour)
	line := appendReading(nil, &ingest.Reading{Station: probeStation, Time: now, Received: now})
	if err := w.post(ctx, line); err != nil {
		return fmt.Errorf("a point that is known to be good is refused as well: %w", err)
	}
	w.probed = true
	return nil
}

// WriteGrid stores grid rows. The error is store.ErrRejected when InfluxDB says that it rejects these rows, for
// example because they are older than what the bucket keeps.
func (s *Store) WriteGrid(ctx context.Context, rows []aggregate.Row) error {
	for batch := range slices.Chunk(rows, batchLines) {
		if err := s.writeRows(ctx, batch); err != nil {
			return fmt.Errorf("store %d grid rows: %w", len(rows), err)
		}
	}
	return nil
}

func (s *Store) writeRows(ctx context.Context, rows []aggregate.Row) error {
	var e lineprotocol.Encoder
	e.SetPrecision(lineprotocol.Second)
	e.SetLax(true)
	for i := range rows {
		encodeRow(&e, &rows[i])
	}
	if err := e.Err(); err != nil {
		return err
	}
	err := s.post(ctx, e.Bytes())
	var answer *answerError
	if errors.As(err, &answer) && answer.blamesPoints() {
		w := batchWriter{Store: s}
		if probeErr := w.probe(ctx); probeErr != nil {
			return probeErr
		}
		return fmt.Errorf("%w: %w", store.ErrRejected, err)
	}
	return err
}

func encodeRow(e *lineprotocol.Encoder, r *aggregate.Row) {
	e.StartLine("grid")
	e.AddTag("cell", r.Cell.String())
	e.AddTag("quantity", r.Quantity.String())
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
	if class, ok := airindex.EAQI(r.Quantity, float64(r.Mean)/1000); ok && r.Window != aggregate.Day { // days have no class
		whole("eaqi", int(class))
	}
	center := r.Cell.Center()
	float("lon", center.Lon())
	float("lat", center.Lat())
	e.EndLine(r.Start)
}

// post sends lines, and retries as retried does.
func (s *Store) post(ctx context.Context, lines []byte) error {
	return s.retried(ctx, func() error { return s.send(ctx, lines) })
}

// retried makes a request to a prepared database, and retries a few times while InfluxDB is busy or does not answer.
func (s *Store) retried(ctx context.Context, request func() error) error {
	if s.isClosed() {
		return errClosed
	}
	wait := retryFirst
	for attempt := 1; ; attempt++ {
		err := s.prepare(ctx)
		if err == nil {
			err = request()
		}
		s.forgetMissing(err)
		var answer *answerError
		errors.As(err, &answer)
		if err == nil || !retryable(err) || attempt == attempts || ctx.Err() != nil {
			return err
		}
		if answer != nil && answer.status == http.StatusRequestEntityTooLarge {
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

// send sends one write request. Only 204 means that lines are stored: a proxy may answer 200.
func (s *Store) send(ctx context.Context, lines []byte) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	values := url.Values{"org": {s.options.Org}, "bucket": {s.options.Bucket}, "precision": {"s"}}
	var zipped bytes.Buffer
	if !s.local {
		zip, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed) // no error: the level is valid
		if _, err := zip.Write(lines); err != nil {
			return err
		}
		if err := zip.Close(); err != nil {
			return err
		}
		lines = zipped.Bytes()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address("/api/v2/write", values), bytes.NewReader(lines))
	if err != nil {
		return fmt.Errorf("InfluxDB: %w", err)
	}
	if !s.local {
		request.Header.Set("Content-Encoding", "gzip")
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := s.do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		e := s.answer(response)
		e.own = false // InfluxDB would answer 204
		return e
	}
	return nil
}
