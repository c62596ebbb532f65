// Package influx keeps readings and grid rows in InfluxDB: 1.8, 2.x, and what speaks the same two
// interfaces, /api/v2/write and InfluxQL over /query.
//
// It writes through the client's blocking interface with batches of its own, because the asynchronous
// one loses batches silently. An answer that blames the data costs only the point at fault; an answer
// that blames the set-up or the moment is an error, and the caller writes again.
//
// Measurement reading has the tag station, a float field a quantity, an integer field flags_{quantity}
// where a flag is or was set, received (Unix milliseconds) and time_source. Measurement grid has the
// tags cell, window and quantity and the columns of the grid's CSV as fields.
package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/influxdata/influxdb-client-go/v2/log"

	"stadtluft/ingest/store"
)

const (
	requestSeconds = 30
	maxErrorBody   = 4096
	retryFirst     = 250 * time.Millisecond
	retryMost      = 5 * time.Second
	attempts       = 4 // of one request, when InfluxDB is busy or away for a moment
)

// Options say where InfluxDB is.
type Options struct {
	URL    string
	Token  string // 2.x: an API token; 1.8: "user:password", or empty
	Org    string // 2.x
	Bucket string // 2.x: the bucket; 1.8: the database
}

// Store is a connection to InfluxDB. It implements store.Store.
type Store struct {
	options Options
	client  influxdb2.Client
	writer  api.WriteAPIBlocking
	http    *http.Client
	closed  chan struct{}

	prepared atomic.Bool

	sleep func(context.Context, time.Duration) error // tests shorten it
}

var _ store.Store = (*Store)(nil)

// Open connects and makes the database of an InfluxDB 1.8 when it is missing. An InfluxDB that is away or
// busy is no error: it is prepared before the first write that reaches it. A wrong token or a missing
// bucket is one.
func Open(ctx context.Context, o Options) (*Store, error) {
	log.Log = nil // every error comes back to us; the client need not print it as well
	options := influxdb2.DefaultOptions().SetUseGZip(true).SetPrecision(time.Second).SetHTTPRequestTimeout(requestSeconds)
	s := &Store{
		options: o, client: influxdb2.NewClientWithOptions(o.URL, o.Token, options),
		http: &http.Client{}, closed: make(chan struct{}), sleep: sleep,
	}
	s.writer = s.client.WriteAPIBlocking(o.Org, o.Bucket)
	if err := s.prepare(ctx); err != nil && !passing(err) {
		s.client.Close()
		return nil, err
	}
	return s, nil
}

// prepare makes sure once that there is a database to write to.
func (s *Store) prepare(ctx context.Context) error {
	if s.prepared.Load() {
		return nil
	}
	err := s.createDatabase(ctx)
	if err == nil {
		err = s.Ping(ctx)
	}
	s.prepared.Store(err == nil)
	return err
}

// createDatabase makes the database on 1.8. InfluxDB 2 does not know the statement and says so; there
// the bucket is made by its operator, and Ping tells when it is missing.
func (s *Store) createDatabase(ctx context.Context) error {
	err := s.query(ctx, "CREATE DATABASE "+quoteName(s.options.Bucket), http.MethodPost, func(result) error { return nil })
	var answer *answerError
	if errors.As(err, &answer) && answer.status != http.StatusUnauthorized && answer.status < 500 {
		return nil
	}
	return err
}

// Ping reads a little, which needs everything that writing and reading need but the right to write.
func (s *Store) Ping(ctx context.Context) error {
	if s.isClosed() {
		return errClosed
	}
	return s.query(ctx, "SHOW MEASUREMENTS LIMIT 1", http.MethodGet, func(result) error { return nil })
}

var errClosed = errors.New("InfluxDB: the store is closed")

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close ends the connection.
func (s *Store) Close() error {
	if s.isClosed() {
		return nil
	}
	close(s.closed)
	s.client.Close()
	s.http.CloseIdleConnections()
	return nil
}

// answerError is an answer of InfluxDB's that is no success, in its own words.
type answerError struct {
	url     string
	bucket  string
	status  int
	words   string
	retryIn time.Duration
}

func (e *answerError) Error() string {
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("InfluxDB at %s does not accept the token: check store.influxdb.token (%s)", e.url, e.words)
	case http.StatusNotFound:
		return fmt.Sprintf("InfluxDB at %s has no bucket %q: check store.influxdb.bucket and .org (%s)", e.url, e.bucket, e.words)
	}
	return fmt.Sprintf("InfluxDB at %s answers %d: %s", e.url, e.status, e.words)
}

// blamesData reports whether the answer is about what was written and not about the set-up.
func (e *answerError) blamesData() bool {
	return e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity || e.status == http.StatusRequestEntityTooLarge
}

// passing reports whether trying again may help by itself.
func passing(err error) bool {
	var answer *answerError
	if errors.As(err, &answer) {
		return answer.status == http.StatusTooManyRequests || answer.status >= 500
	}
	return !errors.Is(err, errClosed)
}

// request is a query over /query.
func (s *Store) request(ctx context.Context, query, method string) (*http.Response, error) {
	values := url.Values{"q": {query}, "db": {s.options.Bucket}, "epoch": {"ms"}, "chunked": {"true"}, "chunk_size": {"5000"}}
	request, err := http.NewRequestWithContext(ctx, method, s.address("/query", values), nil)
	if err != nil {
		return nil, fmt.Errorf("InfluxDB: %w", err)
	}
	return s.do(request)
}

func (s *Store) address(path string, values url.Values) string {
	return strings.TrimSuffix(s.options.URL, "/") + path + "?" + values.Encode()
}

// do sends a request. An answer without success is an error.
func (s *Store) do(request *http.Request) (*http.Response, error) {
	if s.options.Token != "" {
		request.Header.Set("Authorization", "Token "+s.options.Token)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("InfluxDB: %w", err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, s.answer(response)
}

func (s *Store) answer(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	var words struct{ Error, Message string }
	_ = json.Unmarshal(body, &words) // what is no JSON is shown as it is
	e := &answerError{url: s.options.URL, bucket: s.options.Bucket, status: response.StatusCode, words: strings.TrimSpace(words.Error + words.Message)}
	if e.words == "" {
		e.words = strings.TrimSpace(string(body))
	}
	return e
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
