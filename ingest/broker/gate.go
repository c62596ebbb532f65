package broker

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// SetOpen lets stations log in, or keeps them out and closes the connections of those that are in, so
// that nothing is acknowledged to them that would not be kept. It starts shut. Open it when the intake
// has its subscription.
func (b *Broker) SetOpen(open bool) {
	b.mu.Lock()
	changed := b.open != open
	b.open = open
	b.mu.Unlock()
	if !changed {
		return
	}
	b.options.Log.Info("gate for stations", "open", open)
	if !open {
		b.disconnect(func(c conn) bool { return c.station != "" })
	}
}

// Disconnect closes the connections of one station, after its token changed or it retired.
func (b *Broker) Disconnect(station string) {
	b.disconnect(func(c conn) bool { return station != "" && c.station == station })
}

// Connected is the number of stations' connections.
func (b *Broker) Connected() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prune()
	n := 0
	for _, c := range b.conns {
		if c.station != "" {
			n++
		}
	}
	return n
}

// Problem says why stations' messages cannot be kept; nil when they can. A shut gate alone is no
// problem of the broker's: whoever shut it knows why.
func (b *Broker) Problem() error {
	if !b.server.JetStreamEnabled() {
		return errors.New("the log has switched itself off after a write error: free disk space and restart")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.full
}

// passable needs mu.
func (b *Broker) passable() bool { return b.open && b.full == nil && !b.closed }

// disconnect closes the connections that match. The next prune forgets them.
func (b *Broker) disconnect(match func(conn) bool) {
	var ids []uint64
	b.mu.Lock()
	for id, c := range b.conns {
		if match(c) {
			ids = append(ids, id)
		}
	}
	b.mu.Unlock()
	for _, id := range ids {
		_ = b.server.DisconnectClientByID(id) // it may have gone by itself
	}
}

// prune forgets connections that have ended; NATS tells nobody when one does. It needs mu.
func (b *Broker) prune() {
	for id := range b.conns {
		if b.server.GetClient(id) == nil {
			b.forget(id)
		}
	}
}

// forget needs mu.
func (b *Broker) forget(id uint64) {
	if client := b.conns[id].clientID; b.sessions[client] == id {
		delete(b.sessions, client)
	}
	delete(b.conns, id)
}

// watch guards the disk until the server stops.
func (b *Broker) watch() {
	ticker := time.NewTicker(b.options.guardInterval)
	defer ticker.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticker.C:
			b.guard()
		}
	}
}

// guard shuts the gate while the disk has less than the reserve free.
func (b *Broker) guard() {
	var full error
	free, err := b.options.freeBytes(b.options.Dir)
	switch {
	case err != nil:
		full = fmt.Errorf("free space of %s: %w", b.options.Dir, err)
	case free < b.options.Reserve:
		full = fmt.Errorf("the disk of %s has %d MiB free, %d MiB are reserved: free some space", b.options.Dir, free>>20, b.options.Reserve>>20)
	case !b.server.JetStreamEnabled():
		full = errors.New("the log has switched itself off")
	}
	b.mu.Lock()
	was := b.full
	b.full = full
	b.prune()
	b.mu.Unlock()
	switch {
	case full != nil && was == nil:
		b.options.Log.Error("stations are kept out", "err", full)
		b.disconnect(func(c conn) bool { return c.station != "" })
	case full == nil && was != nil:
		b.options.Log.Info("stations may come in again", "free_bytes", free)
	}
}

// freeBytes is what an ordinary user may still write on dir's file system.
func freeBytes(dir string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
