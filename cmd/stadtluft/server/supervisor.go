package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest/admin"
)

// stopTime bounds how long one part may take to end; after that the parts below it are stopped anyway.
const stopTime = 15 * time.Second

// part is something that runs while the server runs, with functions that report its state. A function is nil when there
// is nothing to report.
type part struct {
	name     string
	run      func(ctx context.Context) error // returns after ctx has ended
	problems func(ctx context.Context, add addProblem)
	measure  func(ctx context.Context, c metrics.Collection)
	status   func(ctx context.Context, s *admin.Status) error // sets the administrator's status of the part
}

// addProblem adds a part's problem, and what to do about it; a nil error adds nothing.
type addProblem func(part string, err error, do string)

// closing returns a part that is only closed, after everything above it has ended.
func closing(name string, closer func() error) part {
	return part{name: name, run: func(ctx context.Context) error {
		<-ctx.Done()
		return closer()
	}}
}

// supervisor runs parts that depend on each other. It starts them one by one from the bottom up, and stops them from the
// top down, each after all parts above it have ended: whatever runs can still use what it needs.
type supervisor struct {
	log     *slog.Logger
	running []running
	process *supervisor // runs the parts of a city; nil for the process's own
	city    string
	parts   []part // of the city; of the process those that are of none

	once   sync.Once
	failed chan error
}

type running struct {
	part
	cancel context.CancelFunc
	done   chan struct{}
}

func newSupervisor(log *slog.Logger) *supervisor {
	return &supervisor{log: log, failed: make(chan error, 1)}
}

// of returns the supervisor of a city's parts, which run among those of the process: below what is started later. Without an
// id it is s itself.
func (s *supervisor) of(city string) *supervisor {
	if city == "" {
		return s
	}
	return &supervisor{log: s.log.With("city", city), process: s, city: city}
}

// start runs parts until they are stopped. A part that ends by itself stops the supervisor.
func (s *supervisor) start(parts ...part) {
	s.parts = append(s.parts, parts...)
	if s.process == nil {
		s.launch(parts...)
		return
	}
	for _, p := range parts {
		s.process.launch(p.of(s.city))
	}
}

// of returns a part of a city as one of the process: its name and its problems name the city. The city itself measures it.
func (p part) of(city string) part {
	named := part{name: city + ": " + p.name, run: p.run}
	if p.problems != nil {
		named.problems = func(ctx context.Context, add addProblem) {
			p.problems(ctx, func(part string, err error, do string) { add(city+": "+part, err, do) })
		}
	}
	return named
}

func (s *supervisor) launch(parts ...part) {
	for _, p := range parts {
		ctx, cancel := context.WithCancel(context.Background())
		r := running{part: p, cancel: cancel, done: make(chan struct{})}
		s.running = append(s.running, r)
		go func() {
			defer close(r.done)
			s.run(ctx, r.part)
		}()
	}
}

func (s *supervisor) run(ctx context.Context, p part) {
	err := p.run(ctx)
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		s.fail(fmt.Errorf("%s: %w", p.name, err))
	case ctx.Err() == nil:
		s.fail(fmt.Errorf("%s ended by itself", p.name))
	}
}

func (s *supervisor) fail(err error) {
	s.once.Do(func() { s.failed <- err })
}

// await returns when a started part is ready for those above it, with ctx's error, or with that of a part that failed.
func (s *supervisor) await(ctx context.Context, ready <-chan struct{}) error {
	if s.process != nil {
		return s.process.await(ctx, ready)
	}
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.failed:
		return err
	}
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

// health returns the running parts: of a city its own, after those of the process that are of no city.
func (s *supervisor) health() health {
	if s.process != nil {
		return slices.Concat(health(s.process.parts), health(s.parts))
	}
	list := make(health, len(s.running))
	for i, r := range s.running {
		list[i] = r.part
	}
	return list
}

// stop stops the parts from the last started to the first.
func (s *supervisor) stop() {
	for i := len(s.running) - 1; i >= 0; i-- {
		r := s.running[i]
		r.cancel()
		select {
		case <-r.done:
			s.log.Debug("stopped", "part", r.name)
		case <-time.After(stopTime):
			s.log.Error("part does not stop, continuing shutdown", "part", r.name, "after", stopTime)
		}
	}
}
