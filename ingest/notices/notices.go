// Package notices tells stations' owners what they should know of their stations: that one has been silent for a day, that its
// values have not counted for a day, that it is well again, and how its week was. They come by mail (SMTP), to an address that
// was confirmed, or at a webhook.
//
// What an owner wants, what was told and what waits to be told is part of the station's entry in the registry: it survives a
// restart and a server that is away, and goes with the station. A notice is claimed in the entry before it is sent, so that of
// several processes one sends it. When a process ends between sending and noting that, the notice comes twice, with the same
// Message-ID. No address is in a log or in an error.
//
// It does not know why a value does not count, and does not read what stations send: see Source.
package notices

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

const (
	lookEvery    = time.Minute
	deliverEvery = 2 * time.Second

	// settleTime is how long after a start no silence is told: the stations come back one by one.
	settleTime = time.Hour
	// claimTime is how long a notice belongs to the process that sends it.
	claimTime = 10 * time.Minute
	// maxAge is how long a notice waits; after that it is dropped.
	maxAge = 72 * time.Hour
	// maxBounces is how many mails in a row its server may refuse for ever before an address is deleted.
	maxBounces = 3

	firstRetry, lastRetry = time.Minute, time.Hour

	// crowd is how many stations must have fallen silent within crowdTime, and be more than those that report, for the fault to
	// be ours or the network's: their owners are not told meanwhile.
	crowd, crowdTime = 5, 48 * time.Hour
	quiet            = time.Hour // of a station in a crowd
)

var channels = [...]registry.Channel{registry.ByMail, registry.ByHook}

// Source knows the stations' data.
type Source interface {
	// Seen returns what is known of a station at a moment: Last and Doubted.
	Seen(id string, at time.Time) Seen
	// Flags counts a station's values of the last 24 hours by single flag.
	Flags(id string, at time.Time) map[ingest.Flags]int
	// Week returns a station's values of a period.
	Week(ctx context.Context, id string, from, to time.Time) (Summary, error)
}

// Service sends notices.
type Service struct {
	Registry *registry.Registry
	Source   Source
	SMTP     SMTP
	Hooks    *Hooks
	City     string
	Base     string // of the pages, without a slash at its end
	PerDay   int    // notices of a station
	PerHour  int    // messages of this process in all, each way
	Log      *slog.Logger

	once    sync.Once
	limit   map[registry.Channel]*rate.Limiter
	started time.Time            // of the first look
	well    map[string]time.Time // History.Well of each station

	mu    sync.Mutex // guards below
	stats Stats
	mail  backoff
}

// Stats are counts since the start, and what waits.
type Stats struct {
	Sent   map[registry.Kind]uint64
	Failed map[string]uint64 // by "bounced" and "expired"
	Queued map[registry.Channel]int
	Oldest time.Duration // of what waits
}

// backoff is when an SMTP server that could not be used is tried again.
type backoff struct {
	err   error
	after time.Time
	wait  time.Duration
}

func (s *Service) init() {
	s.once.Do(func() {
		half := max(1, s.PerHour/2) // what has gathered, and what comes in an hour
		s.limit = map[registry.Channel]*rate.Limiter{}
		for _, c := range channels { // one cannot take the other's share
			s.limit[c] = rate.NewLimiter(rate.Limit(float64(half)/time.Hour.Seconds()), half)
		}
		s.well = map[string]time.Time{}
		s.stats = Stats{Sent: map[registry.Kind]uint64{}, Failed: map[string]uint64{"bounced": 0, "expired": 0}}
	})
}

// Run looks at the stations and sends what is to be told until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	s.init()
	var g errgroup.Group
	every := func(d time.Duration, f func(ctx context.Context, at time.Time) error) {
		g.Go(func() error {
			ticker := time.NewTicker(d)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-ticker.C:
				}
				if err := f(ctx, time.Now()); err != nil && ctx.Err() == nil {
					s.Log.Warn("notices wait, trying again", "err", err)
				}
			}
		})
	}
	every(lookEvery, s.look)
	for _, c := range channels {
		every(deliverEvery, func(ctx context.Context, at time.Time) error { return s.deliver(ctx, at, c) })
	}
	return g.Wait()
}

// Problem returns why no mail can be sent; nil when all is well. What is to be told waits meanwhile.
func (s *Service) Problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mail.err
}

