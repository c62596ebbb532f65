package natsserver

import (
	"cmp"
	"errors"
	"fmt"
	"syscall"
	"time"
)

var errSwitchedOff = errors.New("JetStream has switched itself off: free disk space and restart")

// Problem returns why nothing more can be kept; nil when it can.
func (s *Server) Problem() error {
	if err := s.full.Load(); err != nil {
		return *err
	}
	return nil
}

// Failed returns a channel that receives one error when JetStream accepts nothing although there is space: only a
// restart helps.
func (s *Server) Failed() <-chan error { return s.failed }

// watch looks at the disk until the server stops.
func (s *Server) watch() {
	ticker := time.NewTicker(s.options.watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			s.look()
		}
	}
}

// look sets Problem, and reports to Failed when there is space again but JetStream needs a restart.
func (s *Server) look() {
	dead, space := s.dead(), s.diskSpace()
	full := cmp.Or(dead, space)
	var stored *error
	if full != nil {
		stored = &full
	}
	was := s.full.Swap(stored)
	switch {
	case full != nil && was == nil:
		s.options.Log.Error("accepting nothing more", "err", full)
	case full == nil && was != nil:
		s.options.Log.Info("accepting again")
	}
	if dead != nil && space == nil {
		select {
		case s.failed <- fmt.Errorf("%w; there is room again", dead):
		default: // said already
		}
	}
}

// dead says why JetStream takes nothing more until a restart.
func (s *Server) dead() error {
	if line := s.broken.Load(); line != nil {
		return fmt.Errorf("a write failed, free disk space and restart: %s", *line)
	}
	if !s.server.JetStreamEnabled() {
		return errSwitchedOff
	}
	return nil
}

// diskSpace says whether the disk keeps its reserve.
func (s *Server) diskSpace() error {
	free, err := s.options.freeBytes(s.options.Dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", s.options.Dir, err)
	}
	if free < s.options.Reserve {
		return fmt.Errorf("the disk of %s has %d MiB free, %d MiB are reserved: free some space", s.options.Dir, free>>20, s.options.Reserve>>20)
	}
	return nil
}

// freeBytes returns what an ordinary user may still write on dir's file system.
func freeBytes(dir string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
