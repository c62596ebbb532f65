package broker

import (
	"cmp"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// storeMargin is the part of the log's bound, one in so many, that stations may not fill.
const storeMargin = 8

var errLogOff = errors.New("the log has switched itself off: free disk space and restart")

// SetOpen allows stations to log in, or refuses them and closes the connections of those that are logged in, so that
// the broker acknowledges nothing that would not be kept. Stations are refused at first. Open it when the intake has
// its subscription.
func (b *Broker) SetOpen(open bool) {
	b.mu.Lock()
	changed := b.open != open
	b.open = open
	b.mu.Unlock()
	if !changed {
		return
	}
	b.options.Log.Info("station log-in changed", "open", open)
	if !open {
		b.disconnect(func(c conn) bool { return c.station != "" })
	}
}

// Disconnect closes the connections of one station, after its token changed or it retired.
func (b *Broker) Disconnect(station string) {
	b.disconnect(func(c conn) bool { return station != "" && c.station == station })
}

// Connected returns the number of stations' connections.
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

// Problem returns why stations' messages cannot be kept; nil when they can. SetOpen(false) alone is not a problem of
// the broker's: its caller knows the reason.
func (b *Broker) Problem() error {
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

// guard shuts the gate while no more should be kept.
func (b *Broker) guard() {
	full := b.space()
	b.mu.Lock()
	was := b.full
	b.full = full
	b.prune()
	b.mu.Unlock()
	switch {
	case full != nil && was == nil:
		b.options.Log.Error("refusing stations", "err", full)
		b.disconnect(func(c conn) bool { return c.station != "" })
	case full == nil && was != nil:
		b.options.Log.Info("accepting stations again")
	}
	if b.dead() != nil && b.diskSpace() == nil {
		select {
		case b.failed <- fmt.Errorf("%w; there is room again", b.dead()):
		default: // said already
		}
	}
}

// Failed returns a channel that receives one error when the log accepts nothing although there is space: only a
// restart helps.
func (b *Broker) Failed() <-chan error { return b.failed }

// dead says why the log takes nothing more until a restart.
func (b *Broker) dead() error {
	if line := b.broken.Load(); line != nil {
		return fmt.Errorf("a write to the log failed, free disk space and restart: %s", *line)
	}
	if !b.server.JetStreamEnabled() {
		return errLogOff
	}
	return nil
}

// diskSpace says whether the disk keeps its reserve.
func (b *Broker) diskSpace() error {
	free, err := b.options.freeBytes(b.options.Dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", b.options.Dir, err)
	}
	if free < b.options.Reserve {
		return fmt.Errorf("the disk of %s has %d MiB free, %d MiB are reserved: free some space", b.options.Dir, free>>20, b.options.Reserve>>20)
	}
	return nil
}

// space says why no more should be kept. It speaks before the log's own bound is reached, because a log
// that is full refuses the intake's log-in too: NATS writes down each session, and then nothing could
// be taken out any more.
func (b *Broker) space() error {
	if err := cmp.Or(b.dead(), b.diskSpace()); err != nil {
		return err
	}
	info, err := b.server.Jsz(nil)
	if err != nil {
		return fmt.Errorf("size of the log: %w", err)
	}
	most := uint64(max(info.Config.MaxStore, 0))
	if most > 0 && info.Store > most-most/storeMargin {
		return fmt.Errorf("the log holds %d of at most %d MiB: what reads it has stopped", info.Store>>20, most>>20)
	}
	return nil
}

// freeBytes is what an ordinary user may still write on dir's file system.
func freeBytes(dir string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
