package registry

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"stadtluft/ingest"
)

// Kind is what a notice tells.
type Kind string

const (
	Confirm Kind = "confirm" // asks whether the owner of an e-mail address wants notices
	Hello   Kind = "hello"   // the first at a webhook
	Silent  Kind = "silent"  // nothing was taken from the station for a day
	Check   Kind = "check"   // most of its values have not counted for a day
	Back    Kind = "back"    // what an earlier notice told is over
	Week    Kind = "week"    // the station's last week
)

// Kinds returns every kind.
func Kinds() []Kind { return []Kind{Confirm, Hello, Silent, Check, Back, Week} }

// Channel is the way of a notice.
type Channel string

const (
	ByMail Channel = "mail"
	ByHook Channel = "hook"
)

// Hook is what a webhook takes.
type Hook string

const (
	Ntfy     Hook = "ntfy" // text with ntfy's headers
	JSONHook Hook = "json" // an object
)

// Limits of first messages: mails that ask for a confirmation, and what webhooks get at first. Nobody there has asked for them.
const (
	MailsPerAddress = 3  // a day
	MailsPerStation = 5  // a day
	MailsPerNetwork = 20 // a day
	HooksPerStation = 5  // a day
	HooksPerNetwork = 20 // a day

	// ConfirmTime is how long an address waits for its confirmation; then it is deleted.
	ConfirmTime = 7 * 24 * time.Hour
)

// ErrTooManyAddresses is the error of one first message to an address too many, and ErrNoLink that of a link from a mail that is not valid any more.
var (
	ErrTooManyAddresses = errors.New("too many addresses were set today: try again tomorrow")
	ErrNoLink           = errors.New("this link is not valid any more")
)

// History is what notices remember of a station between two looks at it. The zero value remembers nothing.
type History struct {
	From    time.Time `json:"from,omitzero"`    // since when the station is looked at; earlier silence does not count
	Idle    bool      `json:"idle,omitempty"`   // the station is not active, so it is not looked at
	Doubted time.Time `json:"doubted,omitzero"` // since when most values do not count; zero while they do
	Told    Kind      `json:"told,omitempty"`   // Silent or Check, until it is over
	Since   time.Time `json:"since,omitzero"`   // since when what was told has been so
	Week    time.Time `json:"week,omitzero"`    // the end of the last week that was told
	Well    time.Time `json:"-"`                // since when readings have come without a long gap and counted
}

// Notice is something that is to be told. It holds no address.
type Notice struct {
	Kind     Kind      `json:"kind"`
	Channel  Channel   `json:"channel"`
	At       time.Time `json:"at"`           // of the decision
	Of       Kind      `json:"of,omitempty"` // what is over, of Back
	Since    time.Time `json:"since,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"` // not to be sent before
}

// Is reports whether two are the same notice, whatever was attempted.
func (n Notice) Is(o Notice) bool {
	return n.Kind == o.Kind && n.Channel == o.Channel && n.At.Equal(o.At)
}

// Notices are how a station's owner is told of it, what was told, and what waits to be told. They are part of the station's
// entry, so that all of it goes with the entry. The zero value tells nothing. The queue must not be changed in place.
type Notices struct {
	Wanted    Wanted    `json:"-"`
	Token     string    `json:"token,omitempty"`    // of the links in mails
	Asked     time.Time `json:"asked,omitzero"`     // when a confirmation was asked for
	Confirmed time.Time `json:"confirmed,omitzero"` // by whoever reads the mails
	Bounced   int       `json:"bounced,omitempty"`  // mails in a row that its server refused for ever
	History   History   `json:"history,omitzero"`
	Queue     []Notice  `json:"queue,omitempty"`
	Day       string    `json:"day,omitempty"` // UTC, of Sent
	Sent      int       `json:"sent,omitempty"`
}

// Active reports whether notices other than the one that asks for a confirmation may go a way.
func (n Notices) Active(c Channel) bool {
	if c == ByMail {
		return n.Wanted.Email != "" && !n.Confirmed.IsZero()
	}
	return n.Wanted.Hook != ""
}

