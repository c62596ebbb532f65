// Package lease says which of several processes does a work that one at a time may do, such as writing to the store. A
// lease is a key in a JetStream key-value bucket: the first process to create it holds it and renews it, each time on the
// revision that it wrote last. A key that is not renewed ends by the age limit of the bucket, which is a matter of the NATS
// servers' clock: no machine's clock counts. A process that cannot renew its lease gives it up before the servers do.
//
// A lease is no fence by itself: a process that was stopped in the middle of a write may end that write later. What must not
// happen twice is also guarded where it is written, as the store's position is.
package lease

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest/streams"
)

const (
	// Lifetime is how long a lease lasts that is not renewed.
	Lifetime = 6 * time.Second
	// renewEvery is the interval at which it is renewed.
	renewEvery = 1500 * time.Millisecond
	// heldFor is how long after the begin of its last renewal the holder trusts it.
	heldFor = 4500 * time.Millisecond
	// askEvery is the interval at which the others ask for it.
	askEvery = 500 * time.Millisecond
	// requestTime bounds one request.
	requestTime = 2 * time.Second
)

// Options configure where the leases of a deployment are.
type Options struct {
	URL        string            // of a NATS cluster; several separated by commas
	InProcess  streams.InProcess // used instead of URL when it is set
	Prefix     string            // begins the bucket's name
	Replicas   int               // see streams.Conn.Ensure
	Deployment string            // id of what the bucket belongs to; empty = not asked
	Holder     string            // names this process to people
	Log        *slog.Logger
}

// Bucket holds the leases of a deployment.
type Bucket struct {
	o    Options
	nc   *streams.Conn
	keys jetstream.KeyValue
}

// Open connects to NATS and makes the bucket when it is missing. Close closes the connection.
func Open(ctx context.Context, o Options) (*Bucket, error) {
	nc, err := streams.Connect("leases", o.URL, o.InProcess, o.Log)
	if err != nil {
		return nil, fmt.Errorf("open leases: %w", err)
	}
	b := &Bucket{o: o, nc: nc}
	if err := b.create(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("open leases: %w", err)
	}
	return b, nil
}

func (b *Bucket) create(ctx context.Context) error {
	name := b.o.Prefix + "_LEASES"
	_, err := b.nc.Ensure(ctx, jetstream.StreamConfig{
		Name: "KV_" + name, Description: "Stadtluft: which process does what", Subjects: []string{"$KV." + name + ".>"}, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: 1, MaxAge: Lifetime, Discard: jetstream.DiscardNew, AllowRollup: true,
	}, b.o.Replicas, b.o.Deployment)
	if err != nil {
		return err
	}
	return b.nc.Wait(ctx, "open bucket "+name, func(bool) error {
		b.keys, err = b.nc.JetStream.KeyValue(ctx, name)
		return err
	})
}

// Close closes the connection. Run of each lease must have returned.
func (b *Bucket) Close() { b.nc.Close() }

// Holder returns the name of the process that has a lease; empty when none has.
func (b *Bucket) Holder(ctx context.Context, name string) (string, error) {
	e, _, err := b.read(ctx, name)
	return e.Holder, err
}

// read returns a key's value and its revision; 0 when there is none.
func (b *Bucket) read(ctx context.Context, name string) (e entry, revision uint64, err error) {
	begin := time.Now()
	got, err := b.keys.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return e, 0, nil
	}
	if err == nil {
		err = json.Unmarshal(got.Value(), &e)
	}
	if err != nil {
		return e, 0, b.nc.Asked("ask for the lease "+name, begin, err)
	}
	return e, got.Revision(), nil
}

// Lease returns a lease by its name. Run takes part in it.
func (b *Bucket) Lease(name string) *Lease {
	return &Lease{b: b, name: name, token: rand.Text(), changed: make(chan struct{})}
}

// Lease is a right that one process at a time has. A nil Lease is always held: there is no other process.
type Lease struct {
	b     *Bucket
	name  string
	token string // tells this process from others of the same name

	mu      sync.Mutex // guards what follows
	until   time.Time  // it is held until then; zero when it is not
	held    context.Context
	changed chan struct{} // closed, and replaced, when it is taken
	err     error         // of the last request
}

// entry is the value of a key.
type entry struct {
	Holder string `json:"holder"`
	Token  string `json:"token"`
}

// Run takes the lease as soon as nobody has it, and renews it until ctx ends. Then it releases it, so that the next
// process need not wait. The work of While must have ended before.
func (l *Lease) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		begin := time.Now()
		revision, err := l.take(ctx)
		l.note(ctx, begin, err)
		if revision > 0 {
			l.keep(ctx, revision, begin)
			continue
		}
		pause(ctx, askEvery)
	}
	return nil
}

