package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// stopTime bounds how long one part may take to end; then its neighbours below are stopped all the same.
const stopTime = 15 * time.Second

// house runs parts that stand on each other. They are started one by one from the bottom up, and
// stopped from the top down, each only after what stands on it has ended: whatever is under way can
// still use what it needs.
type house struct {
	log   *slog.Logger
	parts []*part

	once   sync.Once
	failed chan error
}

type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

func newHouse(log *slog.Logger) *house {
	return &house{log: log, failed: make(chan error, 1)}
}

// start runs a part until it is stopped. A part that ends by itself brings the house down.
func (h *house) start(name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	h.parts = append(h.parts, p)
	go func() {
		defer close(p.done)
		err := run(ctx)
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			h.fail(fmt.Errorf("%s: %w", name, err))
		case ctx.Err() == nil:
			h.fail(fmt.Errorf("%s ended by itself", name))
		}
	}()
}

// closing adds something that has only to be closed when everything above has ended.
func (h *house) closing(name string, closer func() error) {
	h.start(name, func(ctx context.Context) error {
		<-ctx.Done()
		return closer()
	})
}

func (h *house) fail(err error) {
	h.once.Do(func() { h.failed <- err })
}

// wait returns when ctx ends (nil) or a part fails (its error).
func (h *house) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-h.failed:
		return err
	}
}

// stop ends the parts from the last started to the first.
func (h *house) stop() {
	for i := len(h.parts) - 1; i >= 0; i-- {
		p := h.parts[i]
		p.cancel()
		select {
		case <-p.done:
			h.log.Debug("stopped", "part", p.name)
		case <-time.After(stopTime):
			h.log.Error("does not stop, going on without it", "part", p.name, "after", stopTime)
		}
	}
}