// noticesRecord is Notices in the bucket. The e-mail address is the record's.
type noticesRecord struct {
	Hook     string `json:"hook,omitempty"`
	HookKind Hook   `json:"hook_kind,omitempty"`
	Language string `json:"language,omitempty"`
	Silent   bool   `json:"silent,omitempty"`
	Check    bool   `json:"check,omitempty"`
	Week     bool   `json:"week,omitempty"`
	Notices
}

// notices returns a record's notices.
func (rec *record) notices() Notices {
	if rec.Notices == nil {
		return Notices{Wanted: Wanted{Email: rec.Email}}
	}
	n := rec.Notices.Notices
	w := rec.Notices
	n.Wanted = Wanted{rec.Email, w.Hook, w.HookKind, w.Language, w.Silent, w.Check, w.Week}
	return n
}

// setNotices puts notices into a record.
func (rec *record) setNotices(n Notices) {
	w := n.Wanted
	rec.Email = w.Email
	if rec.Notices = nil; w.kinds() && (w.Email != "" || w.Hook != "") {
		rec.Notices = &noticesRecord{w.Hook, w.HookKind, w.Language, w.Silent, w.Check, w.Week, n}
	}
}

// Notices returns the notices of a station; the zero value for one that is not registered.
func (r *Registry) Notices(id string) Notices {
	e, ok := r.memory.entry(id)
	if !ok {
		return Notices{}
	}
	return e.record.notices()
}

// Watched is a station whose owner wants to be told of it.
type Watched struct {
	Station *ingest.Station
	Notices Notices
}

// Watched returns the stations whose owners want to be told of them, by id.
func (r *Registry) Watched() []Watched {
	var list []Watched
	for _, e := range r.memory.askingEntries() {
		if e.record.Notices != nil {
			list = append(list, Watched{e.station, e.record.notices()})
		}
	}
	return list
}

// Subscribe sets what a station's owner wants to be told, and how. An e-mail address that is new, or not confirmed, gets a mail
// that asks for a confirmation; network is where the request came from. An address that goes is deleted from memory and disk at
// once, with what waited for it.
func (r *Registry) Subscribe(ctx context.Context, id string, by By, w Wanted, network string) error {
	if err := w.check(); err != nil {
		return err
	}
	before := r.Notices(id)
	if asks(before, w) {
		if err := r.countMail(ctx, id, w.Email, network); err != nil {
			return err
		}
	}
	if hooks(before, w) {
		err := r.countAll(ctx, limit{"hooks of " + id, HooksPerStation}, limit{"hooks from " + network, HooksPerNetwork})
		if err != nil {
			return err
		}
	}
	err := r.change(ctx, id, by, func(e *edit) {
		n := e.record.notices()
		was := n.Wanted
		n.want(w, e.now)
		e.record.setNotices(n)
		if w != was || asks(n, w) {
			e.wrote("notices", "", "")
		}
	})
	if err == nil && (before.Wanted.Email != w.Email || before.Wanted.Hook != w.Hook) {
		err = r.saveSnapshot()
	}
	return err
}

// asks reports whether an address needs to be confirmed.
func asks(n Notices, w Wanted) bool {
	return w.Email != "" && w.kinds() && (n.Wanted.Email != w.Email || n.Confirmed.IsZero())
}

// hooks reports whether a webhook is new.
func hooks(n Notices, w Wanted) bool {
	return w.Hook != "" && (w.Hook != n.Wanted.Hook || w.HookKind != n.Wanted.HookKind)
}

// want changes what is wanted, and queues the first notice of each way.
func (n *Notices) want(w Wanted, now time.Time) {
	ask, hook := asks(*n, w), hooks(*n, w)
	if w.Email != n.Wanted.Email || !w.kinds() {
		n.Token, n.Asked, n.Confirmed, n.Bounced = "", time.Time{}, time.Time{}, 0
		n.drop(ByMail)
	}
	if w.Hook != n.Wanted.Hook {
		n.drop(ByHook)
	}
	if n.Wanted = w; ask {
		n.drop(ByMail)
		n.Token, n.Asked = newToken(), now
		n.Queue = append(n.Queue, Notice{Kind: Confirm, Channel: ByMail, At: now})
	}
	if hook {
		n.drop(ByHook)
		n.Queue = append(n.Queue, Notice{Kind: Hello, Channel: ByHook, At: now})
	}
	if n.History.From.IsZero() {
		n.History.From = now
	}
}

