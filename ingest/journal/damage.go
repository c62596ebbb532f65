package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
	"stadtluft/ingest/streams"
)

// maxDamage bounds how many gaps are remembered; later ones replace the oldest.
const maxDamage = 100

// Damage is a gap in the journal: entries that were there and are gone.
type Damage struct {
	First, Last uint64    // their sequences
	From, To    time.Time // they were appended in between; a zero From is not known
	Stored      bool      // the store has all of them, as far as can be told
}

// Entries returns how many entries are missing.
func (d Damage) Entries() uint64 { return d.Last - d.First + 1 }

func (d Damage) String() string {
	from := "the beginning"
	if !d.From.IsZero() {
		from = d.From.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%d entries from between %s and %s are missing", d.Entries(), from, d.To.UTC().Format(time.RFC3339))
}

// damage holds the gaps that were found. The zero value is ready.
type damage struct {
	mu   sync.Mutex // guards list
	list []Damage
}

// Damage returns the gaps that were found since Open, the oldest first, without those that are older than MaxAge.
func (j *Journal) Damage() []Damage {
	j.damage.mu.Lock()
	defer j.damage.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(j.damage.list), func(d Damage) bool { return time.Since(d.To) > j.o.MaxAge })
}

// report keeps and logs a gap, once.
func (j *Journal) report(d Damage) {
	j.damage.mu.Lock()
	defer j.damage.mu.Unlock()
	if slices.ContainsFunc(j.damage.list, func(o Damage) bool { return o.First <= d.First && d.Last <= o.Last && o.From.Equal(d.From) }) {
		return
	}
	j.damage.list = append(j.damage.list, d)
	if len(j.damage.list) > maxDamage {
		j.damage.list = j.damage.list[1:]
	}
	j.log.Error("journal is damaged, entries are missing", "entries", d.Entries(), "first", d.First, "last", d.Last,
		"from", d.From.UTC(), "to", d.To.UTC(), "in_store", d.Stored)
}

// rewinds returns a channel that is closed when the journal loses its end.
func (j *Journal) rewinds() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rewound
}

// sight notes a sequence that is there.
func (j *Journal) sight(seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = max(j.seen, seq)
}

// rewind tells followers that the journal lost its end: the last sequence was before, now it is lower.
func (j *Journal) rewind(before, now uint64) {
	j.log.Warn("journal lost its end, following again from what is left", "last", before, "now", now)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = now
	close(j.rewound)
	j.rewound = make(chan struct{})
}

// start is where a follower goes on.
type start struct {
	journal string // the id of the journal
	next    uint64 // the first sequence that it has not got, at least 1
	end     uint64 // of the last entry there is; 0 without any
	known   bool   // its position is in this journal
	rewound bool   // the journal has lost its end since
}

// resume returns where a follower goes on, and reports gaps.
func (j *Journal) resume(ctx context.Context, at ingest.Position, since time.Time) (start, error) {
	info, err := j.info(ctx)
	if err != nil {
		return start{}, fmt.Errorf("follow the journal: %w", err)
	}
	s, err := j.locate(ctx, info, at)
	if err != nil {
		return start{}, err
	}
	if !s.known {
		s.next, err = j.firstSince(ctx, since, s.next, s.end+1)
	} else {
		err = j.compare(ctx, info, at, s)
	}
	if err == nil {
		err = j.inspect(ctx, at)
	}
	return s, err
}

