package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// logger passes the server's log to slog, and notices a failed write.
type logger struct {
	s   *Server
	log *slog.Logger
}

// Errorf logs an error. NATS reports a failed write nowhere else; the tests of this package hold the words against the
// version in go.mod.
func (l *logger) Errorf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	if strings.Contains(line, "ritical write error") {
		l.s.broken.Store(&line)
	}
	l.log.Error("embedded NATS server", "nats", line)
}

// Noticef logs life events of the server at debug level; there are others of our own.
func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug("embedded NATS server", "nats", fmt.Sprintf(format, v...))
}

// Warnf logs what an operator should look at.
func (l *logger) Warnf(format string, v ...any) {
	l.log.Warn("embedded NATS server", "nats", fmt.Sprintf(format, v...))
}

// Fatalf ends a start; NATS itself goes on.
func (l *logger) Fatalf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	l.log.Error("embedded NATS server", "nats", line)
	select {
	case l.s.fatal <- errors.New(line):
	default:
	}
}

// Debugf is never asked for.
func (l *logger) Debugf(string, ...any) {}

// Tracef is never asked for.
func (l *logger) Tracef(string, ...any) {}
