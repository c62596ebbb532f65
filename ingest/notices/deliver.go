package notices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// due is a notice that may be sent.
type due struct {
	station *ingest.Station
	notice  registry.Notice
}

// due returns what may be sent a way at a moment, the oldest first.
func (s *Service) due(at time.Time, c registry.Channel) []due {
	var list []due
	for _, w := range s.Registry.Watched() {
		for _, q := range w.Notices.Queue {
			if q.Channel == c && !q.Next.After(at) {
				list = append(list, due{w.Station, q})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b due) int { return a.notice.At.Compare(b.notice.At) })
	return list
}

// deliver sends what is due a way, within the limit of an hour.
func (s *Service) deliver(ctx context.Context, at time.Time, c registry.Channel) error {
	s.init()
	list := s.due(at, c)
	if len(list) == 0 {
		return nil
	}
	send := s.call
	if c == registry.ByMail {
		if !s.SMTP.Set() || at.Before(s.retryMail()) {
			return nil
		}
		conn, err := s.SMTP.dial(ctx)
		if err != nil {
			s.mailed(err, at)
			return nil
		}
		defer conn.close()
		send = func(_ context.Context, w writer, d due, n registry.Notices, f facts) error {
			return conn.send(s.SMTP, s.letter(w, d, n, f))
		}
	}
	for _, d := range list {
		if ctx.Err() != nil || !s.limit[c].AllowN(at, 1) {
			return nil
		}
		err := s.one(ctx, at, d, send)
		if r := new(refusal); errors.As(err, &r) && r.outcome == away {
			s.mailed(err, at)
			return nil
		}
		if err != nil {
			return err
		}
		if c == registry.ByMail {
			s.mailed(nil, at)
		}
	}
	return nil
}

// sender sends a claimed notice.
type sender func(ctx context.Context, w writer, d due, n registry.Notices, f facts) error

// one claims a notice, sends it, and notes what became of it. An error other than of a server that cannot be used is the
// registry's or the store's.
func (s *Service) one(ctx context.Context, at time.Time, d due, send sender) error {
	n, ok, err := s.claim(ctx, at, d)
	if err != nil || !ok {
		return err
	}
	w := writer{station: d.station, language: n.Wanted.Language, city: s.City, base: s.Base}
	f, err := s.facts(ctx, at, d, n)
	if err == nil {
		err = send(ctx, w, d, n, f)
	}
	if e := s.settle(context.WithoutCancel(ctx), at, d, err); e != nil {
		return e
	}
	if r := new(refusal); errors.As(err, &r) && r.outcome == away {
		return err
	}
	if err != nil {
		s.Log.Info("notice was not taken", "station", d.station.ID, "kind", d.notice.Kind, "channel", d.notice.Channel, "err", err)
	}
	return nil
}

// claim takes a notice for this process. It is not ok when it is gone or another process has it; one that nobody wants any more
// is dropped.
func (s *Service) claim(ctx context.Context, at time.Time, d due) (claimed registry.Notices, ok bool, err error) {
	err = s.Registry.UpdateNotices(ctx, d.station.ID, func(n *registry.Notices) bool {
		ok = false
		i := slices.IndexFunc(n.Queue, d.notice.Is)
		if i < 0 || n.Queue[i].Next.After(at) {
			return false
		}
		if d.notice.Kind != registry.Confirm && !n.Active(d.notice.Channel) || d.notice.Kind == registry.Confirm && !n.Confirmed.IsZero() {
			n.Queue = slices.Delete(n.Queue, i, i+1)
			return true
		}
		ok = true
		n.Queue[i].Attempts++
		n.Queue[i].Next = at.Add(claimTime).UTC().Truncate(time.Second)
		claimed = *n
		return true
	})
	return claimed, ok && err == nil, err
}

// settle notes what became of a notice.
func (s *Service) settle(ctx context.Context, at time.Time, d due, sent error) error {
	var r *refusal
	errors.As(sent, &r)
	err := s.Registry.UpdateNotices(ctx, d.station.ID, func(n *registry.Notices) bool {
		i := slices.IndexFunc(n.Queue, d.notice.Is)
		if i < 0 {
			return false
		}
		switch q := &n.Queue[i]; {
		case sent == nil:
			n.Queue = slices.Delete(n.Queue, i, i+1)
			if d.notice.Channel == registry.ByMail {
				n.Bounced = 0
			}
		case r != nil && r.outcome == bounced:
			n.Queue = slices.Delete(n.Queue, i, i+1)
			if n.Bounced++; n.Bounced >= maxBounces || d.notice.Kind == registry.Confirm {
				n.GiveUpMail()
			}
		case r != nil && r.outcome == away:
			q.Attempts--
			q.Next = time.Time{}
		default:
			q.Next = at.Add(min(firstRetry<<min(q.Attempts-1, 6), lastRetry)).UTC().Truncate(time.Second)
		}
		return true
	})
	switch {
	case sent == nil:
		s.mu.Lock()
		s.stats.Sent[d.notice.Kind]++
		s.mu.Unlock()
	case r != nil && r.outcome == bounced:
		s.failed("bounced")
	}
	return err
}

// retryMail returns when the SMTP server may be tried again.
func (s *Service) retryMail() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mail.after
}

