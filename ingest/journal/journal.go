package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
	"stadtluft/ingest/streams"
)

const (
	// DefaultStream is the stream's name when Options leaves it empty.
	DefaultStream = "STADTLUFT_JOURNAL"
	// DefaultMaxAge is how long stored entries are kept, to fill a store that lost them, when Options leaves it zero.
	DefaultMaxAge = 72 * time.Hour

	requestTime = 5 * time.Second // limit for one request to the server, or one append
	headroom    = 1 << 10         // part of the server's max payload that is left for subject and headers

	asideShare = 64      // the stream for undecodable entries may have this part of MaxBytes,
	asideLeast = 1 << 20 // but at least this many bytes
)

// ErrFull is the error of an Append when the journal is full: MaxBytes is reached with entries that the store
// does not have, or the server has no space left.
var ErrFull = errors.New("the journal is full")

// Options configure where the journal is and how much it keeps.
type Options struct {
	URL        string            // of an external NATS cluster; several separated by commas
	InProcess  streams.InProcess // used instead of URL when it is set
	Stream     string            // DefaultStream when empty
	Deployment string            // id of what the stream belongs to; one of another is refused; empty = not asked
	MaxAge     time.Duration
	MaxBytes   int64 // 0 means no limit
	Replicas   int   // 0 = 3 in a cluster of three or more, else 1; Open never lowers them
	// Position returns the entry up to which the store has everything. It is asked before writing, and by processes
	// without a writer.
	Position func(ctx context.Context) (ingest.Position, error)
	// Guard returns why nothing may be appended now, such as a disk that is nearly full; nil means nothing ever.
	Guard func() error
	Log   *slog.Logger
}

// Journal is an open journal. Its methods are safe for concurrent use.
type Journal struct {
	o      Options
	nc     *streams.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	log    *slog.Logger

	writing     atomic.Bool
	undecodable atomic.Uint64
	appends     atomic.Uint64
	appendTime  atomic.Int64 // nanoseconds
	problem     atomic.Pointer[error]
	filling     atomic.Pointer[Filling]
	damage      damage

	appending sync.Mutex // orders appends
	// acknowledged is the sequence of the last append. A lower one after it means that the journal lost its end.
	acknowledged atomic.Uint64

	mu      sync.Mutex       // guards all below
	written *ingest.Position // of the store, as last known
	seen    uint64           // the highest sequence that was there
	rewound chan struct{}    // closed, and replaced, when entries at the end are gone
}

