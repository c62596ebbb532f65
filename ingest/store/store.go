// Package store defines the contract for stores of readings and grid rows. Its packages implement it: sqlite is the
// embedded default, influx is a client of InfluxDB 1.8, 2 and compatible servers. storetest is the suite that both
// pass.
package store

import (
	"context"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// Store stores readings and grid rows.
//
// Writing is idempotent: station and second identify a reading; cell, window, quantity and start a grid row. Writing
// the same again changes nothing; writing a reading with the same key and other quantities adds them; a value written
// again with the same key replaces the stored one (what comes from the journal has no conflicts: the checks, and
// where several processes append, journal.Shared, keep the first).
//
// A nil error means that everything is durable except what was returned as rejected. An error means that the caller
// must write the whole batch again: a Store retries nothing by itself beyond one call and loses nothing silently.
// Methods are safe for concurrent use.
type Store interface {
	// WriteReadings stores readings. It returns the values that the store rejects for their content while it accepts
	// others; the caller keeps those. Everything else that prevents storing a value is an error.
	WriteReadings(ctx context.Context, readings []ingest.Reading) ([]Rejected, error)
	// Position returns the journal entry up to which everything is stored; the zero value when the store knows none.
	Position(ctx context.Context) (ingest.Position, error)
	// Advance stores readings as WriteReadings does, passes what is rejected to keep, and then moves the position to
	// another entry, in one transaction where the store has them. An error of keep is returned, and the position stays.
	// The error is ingest.ErrPosition, and nothing is stored, when the position is not from.
	Advance(ctx context.Context, readings []ingest.Reading, from, to ingest.Position, keep func([]Rejected) error) error
	// WriteGrid stores grid rows. A row without stations deletes the row with its key. The error is ErrRejected when
	// the store rejects these rows while it accepts others.
	WriteGrid(ctx context.Context, rows []aggregate.Row) error
	// Readings calls yield for each reading of q, ascending by time, then station. It streams: memory does not grow
	// with the period. An error from yield ends it and is returned.
	Readings(ctx context.Context, q ReadingQuery, yield func(ingest.Reading) error) error
	// Grid calls yield for each row of q, ascending by start, then quantity, then cell (size, north, east).
	Grid(ctx context.Context, q GridQuery, yield func(aggregate.Row) error) error
	// Forget deletes the readings with from <= time < to. Grid rows stay. Calling it again changes nothing.
	Forget(ctx context.Context, from, to time.Time) error
	// DeleteReadings deletes every reading of a station. Grid rows stay.
	DeleteReadings(ctx context.Context, station string) error
	// Deployment returns the id of the installation whose store it is; empty when it is nobody's yet.
	Deployment(ctx context.Context) (string, error)
	// Adopt marks the store as an installation's. See Owned.
	Adopt(ctx context.Context, deployment string) error
	// Ping returns nil if the store would accept a write and answer a read now, else what is wrong.
	Ping(ctx context.Context) error
	Close() error
}

// ReadingQuery selects readings with From <= time < To.
type ReadingQuery struct {
	From, To   time.Time
	Stations   []string            // empty = all
	Quantities []quantity.Quantity // empty = all; readings without any of them are skipped
}

// GridQuery selects grid rows with From <= start < To.
type GridQuery struct {
	From, To   time.Time
	Window     aggregate.Window
	Quantities []quantity.Quantity // empty = all
	Size       int32               // metres; 0 = every resolution stored
}
