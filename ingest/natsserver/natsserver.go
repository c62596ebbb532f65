// Package natsserver runs NATS with JetStream inside this process, for the journal and for the state that processes share
// when no cluster is configured.
//
// It opens no port: clients in the same process connect through InProcess. It says when nothing more can be kept, because
// the disk is nearly full or a write failed. The package knows no stream.
package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// MaxPayload bounds a message with its headers, in bytes.
	MaxPayload = 256 << 10
	// DefaultReserve is the free space that the disk must keep, in bytes.
	DefaultReserve = 256 << 20

	readyTimeout = 30 * time.Second
	watchEvery   = time.Second
)

// Options configure a server.
type Options struct {
	Dir      string // data folder; made when missing
	Sync     string // "always" (or empty): fsync before each acknowledgement; else an interval such as "2s"
	MaxStore int64  // bytes that all streams may take on disk; 0 = what NATS finds sensible
	Reserve  uint64 // bytes that must stay free on Dir's file system; 0 = DefaultReserve
	Log      *slog.Logger

	freeBytes  func(dir string) (uint64, error) // tests only
	watchEvery time.Duration                    // tests only
}

// Server is a running server. The caller of Start closes it.
type Server struct {
	options Options
	server  *server.Server
	broken  atomic.Pointer[string] // NATS's words on a failed write; such a stream takes nothing more until a restart
	full    atomic.Pointer[error]  // why nothing more can be kept
	fatal   chan error
	failed  chan error
	stop    chan struct{}
	ended   sync.WaitGroup
	close   func()
}

// Start starts the server and returns when it answers.
func Start(o Options) (*Server, error) {
	if o.Reserve == 0 {
		o.Reserve = DefaultReserve
	}
	if o.freeBytes == nil {
		o.freeBytes = freeBytes
	}
	if o.watchEvery == 0 {
		o.watchEvery = watchEvery
	}
	s := &Server{options: o, fatal: make(chan error, 1), failed: make(chan error, 1), stop: make(chan struct{})}
	s.close = sync.OnceFunc(s.shutdown)
	options, err := s.serverOptions()
	if err != nil {
		return nil, err
	}
	if s.server, err = server.NewServer(options); err != nil {
		return nil, fmt.Errorf("configure the embedded NATS server: %w", err)
	}
	s.server.SetLoggerV2(&logger{s, o.Log}, false, false, false)
	if err := s.start(); err != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
		return nil, fmt.Errorf("start the embedded NATS server: %w", err)
	}
	s.look()
	s.ended.Go(s.watch)
	return s, nil
}

func (s *Server) serverOptions() (*server.Options, error) {
	o := s.options
	if err := writable(o.Dir); err != nil {
		return nil, err
	}
	options := &server.Options{
		ServerName: "stadtluft", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxStore: o.MaxStore, MaxPayload: MaxPayload,
	}
	if o.Sync == "" || o.Sync == "always" {
		options.SyncAlways = true
		return options, nil
	}
	every, err := time.ParseDuration(o.Sync)
	if err != nil || every <= 0 {
		return nil, fmt.Errorf(`sync %q is neither "always" nor an interval such as "2s"`, o.Sync)
	}
	options.SyncInterval = every
	return options, nil
}

// start waits for the server or for the first thing it cannot live with.
func (s *Server) start() error {
	ready := make(chan bool, 1)
	go func() {
		s.server.Start()
		ready <- s.server.ReadyForConnections(readyTimeout)
	}()
	select {
	case err := <-s.fatal:
		return err
	case ok := <-ready:
		if ok && s.server.JetStreamEnabled() {
			return nil
		}
	}
	select {
	case err := <-s.fatal:
		return err
	default:
		return fmt.Errorf("not ready after %v", readyTimeout)
	}
}

// Close closes every connection and the server, and returns when everything has ended and the streams are on disk.
func (s *Server) Close() { s.close() }

func (s *Server) shutdown() {
	close(s.stop)
	s.ended.Wait()
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// InProcess returns the argument for nats.InProcessServer of nats.go: connections with access to everything.
func (s *Server) InProcess() interface{ InProcessConn() (net.Conn, error) } { return s.server }

// writable makes dir and says clearly when it cannot be used.
func writable(dir string) error {
	if dir == "" {
		return errors.New("embedded NATS server: no data folder given")
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		trial := filepath.Join(dir, ".writable")
		if err = os.WriteFile(trial, nil, 0o600); err == nil {
			err = os.Remove(trial)
		}
	}
	if err != nil {
		return fmt.Errorf("data folder %s: %w: let the user that runs stadtluft write there, or set data", dir, err)
	}
	return nil
}
