package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// Action is an action that the broker refused to a client.
type Action string

// The actions, each with its subject.
const (
	Publish   Action = "publish"   // the MQTT topic; the message had its PUBACK, as MQTT 3.1.1 has no other answer
	Subscribe Action = "subscribe" // the MQTT filter; the client was told 0x80
	TooLarge  Action = "too_large" // the size in bytes; the connection was closed
)

// Counts counts the broker's refusals since it started.
type Counts struct {
	Publish   uint64 // publishes outside the client's permission
	Subscribe uint64 // subscriptions outside the client's permission
	TooLarge  uint64 // messages above MaxPayload
	Refused   uint64 // log-ins refused, for whatever reason
}

type counters struct{ publish, subscribe, tooLarge, refused atomic.Uint64 }

// Counts returns the current counts.
func (b *Broker) Counts() Counts {
	return Counts{
		Publish: b.counts.publish.Load(), Subscribe: b.counts.subscribe.Load(),
		TooLarge: b.counts.tooLarge.Load(), Refused: b.counts.refused.Load(),
	}
}

// logger takes the server's log to slog. NATS has no hook for a refused publish, a refused
// subscription or a message that is too large: its log line is the only trace, so they are read from
// there. The lines are held by the tests of this package against the version in go.mod.
type logger struct {
	b   *Broker
	log *slog.Logger
}

var (
	connectionID = regexp.MustCompile(`\bmid:(\d+)\b`)
	publishLine  = regexp.MustCompile(`Publish Violation - Subject ("(?:[^"\\]|\\.)*")`)
	subLine      = regexp.MustCompile(`Subscription Violation - Subject ("(?:[^"\\]|\\.)*")`)
	largeLine    = regexp.MustCompile(`(?i)maximum payload exceeded: (\d+) vs`)
)

// Errorf looks for what a client was refused; that is the client's trouble and not the operator's.
func (l *logger) Errorf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	switch {
	case l.denied(line, publishLine, Publish, &l.b.counts.publish):
	case l.denied(line, subLine, Subscribe, &l.b.counts.subscribe):
	case l.denied(line, largeLine, TooLarge, &l.b.counts.tooLarge):
	case strings.Contains(line, "authentication error"):
		l.log.Debug("log-in refused", "nats", line)
	case connectionID.MatchString(line):
		l.log.Debug("client connection", "nats", line)
	default:
		if strings.Contains(line, "ritical write error") {
			l.b.broken.Store(&line)
		}
		l.log.Error("broker", "nats", line)
	}
}

// denied reports one refusal when line tells of it.
func (l *logger) denied(line string, pattern *regexp.Regexp, action Action, count *atomic.Uint64) bool {
	m := pattern.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	count.Add(1)
	subject := m[1]
	if plain, err := strconv.Unquote(subject); err == nil {
		subject = toTopic.Replace(plain)
	}
	l.log.Debug("client refused", "action", action, "subject", subject, "nats", line)
	if l.b.options.OnDenied != nil {
		l.b.options.OnDenied(l.b.userOf(line), action, subject)
	}
	return true
}

// userOf finds the log-in behind the connection that a line names; empty for an anonymous one.
func (b *Broker) userOf(line string) string {
	m := connectionID.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	id, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conns[id].user
}

// Noticef is for life events of the server, of which we write our own.
func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug("broker", "nats", fmt.Sprintf(format, v...))
}

// Warnf passes on what an operator should look at.
func (l *logger) Warnf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	if connectionID.MatchString(line) {
		l.log.Debug("client connection", "nats", line)
		return
	}
	l.log.Warn("broker", "nats", line)
}

// Fatalf ends a start; NATS itself goes on.
func (l *logger) Fatalf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	l.log.Error("broker", "nats", line)
	select {
	case l.b.fatal <- errors.New(line):
	default:
	}
}

// Debugf is never asked for.
func (l *logger) Debugf(string, ...any) {}

// Tracef is never asked for.
func (l *logger) Tracef(string, ...any) {}
