package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	trimEvery    = time.Minute
	positionTime = time.Second // limit for a question to the store
	// When more than fullShare of MaxBytes is used, trim discards entries that the store has, oldest first, down to
	// easeShare, even those younger than MaxAge. Averages can then replay less than MaxAge.
	fullShare = 0.8
	easeShare = 0.7
)

// Run trims the journal once a minute until ctx ends.
func (j *Journal) Run(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		if _, err := j.trim(ctx, time.Now()); err != nil && ctx.Err() == nil {
			j.log.Warn("journal trim failed, retrying in a minute", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// trim discards entries that the store has and that are older than MaxAge or exceed fullShare, and returns how many. It keeps
// the last entry: a follower that catches up waits for it.
func (j *Journal) trim(ctx context.Context, now time.Time) (uint64, error) {
	info, err := j.info(ctx)
	if err != nil {
		return 0, err
	}
	next, known, err := j.unwritten(ctx, info)
	if err != nil || !known {
		return 0, err
	}
	state := info.State
	limit := min(next, state.LastSeq) // the first entry to keep whatever its age
	if state.Msgs == 0 || limit <= state.FirstSeq {
		return 0, nil
	}
	keep, err := j.firstSince(ctx, now.Add(-j.o.MaxAge), state.FirstSeq, limit)
	if err != nil {
		return 0, err
	}
	if used := float64(state.Bytes); j.o.MaxBytes > 0 && used > fullShare*float64(j.o.MaxBytes) {
		share := (used - easeShare*float64(j.o.MaxBytes)) / used
		keep = max(keep, min(limit, state.FirstSeq+uint64(share*float64(state.Msgs))+1))
	}
	if keep <= state.FirstSeq {
		return 0, nil
	}
	if err := j.stream.Purge(ctx, jetstream.WithPurgeSequence(keep)); err != nil {
		return 0, fmt.Errorf("purge the journal up to %d: %w", keep, err)
	}
	return keep - state.FirstSeq, nil
}

// firstSince returns the first entry in [from, to) that is not older than t; to when there is none.
func (j *Journal) firstSince(ctx context.Context, t time.Time, from, to uint64) (uint64, error) {
	for from < to {
		middle := from + (to-from)/2
		m, err := j.next(ctx, middle)
		if err != nil {
			return 0, err
		}
		if m == nil || !m.Time.Before(t) {
			to = middle
		} else {
			from = middle + 1
		}
	}
	return from, nil
}

// next returns the first entry with sequence seq or higher; nil when there is none.
func (j *Journal) next(ctx context.Context, seq uint64) (*jetstream.RawStreamMsg, error) {
	begin := time.Now()
	m, err := j.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(j.subject()))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, j.nc.Asked(fmt.Sprintf("read journal entry %d", seq), begin, err)
	}
	return m, nil
}

// info requests the stream's state. The handles cache it without a lock, so each request gets a new handle.
func (j *Journal) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	j.mu.Lock()
	last := j.seen // what is seen from here on may be newer than the answer
	j.mu.Unlock()
	begin := time.Now()
	s, err := j.js.Stream(ctx, j.o.Stream)
	if err != nil {
		return nil, j.nc.Asked("ask for the journal's state", begin, err)
	}
	info := s.CachedInfo()
	j.sight(info.State.LastSeq)
	if info.State.LastSeq < last {
		j.rewind(last, info.State.LastSeq)
	}
	return info, nil
}

// unwritten returns the sequence of the first entry that the store does not have; known is false while nothing is known
// of the store.
func (j *Journal) unwritten(ctx context.Context, info *jetstream.StreamInfo) (next uint64, known bool, err error) {
	at := j.position(ctx)
	if at == nil {
		return 0, false, nil
	}
	s, err := j.locate(ctx, info, *at)
	return s.next, true, err
}

// Stats is the journal's state.
type Stats struct {
	Entries        uint64
	Bytes          uint64
	LastSeq        uint64
	Written        uint64        // the store has everything up to here; 0 while nothing is known of it
	Unwritten      uint64        // entries that the store does not have
	Lag            time.Duration // age of the oldest of them; 0 without any
	Undecodable    uint64        // entries moved to the stream NAME_ASIDE since Open
	Appends        uint64        // batches appended since Open,
	AppendDuration time.Duration // and the time that took in total
}

// Stats requests the state from the server.
func (j *Journal) Stats(ctx context.Context) (Stats, error) {
	info, err := j.info(ctx)
	if err != nil {
		return Stats{}, err
	}
	s := Stats{
		Entries: info.State.Msgs, Bytes: info.State.Bytes, LastSeq: info.State.LastSeq, Undecodable: j.undecodable.Load(),
		Appends: j.appends.Load(), AppendDuration: time.Duration(j.appendTime.Load()),
	}
	next, known, err := j.unwritten(ctx, info)
	if err != nil || !known {
		return s, err
	}
	oldest, err := j.next(ctx, next)
	if err != nil {
		return s, err
	}
	if oldest == nil { // whatever is missing at the end
		s.Written = s.LastSeq
		return s, nil
	}
	s.Written = next - 1
	s.Unwritten, s.Lag = info.State.LastSeq-oldest.Sequence+1, max(0, time.Since(oldest.Time))
	return s, nil
}