// Stats returns the counts at a moment.
func (s *Service) Stats(at time.Time) Stats {
	s.init()
	queued, oldest := map[registry.Channel]int{registry.ByMail: 0, registry.ByHook: 0}, at
	for _, w := range s.Registry.Watched() {
		for _, q := range w.Notices.Queue {
			queued[q.Channel]++
			if q.At.Before(oldest) {
				oldest = q.At
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := Stats{map[registry.Kind]uint64{}, map[string]uint64{}, queued, at.Sub(oldest)}
	for k, n := range s.stats.Sent {
		copied.Sent[k] = n
	}
	for k, n := range s.stats.Failed {
		copied.Failed[k] = n
	}
	return copied
}

func (s *Service) failed(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Failed[why]++
}

// look looks at every station whose owner wants to be told of it, and queues what there is to tell.
func (s *Service) look(ctx context.Context, at time.Time) error {
	s.init()
	if s.started.IsZero() {
		s.started = at
	}
	watched := s.Registry.Watched()
	hold := sync.OnceValue(func() bool { return at.Sub(s.started) < settleTime || s.crowd(at) })
	known := map[string]time.Time{}
	var errs []error
	for _, w := range watched {
		id := w.Station.ID
		seen := s.seen(w.Station, at)
		h := w.Notices.History
		h.Well = s.well[id]
		after, told := next(h, seen)
		known[id] = after.Well
		if slices.ContainsFunc(told, func(n registry.Notice) bool { return n.Kind == registry.Silent }) && hold() {
			continue
		}
		if after.Well = h.Well; after == h && !stale(w.Notices, at) {
			continue
		}
		errs = append(errs, s.Registry.UpdateNotices(ctx, id, func(n *registry.Notices) bool { return s.note(n, seen, s.well[id], id) }))
	}
	s.well = known
	return errors.Join(errs...)
}

func (s *Service) seen(st *ingest.Station, at time.Time) Seen {
	seen := s.Source.Seen(st.ID, at)
	seen.At, seen.Active, seen.Zone = at, st.Status == ingest.Active, st.Location
	return seen
}

// crowd reports whether so many stations have fallen silent lately that it is not theirs.
func (s *Service) crowd(at time.Time) bool {
	silent, reporting := 0, 0
	for _, st := range s.Registry.Stations() {
		if st.Status != ingest.Active || st.Source != "" {
			continue
		}
		switch last := s.Source.Seen(st.ID, at).Last; {
		case last.IsZero() || at.Sub(last) > crowdTime:
		case at.Sub(last) > quiet:
			silent++
		default:
			reporting++
		}
	}
	return silent >= crowd && silent > reporting
}

// stale reports whether something has waited too long.
func stale(n registry.Notices, at time.Time) bool {
	return unconfirmed(n, at) || slices.ContainsFunc(n.Queue, func(q registry.Notice) bool { return at.Sub(q.At) > maxAge })
}

func unconfirmed(n registry.Notices, at time.Time) bool {
	return n.Confirmed.IsZero() && !n.Asked.IsZero() && at.Sub(n.Asked) > registry.ConfirmTime
}

// note takes a look at a station into its notices, and reports whether they have changed. A station that was told of too often
// today keeps its history, so that tomorrow what is then so is told.
func (s *Service) note(n *registry.Notices, seen Seen, well time.Time, id string) bool {
	changed := false
	if unconfirmed(*n, seen.At) {
		n.GiveUpMail()
		s.Log.Info("address of notices was not confirmed, deleted", "station", id)
		changed = true
	}
	queue := n.Queue[:0:0]
	for _, q := range n.Queue {
		if seen.At.Sub(q.At) > maxAge {
			s.failed("expired")
			changed = true
			continue
		}
		queue = append(queue, q)
	}
	n.Queue = queue
	h := n.History
	h.Well = well
	after, told := next(h, seen)
	after.Well = h.Well
	if after == h {
		return changed
	}
	wanted := told[:0:0]
	for _, t := range told {
		if n.Wanted.Wants(t.Kind) && (t.Kind != registry.Back || n.Wanted.Wants(t.Of)) {
			wanted = append(wanted, t)
		}
	}
	if day := seen.At.UTC().Format(time.DateOnly); n.Day != day && len(wanted) > 0 {
		n.Day, n.Sent = day, 0
	}
	if n.Sent+len(wanted) > s.PerDay && len(wanted) > 0 {
		return changed
	}
	n.Sent += len(wanted)
	n.History = after
	for _, t := range wanted {
		enqueue(n, t)
	}
	return true
}

// enqueue queues a notice for each way. What is over before it was told is not told.
func enqueue(n *registry.Notices, t registry.Notice) {
	for _, c := range channels {
		if !n.Active(c) {
			continue
		}
		before := len(n.Queue)
		if t.Kind == registry.Back {
			n.Queue = slices.DeleteFunc(n.Queue, func(q registry.Notice) bool { return q.Channel == c && q.Kind == t.Of && q.Attempts == 0 })
		}
		if t.Channel = c; len(n.Queue) == before {
			n.Queue = append(n.Queue, t)
		}
	}
}