// take creates the key and returns its revision; 0 while another process has it.
func (l *Lease) take(ctx context.Context) (revision uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	value, err := json.Marshal(entry{l.b.o.Holder, l.token})
	if err != nil {
		return 0, err
	}
	revision, err = l.b.keys.Create(ctx, l.name, value)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return l.own(ctx)
	}
	return revision, err
}

// own returns the revision of a key that this process has written without hearing so; 0 when it is another's.
func (l *Lease) own(ctx context.Context) (revision uint64, err error) {
	e, last, err := l.b.read(ctx, l.name)
	if err != nil || last == 0 { // 0: it has ended just now
		return 0, err
	}
	if e.Token != l.token {
		return 0, nil
	}
	return l.renew(ctx, last)
}

func (l *Lease) renew(ctx context.Context, revision uint64) (uint64, error) {
	value, err := json.Marshal(entry{l.b.o.Holder, l.token})
	if err != nil {
		return 0, err
	}
	return l.b.keys.Update(ctx, l.name, value, revision)
}

// keep renews the lease until it is lost or ctx ends.
func (l *Lease) keep(ctx context.Context, revision uint64, begin time.Time) {
	held, lose := context.WithCancel(ctx)
	defer lose()
	expiry := time.AfterFunc(time.Until(begin.Add(heldFor)), lose)
	defer expiry.Stop()
	l.set(held, begin)
	l.b.o.Log.Info("lease taken, its work begins here", "lease", l.name)
	since := begin
	for held.Err() == nil {
		pause(held, renewEvery)
		begin := time.Now()
		next, err := l.again(held, revision)
		l.note(held, begin, err)
		if err == nil && next == 0 {
			break // another has it
		}
		if err == nil && expiry.Reset(time.Until(begin.Add(heldFor))) {
			revision = next
			l.set(held, begin)
		}
	}
	lose()
	l.end()
	if ctx.Err() == nil {
		l.b.o.Log.Warn("lease lost, its work stops here until this process has it again; another process may take it", "lease", l.name, "held_for", time.Since(since).Round(time.Second))
		return
	}
	l.release(context.WithoutCancel(ctx), revision)
}

// again renews the lease; 0 when it is another's.
func (l *Lease) again(ctx context.Context, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	next, err := l.renew(ctx, revision)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return l.own(ctx)
	}
	return next, err
}

// release ends the lease at once. When that fails it ends by its age.
func (l *Lease) release(ctx context.Context, revision uint64) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if err := l.b.keys.Delete(ctx, l.name, jetstream.LastRevision(revision)); err != nil {
		l.b.o.Log.Info("lease not released, it ends by itself", "lease", l.name, "after", Lifetime, "err", err)
		return
	}
	l.b.o.Log.Info("lease released", "lease", l.name)
}

// set notes that the lease is held since begin, as long as a context.
func (l *Lease) set(held context.Context, begin time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.held, l.until = held, begin.Add(heldFor)
}

// end notes that the lease is not held.
func (l *Lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.until = nil, time.Time{}
}

// note keeps the error of a request, and logs the first and the end.
func (l *Lease) note(ctx context.Context, begin time.Time, err error) {
	if ctx.Err() != nil {
		return
	}
	err = l.b.nc.Asked("ask for the lease "+l.name, begin, err)
	l.mu.Lock()
	before := l.err
	l.err = err
	l.mu.Unlock()
	switch {
	case err != nil && before == nil:
		l.b.o.Log.Warn("lease cannot be asked for, retrying; who holds it stops after some seconds", "lease", l.name, "stops_after", heldFor, "err", err)
	case err == nil && before != nil:
		l.b.o.Log.Info("lease can be asked for again", "lease", l.name)
	}
}

// Held reports whether this process has the lease now.
func (l *Lease) Held() bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.until)
}

// Problem returns why the lease cannot be asked for; nil when it can.
func (l *Lease) Problem() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// While calls work each time that this process gets the lease, until ctx ends. The context of work ends with the lease;
// While waits until work has returned. An end of work before that is the end of While.
func (l *Lease) While(ctx context.Context, work func(ctx context.Context) error) error {
	if l == nil {
		return work(ctx)
	}
	for {
		held, err := l.wait(ctx)
		if err != nil {
			return nil
		}
		working, done := context.WithCancel(ctx)
		stop := context.AfterFunc(held, done)
		err = work(working)
		stop()
		lost := held.Err() != nil
		done()
		if !lost {
			return err
		}
	}
}

// wait returns a context that ends with the lease, as soon as this process has it.
func (l *Lease) wait(ctx context.Context) (context.Context, error) {
	for {
		l.mu.Lock()
		held, changed := l.held, l.changed
		l.mu.Unlock()
		if held != nil && held.Err() == nil {
			return held, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