// Open connects, and creates or updates the stream. Close closes the connection.
func Open(ctx context.Context, o Options) (*Journal, error) {
	if o.Stream == "" {
		o.Stream = DefaultStream
	}
	if o.MaxAge == 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Position == nil {
		o.Position = func(context.Context) (ingest.Position, error) { return ingest.Position{}, nil }
	}
	j := &Journal{o: o, log: o.Log, rewound: make(chan struct{})}
	var err error
	if j.nc, err = streams.Connect("journal", o.URL, o.InProcess, o.Log); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.js = j.nc.JetStream
	if err := j.create(ctx); err != nil {
		j.nc.Close()
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// Check reports whether there is a NATS server with JetStream at the address in o. It creates nothing there.
func Check(ctx context.Context, o Options) error {
	nc, err := streams.Connect("journal", o.URL, o.InProcess, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer nc.Close()
	begin := time.Now()
	_, err = nc.JetStream.AccountInfo(ctx)
	return nc.Asked("ask for JetStream", begin, err)
}

// create creates the streams. It does not use the server's own age limit, which would discard
// entries that the store does not have.
func (j *Journal) create(ctx context.Context) error {
	bound, aside := int64(-1), int64(-1)
	if j.o.MaxBytes > 0 {
		bound, aside = j.o.MaxBytes, max(j.o.MaxBytes/asideShare, asideLeast)
	}
	config := jetstream.StreamConfig{
		Name: j.o.Stream, Subjects: []string{j.subject()}, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, MaxBytes: bound,
	}
	var err error
	if j.stream, err = j.nc.Ensure(ctx, config, j.o.Replicas, j.o.Deployment); err != nil {
		return err
	}
	config.Name, config.Subjects, config.MaxBytes = j.o.Stream+"_ASIDE", []string{j.asideSubject()}, aside
	if _, err = j.nc.Ensure(ctx, config, j.o.Replicas, j.o.Deployment); err != nil {
		return err
	}
	return nil
}

func (j *Journal) subject() string      { return j.o.Stream + ".entry" }
func (j *Journal) asideSubject() string { return j.o.Stream + ".aside" }

// Close closes the connection. Write and Follow must have returned.
func (j *Journal) Close() { j.nc.Close() }

// Append returns nil only when the server has acknowledged the whole batch. A batch beyond the server's max payload
// becomes several entries. After an error a part may be in the journal: the caller appends the same batch again. The
// error is ErrFull when the journal is full; nothing is lost then.
func (j *Journal) Append(ctx context.Context, b ingest.Batch) error {
	return j.appendWith(ctx, b, func(ctx context.Context, m *nats.Msg) (uint64, error) { return j.publish(ctx, m) })
}

// publisher appends one entry and returns its sequence.
type publisher func(ctx context.Context, m *nats.Msg) (uint64, error)

func (j *Journal) appendWith(ctx context.Context, b ingest.Batch, publish publisher) error {
	if size(b) == 0 {
		return nil
	}
	start := time.Now()
	err := j.guarded(ctx, b, publish)
	if errors.Is(err, ErrFull) {
		if trimmed, trimErr := j.trim(ctx, time.Now()); trimErr == nil && trimmed > 0 {
			err = j.guarded(ctx, b, publish)
		}
	}
	if isBehind(err) || errors.Is(err, errUnsettled) {
		j.problem.Store(nil) // NATS has told what others appended, after which nothing may be left to append here
		return err
	}
	if err != nil {
		err = fmt.Errorf("append to the journal: %w", err)
		j.problem.Store(&err)
		return err
	}
	j.problem.Store(nil)
	j.appends.Add(1)
	j.appendTime.Add(int64(time.Since(start)))
	return nil
}

// guarded appends a batch unless the guard objects.
func (j *Journal) guarded(ctx context.Context, b ingest.Batch, publish publisher) error {
	if j.o.Guard != nil {
		if err := j.o.Guard(); err != nil {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return j.append(ctx, b, publish)
}

func (j *Journal) append(ctx context.Context, b ingest.Batch, publish publisher) error {
	data := AppendBatch(nil, b)
	n := size(b)
	if int64(len(data)) > j.nc.MaxPayload()-headroom && n > 1 {
		first, second := halve(b, n/2)
		if err := j.append(ctx, first, publish); err != nil {
			return err
		}
		return j.append(ctx, second, publish)
	}
	j.appending.Lock()
	defer j.appending.Unlock()
	seq, err := publish(ctx, &nats.Msg{Subject: j.subject(), Data: data})
	if err != nil {
		return err
	}
	if before := j.acknowledged.Swap(seq); seq <= before {
		j.rewind(before, seq)
	}
	return nil
}

// size returns the number of records in b.
func size(b ingest.Batch) int { return len(b.Readings) + len(b.Refusals) + len(b.HourFlags) }

// halve splits b after n records, in the order of an entry.
func halve(b ingest.Batch, n int) (first, second ingest.Batch) {
	k := min(n, len(b.Readings))
	first.Readings, second.Readings = b.Readings[:k], b.Readings[k:]
	n -= k
	k = min(n, len(b.Refusals))
	first.Refusals, second.Refusals = b.Refusals[:k], b.Refusals[k:]
	n -= k
	first.HourFlags, second.HourFlags = b.HourFlags[:n], b.HourFlags[n:]
	return first, second
}

// publish returns the sequence that the server gave the message.
func (j *Journal) publish(ctx context.Context, m *nats.Msg, options ...jetstream.PublishOpt) (uint64, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	ack, err := j.js.PublishMsg(ctx, m, options...)
	var api *jetstream.APIError
	if errors.As(err, &api) && outOfSpace(api.ErrorCode) {
		return 0, fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err != nil {
		return 0, j.nc.Asked("write to stream "+j.o.Stream, begin, err)
	}
	return ack.Sequence, nil
}

// outOfSpace reports whether the server's error code means that it has no space (nats-server, server/errors.json).
func outOfSpace(code jetstream.ErrorCode) bool {
	switch code {
	case 10002, // JSAccountResourcesExceededErr
		10023, // JSInsufficientResourcesErr
		10047, // JSStorageResourcesExceededErr
		10077: // JSStreamStoreFailedF, such as "maximum bytes exceeded"
		return true
	}
	return false
}

// answered ends a problem unless it is that the journal is full, or another came meanwhile.
func (j *Journal) answered(before *error) {
	if before != nil && !errors.Is(*before, ErrFull) {
		j.problem.CompareAndSwap(before, nil)
	}
}

// Problem returns why the last Append failed and what to do about it, in one sentence; nil when it succeeded, or when NATS has
// answered a follower since.
func (j *Journal) Problem() error {
	err := j.problem.Load()
	switch {
	case err == nil:
		return nil
	case errors.Is(*err, ErrFull):
		return fmt.Errorf("nothing more is taken until the store's writer works again or the journal gets more space (its bound or the disk): %w", *err)
	}
	return fmt.Errorf("nothing more is taken until the journal's NATS server answers: %w", *err)
}
