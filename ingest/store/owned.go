package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// ErrForeign is the error for a store that another installation uses: both would write over each other's readings.
var ErrForeign = errors.New("an installation needs a store of its own, or the registry that belongs to this one")

// Owned is a store of one installation. An empty store, or one of a version that did not mark them, becomes that installation's once. Of one that is
// another's nothing is read and nothing is written: the error is ErrForeign and names both.
type Owned struct {
	Store
	Installation string

	ours atomic.Bool // as last known
}

var _ Store = (*Owned)(nil)

// look asks whose the store is, and adopts it when it is nobody's.
func (o *Owned) look(ctx context.Context) error {
	there, err := o.Store.Deployment(ctx)
	if err == nil && there == "" {
		if err = o.Store.Adopt(ctx, o.Installation); err == nil {
			there, err = o.Store.Deployment(ctx) // two may have tried at once
		}
	}
	if err == nil && there != o.Installation {
		err = fmt.Errorf("the store belongs to installation %s, not to %s: %w", there, o.Installation, ErrForeign)
	}
	if err == nil || errors.Is(err, ErrForeign) {
		o.ours.Store(err == nil)
	}
	return err
}

func (o *Owned) check(ctx context.Context) error {
	if o.ours.Load() {
		return nil
	}
	return o.look(ctx)
}

// Ping also asks whose the store is, which may have changed.
func (o *Owned) Ping(ctx context.Context) error {
	if err := o.Store.Ping(ctx); err != nil {
		return err
	}
	return o.look(ctx)
}

func (o *Owned) WriteReadings(ctx context.Context, readings []ingest.Reading) ([]Rejected, error) {
	if err := o.check(ctx); err != nil {
		return nil, err
	}
	return o.Store.WriteReadings(ctx, readings)
}

func (o *Owned) Position(ctx context.Context) (ingest.Position, error) {
	if err := o.check(ctx); err != nil {
		return ingest.Position{}, err
	}
	return o.Store.Position(ctx)
}

func (o *Owned) Advance(ctx context.Context, readings []ingest.Reading, from, to ingest.Position, keep func([]Rejected) error) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	return o.Store.Advance(ctx, readings, from, to, keep)
}

func (o *Owned) WriteGrid(ctx context.Context, rows []aggregate.Row) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	return o.Store.WriteGrid(ctx, rows)
}

func (o *Owned) Readings(ctx context.Context, q ReadingQuery, yield func(ingest.Reading) error) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	return o.Store.Readings(ctx, q, yield)
}

func (o *Owned) Grid(ctx context.Context, q GridQuery, yield func(aggregate.Row) error) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	return o.Store.Grid(ctx, q, yield)
}

func (o *Owned) Forget(ctx context.Context, from, to time.Time) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	return o.Store.Forget(ctx, from, to)
}

func (o *Owned) DeleteReadings(ctx context.Context, station string) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	return o.Store.DeleteReadings(ctx, station)
}
