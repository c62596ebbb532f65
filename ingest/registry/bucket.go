package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest/streams"
)

const (
	// DefaultPrefix begins the names of bucket and streams when Options leaves it empty.
	DefaultPrefix = "STADTLUFT"

	// Keys of the bucket; the first two go on with a station's id, and with a device's family and key.
	stationKey    = "station."
	deviceKey     = "device."
	adminKey      = "admin"      // the hash of the administrator's token
	deploymentKey = "deployment" // written last, so that a bucket without it is not complete

	// keptRevisions of a key are those that are not overwritten yet; without an interruption there is one.
	keptRevisions = 16
	// keptChanges are those of one station.
	keptChanges = 1000

	fetchMessages = 500 // on their way at once
)

// InProcess is a NATS server in the same process.
type InProcess = streams.InProcess

// bucket is the registry in NATS.
type bucket struct {
	o        Options
	nc       *streams.Conn
	js       jetstream.JetStream
	stations jetstream.KeyValue
	entries  jetstream.Stream // of stations
	changes  jetstream.Stream
	refusals jetstream.Stream
	limits   jetstream.KeyValue // registrations of addresses; in memory alone
}

// connect opens a connection that reconnects without limit and buffers nothing meanwhile.
func connect(o Options) (*bucket, error) {
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	nc, err := streams.Connect("registry", o.URL, o.InProcess, o.Log)
	if err != nil {
		return nil, err
	}
	return &bucket{o: o, nc: nc, js: nc.JetStream}, nil
}

func (b *bucket) close() { b.nc.Close() }

func (b *bucket) name() string              { return b.o.Prefix + "_REGISTRY" }
func (b *bucket) subject(key string) string { return "$KV." + b.name() + "." + key }
func (b *bucket) changesName() string       { return b.o.Prefix + "_CHANGES" }
func (b *bucket) refusalsName() string      { return b.o.Prefix + "_REFUSALS" }
func (b *bucket) limitsName() string        { return b.o.Prefix + "_REGISTRATIONS" }

// state returns when the bucket was made, and its last revision.
func (b *bucket) state(ctx context.Context) (made time.Time, last uint64, err error) {
	begin := time.Now()
	info, err := b.entries.Info(ctx)
	if err != nil {
		return made, 0, b.nc.Asked("ask for bucket "+b.name(), begin, err)
	}
	return info.Created.UTC(), info.State.LastSeq, nil
}

// configs are the streams'. The first is a key-value bucket of which single messages can be erased, which those that
// NATS's clients make do not permit. It is read from its leader alone: another server of the cluster may be behind.
func (b *bucket) configs() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{{
		Name: "KV_" + b.name(), Description: "Stadtluft: stations", Subjects: []string{b.subject(">")}, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: keptRevisions, Discard: jetstream.DiscardNew, AllowRollup: true,
	}, {
		Name: b.changesName(), Description: "Stadtluft: changes of stations", Subjects: []string{b.changesName() + ".>"}, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: keptChanges,
	}, {
		Name: b.refusalsName(), Description: "Stadtluft: the last refusals of each station", Subjects: []string{b.refusalsName() + ".>"}, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: KeptRefusals,
	}, {
		Name: "KV_" + b.limitsName(), Description: "Stadtluft: registrations of addresses", Subjects: []string{"$KV." + b.limitsName() + ".>"},
		Storage: jetstream.MemoryStorage, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, AllowRollup: true, MaxAge: limitTime,
	}}
}

// create makes what is missing of the bucket and the streams.
func (b *bucket) create(ctx context.Context) error {
	var made []jetstream.Stream
	for _, config := range b.configs() {
		s, err := b.nc.Ensure(ctx, config, b.o.Replicas, "")
		if err != nil {
			return err
		}
		made = append(made, s)
	}
	b.entries, b.changes, b.refusals = made[0], made[1], made[2]
	var err error
	if b.stations, err = b.js.KeyValue(ctx, b.name()); err != nil {
		return fmt.Errorf("bucket %s: %w", b.name(), err)
	}
	if b.limits, err = b.js.KeyValue(ctx, b.limitsName()); err != nil {
		return fmt.Errorf("bucket %s: %w", b.limitsName(), err)
	}
	return nil
}

// belongs marks the streams with the deployment's id. It refuses one that another deployment has marked.
func (b *bucket) belongs(ctx context.Context, id string) error {
	for _, config := range b.configs() {
		if _, err := b.nc.Ensure(ctx, config, b.o.Replicas, id); err != nil {
			return err
		}
	}
	return nil
}

// message is an entry of a key or a record of a stream.
type message struct {
	key      string // or subject
	revision uint64
	value    []byte // nil when the key was removed
}

// reader reads a stream in order. Its consumer is not kept on disk and ends with the reader, or a minute after its process.
type reader struct {
	stream   jetstream.Stream
	consumer jetstream.Consumer
	last     uint64 // number of the last message, which the consumer counts from 1
	pending  uint64 // messages that were still to come after that
}

// reader begins at a sequence of a stream.
func (b *bucket) reader(ctx context.Context, s jetstream.Stream, from uint64, subjects ...string) (*reader, error) {
	consumer, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubjects: subjects, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1),
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, err
	}
	return &reader{stream: s, consumer: consumer, pending: consumer.CachedInfo().NumPending}, nil
}

func (r *reader) close(ctx context.Context) {
	r.stream.DeleteConsumer(context.WithoutCancel(ctx), r.consumer.CachedInfo().Name) // else it ends by itself
}

// pass passes a batch to f. A message that is missing is an error: the connection has lost it.
func (r *reader) pass(ctx context.Context, batch jetstream.MessageBatch, f func(message) error) error {
	for {
		var m jetstream.Msg
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m = <-batch.Messages():
		}
		if m == nil {
			return batch.Error()
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != r.last+1 {
			return fmt.Errorf("message %d came after %d", meta.Sequence.Consumer, r.last)
		}
		r.last, r.pending = meta.Sequence.Consumer, meta.NumPending
		next := message{m.Subject(), meta.Sequence.Stream, m.Data()}
		if m.Headers().Get("KV-Operation") != "" {
			next.value = nil
		}
		if err := f(next); err != nil {
			return err
		}
	}
}

// read calls f with what a stream has of the subjects, from a sequence on, in order.
func (b *bucket) read(ctx context.Context, s jetstream.Stream, from uint64, f func(message) error, subjects ...string) error {
	r, err := b.reader(ctx, s, from, subjects...)
	if err != nil {
		return err
	}
	defer r.close(ctx)
	for r.pending > 0 {
		before := r.last
		batch, err := r.consumer.FetchNoWait(fetchMessages)
		if err == nil {
			err = r.pass(ctx, batch, f)
		}
		if err == nil && r.last == before { // what was to come was deleted meanwhile, or the server is slow
			var info *jetstream.ConsumerInfo
			if info, err = r.consumer.Info(ctx); err == nil {
				r.pending = info.NumPending
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// erase overwrites a message on disk. One that is gone already is no error.
func erase(ctx context.Context, s jetstream.Stream, sequence uint64) error {
	err := s.SecureDeleteMsg(ctx, sequence)
	if err != nil {
		if _, e := s.GetMsg(ctx, sequence); errors.Is(e, jetstream.ErrMsgNotFound) {
			return nil
		}
	}
	return err
}