// drop removes what waits for a way.
func (n *Notices) drop(c Channel) {
	var rest []Notice
	for _, q := range n.Queue {
		if q.Channel != c {
			rest = append(rest, q)
		}
	}
	n.Queue = rest
}

// Confirm confirms the e-mail address of a station with the token of a mail. It may be called again.
func (r *Registry) Confirm(ctx context.Context, id, token string) error {
	return r.link(ctx, id, token, func(n *Notices, now time.Time) {
		if n.Confirmed.IsZero() {
			n.Confirmed = now
			if n.Wanted.Hook == "" {
				n.History = History{From: now}
			}
		}
	})
}

// Unsubscribe deletes the e-mail address of a station, with the token of a mail, from memory and disk at once. What waited for
// the address goes with it; a webhook stays.
func (r *Registry) Unsubscribe(ctx context.Context, id, token string) error {
	err := r.link(ctx, id, token, func(n *Notices, _ time.Time) { n.forgetMail() })
	if err == nil {
		err = r.saveSnapshot()
	}
	return err
}

// forgetMail removes the address and what belongs to it, and all notices when nobody is left to be told.
func (n *Notices) forgetMail() {
	n.want(Wanted{Hook: n.Wanted.Hook, HookKind: n.Wanted.HookKind, Language: n.Wanted.Language, Silent: n.Wanted.Silent, Check: n.Wanted.Check, Week: n.Wanted.Week}, n.History.From)
	if n.Wanted.Hook == "" {
		*n = Notices{}
	}
}

// link changes the notices of a station with the token of a mail. It is ErrNoLink when the token is another one.
func (r *Registry) link(ctx context.Context, id, token string, f func(n *Notices, now time.Time)) error {
	err := r.change(ctx, id, Owner, func(e *edit) {
		n := e.record.notices()
		if n.Token == "" || subtle.ConstantTimeCompare([]byte(n.Token), []byte(token)) != 1 {
			e.check(ErrNoLink)
			return
		}
		before := n
		f(&n, e.now)
		e.record.setNotices(n)
		if n.Wanted != before.Wanted || !n.Confirmed.Equal(before.Confirmed) {
			e.wrote("notices", "", "")
		}
	})
	if errors.Is(err, ErrUnknown) {
		return ErrNoLink
	}
	return err
}

// UpdateNotices changes the history and the queue of a station's notices: f runs again when another process has changed the
// station meanwhile. f returns whether to write. An address that f removes is deleted from memory and disk at once.
func (r *Registry) UpdateNotices(ctx context.Context, id string, f func(n *Notices) bool) error {
	removed := false
	err := r.change(ctx, id, "", func(e *edit) {
		n := e.record.notices()
		if e.record.Notices == nil || !f(&n) {
			return
		}
		removed = n.Wanted.Email != e.record.Email
		e.record.setNotices(n)
	})
	if err == nil && removed {
		err = r.saveSnapshot()
	}
	return err
}

// GiveUpMail deletes the e-mail address of notices that cannot be delivered or that nobody has confirmed.
func (n *Notices) GiveUpMail() { n.forgetMail() }

// limit is how often something may happen in a day.
type limit struct {
	name string
	most int
}

// countMail counts a mail that asks for a confirmation, and refuses one too many.
func (r *Registry) countMail(ctx context.Context, id, email, network string) error {
	return r.countAll(ctx, limit{"mails of " + id, MailsPerStation}, limit{"mails to " + email, MailsPerAddress}, limit{"mails from " + network, MailsPerNetwork})
}

// countAll counts one of each, and refuses one too many.
func (r *Registry) countAll(ctx context.Context, limits ...limit) error {
	for _, l := range limits {
		if err := r.countToday(ctx, l.name, 1, l.most, ErrTooManyAddresses); err != nil {
			return err
		}
	}
	return nil
}
