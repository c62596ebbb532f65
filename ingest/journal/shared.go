package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

// Shared appends to a journal to which other processes append readings too. It appends a batch only at the place up to
// which it has passed on theirs, so that each process knows what was first: an append that came later than another is
// ingest.BehindError, with what the others have appended. Follow must run; Append is for one
// goroutine.
type Shared struct {
	j    *Journal
	from ingest.Position
	each func(ingest.Batch)

	mu      sync.Mutex // guards what follows, and is held while an append is under way
	last    uint64     // sequence up to which this process knows the journal
	own     map[uint64]bool
	others  []ingest.Batch // of other processes, that no BehindError has told yet
	changed chan struct{}  // closed, and replaced, when last changes
}

// maxOthers bounds what is kept of the others between two appends, in entries. What is older was passed to each long before.
const maxOthers = 256

// Share returns a Shared that calls each for what is appended by other processes from now on.
func (j *Journal) Share(ctx context.Context, each func(ingest.Batch)) (*Shared, error) {
	info, err := j.info(ctx)
	if err != nil {
		return nil, err
	}
	s := &Shared{j: j, each: each, last: info.State.LastSeq, own: map[uint64]bool{}, changed: make(chan struct{}), from: ingest.Position{Journal: id(info)}}
	m, err := j.before(ctx, s.last+1, info.State.FirstSeq)
	if err != nil || m == nil {
		return s, err
	}
	s.from.Seq, s.from.Time = m.Sequence, m.Time.UTC()
	return s, nil
}

// Follow passes on what the others append until ctx ends.
func (s *Shared) Follow(ctx context.Context) error {
	return s.j.run(ctx, &follower{at: s.from, buffer: followEntries, skip: s.isOwn, each: func(e entry) error {
		others := e.err == nil && size(e.batch) > 0
		if others {
			s.each(e.batch) // before an append can follow it
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if others {
			s.others = append(s.others[max(0, len(s.others)-maxOthers+1):], e.batch)
		}
		if e.at.Seq > s.last {
			s.move(e.at.Seq)
		}
		return nil
	}})
}

// isOwn reports whether an entry was appended here. It waits for an append that is under way.
func (s *Shared) isOwn(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.own[seq]
	delete(s.own, seq)
	return own
}

// move sets the sequence up to which the journal is known. It needs mu.
func (s *Shared) move(to uint64) {
	s.last = to
	close(s.changed)
	s.changed = make(chan struct{})
}

// Append appends a batch like Journal.Append if no other process has appended since this one knew the journal's end. Else
// it waits until it knows what they appended, and returns that as an ingest.BehindError.
func (s *Shared) Append(ctx context.Context, b ingest.Batch) error {
	err := s.j.appendWith(ctx, b, s.publish)
	switch {
	case isBehind(err):
		if err := s.catchUp(ctx); err != nil {
			return fmt.Errorf("append to the journal: %w", err)
		}
	case !errors.Is(err, errUnsettled):
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	others := s.others
	s.others = nil
	return &ingest.BehindError{Others: others}
}

// errUnsettled reports that others appended something which the caller has not been told, perhaps after it checked its batch.
var errUnsettled = errors.New("others have appended")

// publish appends one entry after the last that is known.
func (s *Shared) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.others) > 0 {
		return 0, errUnsettled
	}
	seq, err := s.j.publish(ctx, m, jetstream.WithExpectLastSequence(s.last))
	if err == nil {
		s.own[seq] = true
		s.move(seq)
	}
	return seq, err
}

// isBehind reports whether the server refused an append because another came before it.
func isBehind(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequence)
}

// wrongLastSequence is the same without the number (nats-server, server/errors.json: JSStreamWrongLastSequenceConstantErr).
const wrongLastSequence jetstream.ErrorCode = 10164

// catchUp returns when everything that the journal has now was passed on. A journal that has lost its end has less.
func (s *Shared) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	s.mu.Lock()
	known := s.last
	s.mu.Unlock()
	info, err := s.j.info(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if info.State.LastSeq < known {
		s.own = map[uint64]bool{}
		s.move(info.State.LastSeq)
	}
	s.mu.Unlock()
	for {
		s.mu.Lock()
		last, changed := s.last, s.changed
		s.mu.Unlock()
		if last >= info.State.LastSeq {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("follow it from entry %d to %d: %w", last, info.State.LastSeq, ctx.Err())
		}
	}
}
