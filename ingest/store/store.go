// Package store says what a place that keeps readings must do. Its packages do it: sqlite is the
// embedded default, influx speaks to InfluxDB 1.8, 2 and what is compatible. storetest holds the one
// suite that both pass.
package store

import (
	"context"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// Store keeps readings and grid rows.
//
// Writing is idempotent: a reading is known by station and second, a grid row by cell, window,
// quantity and start. Writing the same again changes nothing; writing a reading with the same key and
// other quantities adds them; a value written again with the same key replaces the old one (keeping
// the first of two conflicting readings is the checks' work, before the journal).
//
// A nil error means that everything is durable but what was returned as rejected. An error means that
// the caller must write the whole batch again: a Store retries nothing by itself beyond one call and
// loses nothing silently. Methods are safe for concurrent use.
type Store interface {
	// WriteReadings stores readings. It returns the values that the store rejects for what they hold while
	// it takes others; the caller keeps those. Whatever else keeps a value from being stored is an error.
	WriteReadings(ctx context.Context, readings []ingest.Reading) ([]Rejected, error)
	// WriteGrid stores grid rows. A row without stations takes the row with its key away. The error is
	// ErrRejected when the store rejects these rows while it takes others.
	WriteGrid(ctx context.Context, rows []aggregate.Row) error
	// Readings calls yield for each reading of q, ascending by time, then station. It streams: memory
	// does not grow with the period. An error from yield ends it and is returned.
	Readings(ctx context.Context, q ReadingQuery, yield func(ingest.Reading) error) error
	// Grid calls yield for each row of q, ascending by start, then quantity, then cell (size, north, east).
	Grid(ctx context.Context, q GridQuery, yield func(aggregate.Row) error) error
	// Forget takes the readings with from <= time < to away for good. Grid rows stay. Doing it again changes nothing.
	Forget(ctx context.Context, from, to time.Time) error
	// DeleteReadings takes every reading of a station away, for good. Grid rows stay as they are.
	DeleteReadings(ctx context.Context, station string) error
	// Ping reports whether the store would take a write and answer a read now, and says what is wrong if not.
	Ping(ctx context.Context) error
	Close() error
}

// ReadingQuery selects readings with From <= time < To.
type ReadingQuery struct {
	From, To   time.Time
	Stations   []string            // empty = all
	Quantities []quantity.Quantity // empty = all; readings without one of them are left out
}

// GridQuery selects grid rows with From <= start < To.
type GridQuery struct {
	From, To   time.Time
	Window     aggregate.Window
	Quantities []quantity.Quantity // empty = all
	Size       int32               // metres; 0 = every resolution stored
}
