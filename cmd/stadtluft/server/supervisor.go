package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// stopTime bounds how long one part may take to end; then those below it are stopped all the same.
const stopTime = 15 * time.Second

// supervisor runs parts that stand on each other. They are started one by one from the bottom up, and
// stopped from the top down, each only after what stands on it has ended: whatever is under way can
// still use what it needs.
type supervisor struct {
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

func newSupervisor(log *slog.Logger) *supervisor {
	return &supervisor{log: log, failed: make(chan error, 1)}
}

// start runs a part until it is stopped. A part that ends by itself stops the supervisor.
func (s *supervisor) start(name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	s.parts = append(s.parts, p)
	go func() {
		defer close(p.done)
		err := run(ctx)
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			s.fail(fmt.Errorf("%s: %w", name, err))
		case ctx.Err() == nil:
			s.fail(fmt.Errorf("%s ended by itself", name))
		}
	}()
}

// closing adds something that has only to be closed when everything above has ended.
func (s *supervisor) closing(name string, closer func() error) {
	s.start(name, func(ctx context.Context) error {
		<-ctx.Done()
		return closer()
	})
}

func (s *supervisor) fail(err error) {
	s.once.Do(func() { s.failed <- err })
}

// wait returns when ctx ends (nil) or a part fails (its error).
func (s *supervisor) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// stop ends the parts from the last started to the first.
func (s *supervisor) stop() {
	for i := len(s.parts) - 1; i >= 0; i-- {
		p := s.parts[i]
		p.cancel()
		select {
		case <-p.done:
			s.log.Debug("stopped", "part", p.name)
		case <-time.After(stopTime):
			s.log.Error("part does not stop, continuing shutdown", "part", p.name, "after", stopTime)
		}
	}
}
