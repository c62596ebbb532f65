package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	process *supervisor // the process's, of one that has a city's parts; else nil
	city    string      // whose parts it has, where there are several
	running []running

	once    sync.Once
	failed  chan struct{} // closed when a part has failed
	failure error         // of that part; set before failed is closed
}

type running struct {
	part
	cancel context.CancelFunc
	done   chan struct{}
	city   *supervisor // whose parts are stopped when this one has ended; nil for none
}

func newSupervisor(log *slog.Logger) *supervisor {
	return &supervisor{log: log, failed: make(chan struct{})}
}

// of returns a supervisor of a city's parts, which stops them where its part stands among those of the process: see startCity.
func (s *supervisor) of(city string) *supervisor {
	log := s.log
	if city != "" {
		log = log.With("city", city)
	}
	return &supervisor{log: log, process: s, city: city}
}

// start runs parts until they are stopped. A part that ends by itself stops the process.
func (s *supervisor) start(parts ...part) {
	for _, p := range parts {
		s.launch(p, nil)
	}
}

// startCity runs the part that stands for a city, below what is started later. The city's parts are stopped after it has ended.
func (s *supervisor) startCity(p part, city *supervisor) { s.launch(p, city) }

func (s *supervisor) launch(p part, city *supervisor) {
	ctx, cancel := context.WithCancel(context.Background())
	r := running{part: p, cancel: cancel, done: make(chan struct{}), city: city}
	s.running = append(s.running, r)
	go func() {
		defer close(r.done)
		s.run(ctx, p)
	}()
}

func (s *supervisor) run(ctx context.Context, p part) {
	err := p.run(ctx)
	name := p.name
	if s.city != "" {
		name = s.city + ": " + name
	}
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		s.fail(fmt.Errorf("%s: %w", name, err))
	case ctx.Err() == nil:
		s.fail(fmt.Errorf("%s ended by itself", name))
	}
}

// all returns the supervisor of the process.
func (s *supervisor) all() *supervisor {
	if s.process != nil {
		return s.process
	}
	return s
}

func (s *supervisor) fail(err error) {
	all := s.all()
	all.once.Do(func() {
		all.failure = err
		close(all.failed)
	})
}

// await returns when a started part is ready for those above it, with ctx's error, or with that of a part that failed.
func (s *supervisor) await(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.all().failed:
		return s.all().failure
	}
}

// wait returns when ctx ends (nil) or a part fails (its error).
func (s *supervisor) wait(ctx context.Context) error {
	if err := s.await(ctx, nil); ctx.Err() == nil {
		return err
	}
	return nil
}

// health returns the running parts, without those of cities. Of a city it has the problems of the process's parts before its own.
func (s *supervisor) health() (list health) {
	if s.process != nil {
		for _, r := range s.process.running {
			list = append(list, part{name: r.name, problems: r.problems})
		}
	}
	return append(list, s.own()...)
}

// own returns the running parts, of a city without those of the process.
func (s *supervisor) own() (list health) {
	for _, r := range s.running {
		list = append(list, r.part)
	}
	return list
}

// stop stops the parts from the last started to the first. It may start others then.
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
		if r.city != nil {
			r.city.stop()
		}
	}
	s.running = nil
}