// locate returns where a follower at a position goes on; at the first entry when the position is not in this journal. An
// entry with the position's sequence and another time was appended after the journal had lost its end.
func (j *Journal) locate(ctx context.Context, info *jetstream.StreamInfo, at ingest.Position) (start, error) {
	s := start{journal: id(info), next: max(info.State.FirstSeq, 1)}
	if info.State.Msgs > 0 {
		begin := time.Now()
		last, err := j.stream.GetLastMsgForSubject(ctx, j.subject())
		if err != nil {
			return s, j.nc.Asked("read the journal's last entry", begin, err)
		}
		s.end = last.Sequence
	}
	if at.Seq == 0 || at.Journal != s.journal {
		return s, nil
	}
	s.known = true
	m, err := j.next(ctx, at.Seq)
	switch {
	case err != nil:
		return s, err
	case m == nil:
		s.rewound = info.State.LastSeq < at.Seq
	case m.Sequence == at.Seq:
		s.rewound = !m.Time.Equal(at.Time)
	default:
		s.rewound = m.Time.Before(at.Time)
	}
	if !s.rewound {
		s.next = max(s.next, at.Seq+1)
		return s, nil
	}
	s.next, err = j.firstSince(ctx, at.Time.Add(1), s.next, s.end+1)
	return s, err
}

// compare reports what is gone at either end of the journal: entries up to the position that it lost, and entries after
// the position that it does not have any more.
func (j *Journal) compare(ctx context.Context, info *jetstream.StreamInfo, at ingest.Position, s start) error {
	first := info.State.FirstSeq
	switch {
	case s.rewound:
		d := Damage{First: min(s.next, at.Seq), Last: at.Seq, To: time.Now(), Stored: true}
		last, err := j.before(ctx, s.next, first)
		if err != nil {
			return err
		}
		if last != nil {
			d.From = last.Time
		}
		if m, err := j.next(ctx, s.next); err != nil {
			return err
		} else if m != nil {
			d.To = m.Time
		}
		j.report(d)
	case info.State.Msgs > 0 && first > at.Seq+1:
		j.report(Damage{First: at.Seq + 1, Last: first - 1, From: at.Time, To: info.State.FirstTime})
	}
	return nil
}

// inspect reports gaps between the entries, and what the server found broken; it may have given those numbers again since.
func (j *Journal) inspect(ctx context.Context, at ingest.Position) error {
	info, err := j.stream.Info(ctx, jetstream.WithDeletedDetails(true)) // tells what was lost, too
	if err != nil {
		return fmt.Errorf("ask for the journal's gaps: %w", err)
	}
	state := info.State
	var missing []Damage
	if state.Msgs > 0 {
		missing = gaps(state.Deleted)
	}
	if state.Lost != nil && len(state.Lost.Msgs) > 0 {
		missing = append(missing, Damage{First: slices.Min(state.Lost.Msgs), Last: slices.Max(state.Lost.Msgs)})
	}
	for _, d := range missing {
		if err := j.inspectGap(ctx, d, state.FirstSeq, at); err != nil {
			return err
		}
	}
	return nil
}

// inspectGap reports a gap with the times of the entries around it.
func (j *Journal) inspectGap(ctx context.Context, d Damage, first uint64, at ingest.Position) error {
	d.To = time.Now()
	before, err := j.before(ctx, d.First, first)
	if err != nil {
		return err
	}
	if before != nil {
		d.From = before.Time
	}
	after, err := j.next(ctx, d.First)
	if err != nil {
		return err
	}
	if after != nil {
		d.To = after.Time
	}
	d.Stored = d.Last <= at.Seq
	j.report(d)
	return nil
}

// gaps joins missing sequences that follow each other.
func gaps(missing []uint64) (list []Damage) {
	for _, seq := range missing {
		if n := len(list); n > 0 && list[n-1].Last+1 == seq {
			list[n-1].Last = seq
		} else {
			list = append(list, Damage{First: seq, Last: seq})
		}
	}
	return list
}

// before returns the last entry before a sequence; nil when there is none.
func (j *Journal) before(ctx context.Context, seq, first uint64) (*jetstream.RawStreamMsg, error) {
	if seq <= max(first, 1) {
		return nil, nil
	}
	m, err := j.next(ctx, seq-1)
	if err != nil || m == nil || m.Sequence >= seq {
		return nil, err
	}
	return m, nil
}

// id returns the identity of a journal: when its stream was created.
func id(info *jetstream.StreamInfo) string { return streams.Made(info).Format(time.RFC3339Nano) }
