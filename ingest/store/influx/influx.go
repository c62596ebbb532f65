// Package influx stores readings and grid rows in InfluxDB: 1.8, 2.x, and servers with the same two interfaces,
// /api/v2/write and InfluxQL over /query.
//
// It writes through the client's blocking interface with batches of its own, because the asynchronous one loses
// batches silently. A response that blames the data rejects only the point at fault; any other failure is an error,
// and the caller writes again.
//
// Measurement reading has the tag station, a float field for each quantity, an integer field flags_{quantity} where a
// flag is or was set, received (Unix milliseconds) and time_source. Measurement journal says up to which journal entry
// all readings are stored. Measurement grid has the tags cell, window and
// quantity and the columns of the grid's CSV as fields.
package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"stadtluft/ingest/store"
)

const (
	requestTime = 30 * time.Second
	retryFirst  = 250 * time.Millisecond
	retryMost   = 5 * time.Second
	attempts    = 4 // of one request, while InfluxDB is busy or does not answer
)

// Options configure the connection.
type Options struct {
	URL    string
	Token  string // 2.x: an API token; 1.8: "user:password", or empty
	Org    string // 2.x
	Bucket string // 2.x: the bucket; 1.8: the database
}

// Store is a connection to InfluxDB. It implements store.Store.
type Store struct {
	options Options
	http    *http.Client
	closed  chan struct{}
	local   bool // InfluxDB is on this machine, where packing costs both more than it saves

	prepared   atomic.Bool            // the database existed and was usable once
	deployment atomic.Pointer[string] // whose it is, as last known; nil when it is not

	sleep func(context.Context, time.Duration) error // replaced by tests
}

var _ store.Store = (*Store)(nil)

// Open connects and creates the database of an InfluxDB 1.8 if it is missing. An InfluxDB that does not answer, is
// busy, or is behind a proxy that answers for it is not an error: readings can wait, and Ping says what is wrong.
// When InfluxDB itself refuses the token, the organisation or the bucket, the error names the setting.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{options: o, http: &http.Client{}, closed: make(chan struct{}), sleep: sleep, local: onThisMachine(o.URL)}
	if err := s.prepare(ctx); err != nil && !retryable(err) {
		return nil, err
	}
	return s, nil
}

// onThisMachine reports whether an address is one of the loopback interface.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// prepare creates the database and checks that it is usable, until that has succeeded once.
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

// createDatabase creates the database on 1.8. InfluxDB 2 does not know the statement and returns an error; there an
// operator creates buckets.
func (s *Store) createDatabase(ctx context.Context) error {
	err := s.query(ctx, "CREATE DATABASE "+quoteName(s.options.Bucket), http.MethodPost, func(result) error { return nil })
	var answer *answerError
	if errors.As(err, &answer) && answer.own && answer.status != http.StatusUnauthorized && answer.status < 500 {
		return nil
	}
	return err
}

// Ping reports whether InfluxDB would accept a write into the bucket and answer a read of it: an empty write is
// checked like any other.
func (s *Store) Ping(ctx context.Context) error {
	if s.isClosed() {
		return errClosed
	}
	if err := s.send(ctx, nil); err != nil {
		return err
	}
	// For a token that may not read, InfluxDB 2 says that the database is unknown, and only for queries that read
	// points.
	return s.query(ctx, `SELECT "received" FROM "reading" WHERE time > now() - 1m LIMIT 1`, http.MethodGet, func(result) error { return nil })
}

// Retention returns how long the bucket keeps points; 0 means for ever, or that the token may not read it.
func (s *Store) Retention(ctx context.Context) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address("/api/v2/buckets", url.Values{"org": {s.options.Org}, "name": {s.options.Bucket}}), nil)
	if err != nil {
		return 0, fmt.Errorf("InfluxDB: %w", err)
	}
	response, err := s.do(request)
	var answer *answerError
	if errors.As(err, &answer) && answer.status == http.StatusNotFound { // 1.8
		return s.retentionPolicy(ctx)
	}
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var list struct {
		Buckets []struct {
			RetentionRules []struct{ EverySeconds int64 }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return 0, fmt.Errorf("InfluxDB: retention of the bucket: %w", err)
	}
	for _, bucket := range list.Buckets {
		for _, rule := range bucket.RetentionRules {
			return time.Duration(rule.EverySeconds) * time.Second, nil
		}
	}
	return 0, nil
}

// retentionPolicy returns how long the default retention policy of a 1.8 database keeps points.
func (s *Store) retentionPolicy(ctx context.Context) (time.Duration, error) {
	var keep time.Duration
	err := s.query(ctx, "SHOW RETENTION POLICIES ON "+quoteName(s.options.Bucket), http.MethodGet, func(r result) error {
		duration, standard := slices.Index(r.columns, "duration"), slices.Index(r.columns, "default")
		if duration < 0 || standard < 0 {
			return fmt.Errorf("InfluxDB: retention policies have the columns %v", r.columns)
		}
		return r.each(func(row []cell) (err error) {
			if len(row) != len(r.columns) || string(row[standard]) != "true" {
				return nil
			}
			if keep, err = time.ParseDuration(row[duration].text()); err != nil {
				return fmt.Errorf("InfluxDB: retention %s: %w", row[duration], err)
			}
			return nil
		})
	})
	return keep, err
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
	s.http.CloseIdleConnections()
	return nil
}

// request sends a query to /query.
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

// shownURL returns the address without a password in it, for messages.
func (s *Store) shownURL() string {
	u, err := url.Parse(s.options.URL)
	if err != nil {
		return s.options.URL
	}
	return u.Redacted()
}

// do sends a request and returns the response when its status is 200 or 204, those of InfluxDB; the caller closes it.
func (s *Store) do(request *http.Request) (*http.Response, error) {
	if s.options.Token != "" {
		request.Header.Set("Authorization", "Token "+s.options.Token)
	}
	response, err := s.http.Do(request)
	if err != nil {
		var failed *url.Error // repeats the whole query
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("InfluxDB at %s: %w", request.URL.Host, err)
	}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent {
		return response, nil
	}
	defer response.Body.Close()
	return nil, s.answer(response)
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
