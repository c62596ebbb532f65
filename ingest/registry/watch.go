package registry

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest/streams"
)

// retryWait is the pause before a watch that broke begins again.
const retryWait = 500 * time.Millisecond

// load takes the bucket into memory, and overwrites former entries that an interruption has left.
func (r *Registry) load(ctx context.Context) error {
	made, last, err := r.bucket.state(ctx)
	if err != nil {
		return err
	}
	r.memory.of(made)
	r.seen = last
	former := map[uint64]string{}
	err = r.bucket.read(ctx, r.bucket.entries, 1, func(m message) error {
		if before := r.apply(m); before > 0 {
			former[before] = strings.TrimPrefix(m.key, r.bucket.subject(stationKey))
		}
		return nil
	}, r.watched()...)
	if err != nil {
		return err
	}
	for revision, id := range former {
		e, _ := r.memory.entry(id)
		r.discard(ctx, e.record, revision)
	}
	return nil
}

// watched are the subjects of what is in memory.
func (r *Registry) watched() []string {
	return []string{r.bucket.subject(stationKey + "*"), r.bucket.subject(adminKey)}
}

// follow takes changes into memory until ctx ends.
func (r *Registry) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.watch(ctx)
		if ctx.Err() != nil {
			return
		}
		if r.problem.Swap(&err) == nil {
			r.log.Warn("registry watch failed, retrying; the stations in memory count meanwhile", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryWait):
		}
	}
}

// watch takes changes from where the memory is. It returns when it breaks or ctx ends.
func (r *Registry) watch(ctx context.Context) error {
	begin := time.Now()
	stream, err := r.bucket.js.Stream(ctx, r.bucket.entries.CachedInfo().Config.Name)
	if err != nil {
		return r.bucket.nc.Asked("ask for bucket "+r.bucket.name(), begin, err)
	}
	if r.memory.of(stream.CachedInfo().Created.UTC()) {
		r.seen = 0
	}
	reader, err := r.bucket.reader(ctx, stream, r.seen+1, r.watched()...)
	if err != nil {
		return r.bucket.nc.Asked("watch bucket "+r.bucket.name(), begin, err)
	}
	defer reader.close(ctx)
	if r.problem.Swap(nil) != nil {
		r.log.Info("registry watch works again")
	}
	for {
		batch, err := reader.consumer.Fetch(fetchMessages, jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(streams.Heartbeat))
		if err != nil {
			return err
		}
		err = reader.pass(ctx, batch, func(m message) error {
			r.apply(m)
			r.seen = m.revision
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// apply takes a change into memory, unless it has that or a later one, and tells of it. It returns the revision that was
// replaced, 0 for none. An entry that cannot be read is logged and changes nothing.
func (r *Registry) apply(m message) (replaced uint64) {
	r.applying.Lock()
	defer r.applying.Unlock()
	key := strings.TrimPrefix(m.key, r.bucket.subject(""))
	before, ok := r.memory.advance(key, m.revision)
	if !ok {
		return 0
	}
	r.snapshot.changed()
	id, isStation := strings.CutPrefix(key, stationKey)
	if !isStation {
		r.memory.setAdmin(string(m.value))
		return before
	}
	next := entry{data: m.value, revision: m.revision}
	if m.value != nil {
		var err error
		if next.record, next.station, err = r.decode(m.value); err != nil {
			r.log.Error("registry entry cannot be read, the former counts", "key", key, "revision", m.revision, "err", err)
			return 0
		}
	}
	if former := r.memory.set(id, next); !former.same(next) {
		for _, f := range r.onChange {
			f(id)
		}
	}
	return before
}

// unerased are revisions of own stations that could not be overwritten yet.
type unerased struct {
	mu   sync.Mutex // guards list
	list []uint64
}

func (u *unerased) add(revision uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list = append(u.list, revision)
}

func (u *unerased) take() []uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := u.list
	u.list = nil
	return list
}

func (u *unerased) problem() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.list) == 0 {
		return nil
	}
	return fmt.Errorf("%d former entries of stations wait to be overwritten on disk", len(u.list))
}

// discard removes a former entry of a station: it overwrites it on disk, unless it is a neighbour's, which holds nothing that
// is not public. What cannot be overwritten now is tried again after a second or more, and at the next start.
func (r *Registry) discard(ctx context.Context, of *record, revision uint64) {
	if of != nil && of.Source != "" {
		r.bucket.entries.DeleteMsg(ctx, revision) // else the limit of revisions does
		return
	}
	if err := erase(ctx, r.bucket.entries, revision); err != nil {
		r.log.Warn("former entry of a station was not overwritten, trying again", "revision", revision, "err", err)
		r.unerased.add(revision)
	}
}

// discardAgain tries again what could not be overwritten.
func (r *Registry) discardAgain(ctx context.Context) {
	for _, revision := range r.unerased.take() {
		if erase(ctx, r.bucket.entries, revision) != nil {
			r.unerased.add(revision)
		}
	}
}
