package storetest

import (
	"context"
	"slices"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Memory is a store in memory for tests of packages that read from one. It yields what it holds, which must be in the
// order of a store, and then fails if Fail is set. Its other methods panic.
type Memory struct {
	store.Store
	Held []ingest.Reading
	Rows []aggregate.Row
	Fail error
}

// Readings yields the readings of q.
func (m *Memory) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	for _, r := range m.Held {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.Time.Before(q.From) || !r.Time.Before(q.To) || !among(q.Stations, r.Station) {
			continue
		}
		r.Values = slices.DeleteFunc(slices.Clone(r.Values), func(v ingest.Value) bool { return !among(q.Quantities, v.Quantity) })
		if len(r.Values) == 0 {
			continue
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return m.Fail
}

// Grid yields the rows of q.
func (m *Memory) Grid(_ context.Context, q store.GridQuery, yield func(aggregate.Row) error) error {
	for _, r := range m.Rows {
		if r.Start.Before(q.From) || !r.Start.Before(q.To) || r.Window != q.Window || q.Size != 0 && r.Cell.Size != q.Size || !among(q.Quantities, r.Quantity) {
			continue
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return m.Fail
}

// among reports whether one is chosen; an empty choice means all.
func among[T comparable](chosen []T, one T) bool {
	return len(chosen) == 0 || slices.Contains(chosen, one)
}
