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
	attempts    = 4 // of one request, when InfluxDB is busy or away for a moment
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
	http    *http.Client
	closed  chan struct{}

	prepared atomic.Bool // the database is there and was usable once

	sleep func(context.Context, time.Duration) error // tests shorten it
}

var _ store.Store = (*Store)(nil)

// Open connects and makes the database of an InfluxDB 1.8 when it is missing. When InfluxDB is away, busy or behind a proxy
// that answers for it, that is no error: readings can wait, and Ping says what is wrong. What InfluxDB itself says of
// the token, the organisation or the bucket is an error that names the setting.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{options: o, http: &http.Client{}, closed: make(chan struct{}), sleep: sleep}
	if err := s.prepare(ctx); err != nil && !passing(err) {
		return nil, err
	}
	return s, nil
}

// prepare makes the database and looks whether it can be used, until that has worked once.
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
// buckets are made by hand.
func (s *Store) createDatabase(ctx context.Context) error {
	err := s.query(ctx, "CREATE DATABASE "+quoteName(s.options.Bucket), http.MethodPost, func(result) error { return nil })
	var answer *answerError
	if errors.As(err, &answer) && answer.own && answer.status != http.StatusUnauthorized && answer.status < 500 {
		return nil
	}
	return err
}

// Ping reports whether InfluxDB would take a write into the bucket and answer a read of it: an empty write is
// checked like any other.
func (s *Store) Ping(ctx context.Context) error {
	if s.isClosed() {
		return errClosed
	}
	if err := s.send(ctx, nil); err != nil {
		return err
	}
	// InfluxDB 2 answers a token that may not read with an unknown database, and that only where it would have to look at points.
	return s.query(ctx, `SELECT "received" FROM "reading" WHERE time > now() - 1m LIMIT 1`, http.MethodGet, func(result) error { return nil })
}

// Retention returns how long the bucket keeps points; 0 means for ever, or that the token may not see it.
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
		for _, row := range r.values {
			if row[standard] != true {
				continue
			}
			text, _ := row[duration].(string)
			var err error
			if keep, err = time.ParseDuration(text); err != nil {
				return fmt.Errorf("InfluxDB: retention %q: %w", text, err)
			}
		}
		return nil
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

// do sends a request and returns the answer when its status is 200 or 204, which are InfluxDB's; the caller closes it.
func (s *Store) do(request *http.Request) (*http.Response, error) {
	if s.options.Token != "" {
		request.Header.Set("Authorization", "Token "+s.options.Token)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("InfluxDB: %w", err)
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