// mailed notes whether the SMTP server could be used.
func (s *Service) mailed(err error, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		if s.mail.err != nil {
			s.Log.Info("SMTP server takes mails again")
		}
		s.mail = backoff{}
		return
	}
	if s.mail.err == nil {
		s.Log.Warn("SMTP server takes no mails, notices wait", "err", err)
	}
	wait := min(max(firstRetry, 2*s.mail.wait), lastRetry)
	s.mail = backoff{err, at.Add(wait), wait}
}

// facts returns what a notice is made of.
func (s *Service) facts(ctx context.Context, at time.Time, d due, n registry.Notices) (f facts, err error) {
	id := d.station.ID
	switch d.notice.Kind {
	case registry.Confirm:
		f.link = s.address("confirm", id, n.Token)
	case registry.Silent:
		var list []ingest.Refusal
		if list, err = s.Registry.Refusals(ctx, id); len(list) > 0 && list[0].Received.After(d.notice.Since) && at.Sub(list[0].Received) < silentAfter {
			f.refusal = &list[0]
		}
	case registry.Check:
		f.flags = s.Source.Flags(id, at)
	case registry.Week:
		monday := d.notice.Since
		if zone := d.station.Location; zone != nil {
			monday = monday.In(zone) // a week in which the clocks change is an hour shorter or longer
		}
		f.week, err = s.Source.Week(ctx, id, monday.AddDate(0, 0, -7).UTC(), monday.UTC())
	}
	return f, err
}

// address returns the address of a page with a token of a mail.
func (s *Service) address(action, id, token string) string {
	return fmt.Sprintf("%s/notices/%s/%s/%s", s.Base, action, id, token)
}

// letter returns a notice as a mail.
func (s *Service) letter(w writer, d due, n registry.Notices, f facts) letter {
	l := w.letter(w.write(d.notice, f), s.address("unsubscribe", d.station.ID, n.Token))
	l.to, l.at = n.Wanted.Email, d.notice.At
	l.id = fmt.Sprint(s.Base, d.station.ID, n.Token, d.notice.Kind, d.notice.At.Unix())
	return l
}

// call sends a notice to a webhook.
func (s *Service) call(ctx context.Context, w writer, d due, n registry.Notices, f facts) error {
	text := w.write(d.notice, f)
	c := call{Station: d.station.ID, Name: d.station.Name, Kind: string(d.notice.Kind), Title: text.title, Link: w.page()}
	for i, p := range text.paragraphs {
		if i > 0 {
			c.Text += "\n\n"
		}
		c.Text += p
	}
	if !d.notice.Since.IsZero() {
		c.Since = d.notice.Since.Format(time.RFC3339)
	}
	return s.Hooks.send(ctx, n.Wanted.Hook, n.Wanted.HookKind, c)
}
