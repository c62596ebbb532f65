package registry

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"stadtluft/ingest"
)

// queued returns the kinds that wait, each with its way.
func queued(n Notices) string {
	var list []string
	for _, q := range n.Queue {
		list = append(list, string(q.Kind)+" by "+string(q.Channel))
	}
	return strings.Join(list, ", ")
}

func TestAnAddressIsConfirmedBeforeItGetsNotices(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	id := station(t, r).ID
	wanted := Wanted{Email: "anna@example.org", Hook: "https://ntfy.example.org/anna", HookKind: Ntfy, Language: "de", Silent: true}
	if err := r.Subscribe(t.Context(), id, Owner, wanted, "192.0.2.0"); err != nil {
		t.Fatal(err)
	}
	n := r.Notices(id)
	if n.Wanted != wanted || n.Active(ByMail) || !n.Active(ByHook) || queued(n) != "confirm by mail, hello by hook" {
		t.Errorf("after the wish: %+v", n)
	}
	if err := r.Confirm(t.Context(), id, "another"); !errors.Is(err, ErrNoLink) {
		t.Errorf("another token: %v, want %v", err, ErrNoLink)
	}
	if err := r.Confirm(t.Context(), "0000000", n.Token); !errors.Is(err, ErrNoLink) {
		t.Errorf("another station: %v, want %v", err, ErrNoLink)
	}
	for range 2 {
		if err := r.Confirm(t.Context(), id, n.Token); err != nil {
			t.Fatal(err)
		}
	}
	if n = r.Notices(id); !n.Active(ByMail) {
		t.Errorf("confirmed: %+v", n)
	}

	wanted.Week = true
	if err := r.Subscribe(t.Context(), id, Owner, wanted, "192.0.2.0"); err != nil || !r.Notices(id).Active(ByMail) {
		t.Errorf("another kind needs another confirmation: %v", err)
	}
	wanted.Email = "berta@example.org"
	if err := r.Subscribe(t.Context(), id, Owner, wanted, "192.0.2.0"); err != nil {
		t.Fatal(err)
	}
	old := n.Token
	if n = r.Notices(id); n.Active(ByMail) || n.Token == old || queued(n) != "hello by hook, confirm by mail" {
		t.Errorf("another address: %+v", n)
	}
	if err := r.Unsubscribe(t.Context(), id, old); !errors.Is(err, ErrNoLink) {
		t.Errorf("the token of the former address: %v, want %v", err, ErrNoLink)
	}
	if err := r.Unsubscribe(t.Context(), id, n.Token); err != nil {
		t.Fatal(err)
	}
	if n = r.Notices(id); n.Wanted.Email != "" || n.Token != "" || n.Wanted.Hook == "" || queued(n) != "hello by hook" {
		t.Errorf("unsubscribed: %+v", n)
	}
}

func TestWhatCannotBeWanted(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	id := station(t, r).ID
	f := func(field string, w Wanted) {
		t.Helper()
		var wrong *FieldError
		if err := r.Subscribe(t.Context(), id, Owner, w, ""); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%+v: %v, want an error of %s", w, err, field)
		}
	}
	for _, email := range []string{
		"anna", "a@b@c", "Anna <anna@example.org>", "anna@example.org\r\nBcc: eve@example.org", "anna@example.org\n", `"a b"@example.org`, `"a\r\nX: y"@example.org`, "a@example.org, eve@example.org",
		"a@[127.0.0.1]", "a@-example.org", strings.Repeat("a", 250) + "@example.org",
	} {
		f("email", Wanted{Email: email, Silent: true})
	}
	for _, hook := range []string{"ntfy.sh/x", "file:///etc/passwd", "https://", "https://user:secret@example.org/", "gopher://example.org/", "https://example.org/" + strings.Repeat("x", 500)} {
		f("hook", Wanted{Hook: hook, HookKind: Ntfy, Silent: true})
	}
	f("hook", Wanted{Hook: "https://example.org/", HookKind: "xml", Silent: true})
	f("silent", Wanted{Hook: "https://example.org/", HookKind: Ntfy})
}

// TestConfirmationsAreLimited asks for mails to an address, for a station and from a network, until each is one too many.
func TestConfirmationsAreLimited(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	f := func(what string, most int, email func(i int) string, network func(i int) string, id func(i int) string) {
		t.Helper()
		for i := range most + 1 {
			err := r.Subscribe(t.Context(), id(i), Owner, Wanted{Email: email(i), Silent: true}, network(i))
			if i < most && err != nil || i == most && !errors.Is(err, ErrTooManyAddresses) {
				t.Errorf("%s: mail %d of %d: %v", what, i+1, most, err)
			}
		}
	}
	var ids []string
	for range MailsPerNetwork + 1 {
		ids = append(ids, station(t, r).ID)
	}
	each := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	always := func(text string) func(int) string { return func(int) string { return text } }
	f("one address", MailsPerAddress, always("a@example.org"), each("198.51.%d.0"), func(i int) string { return ids[i] })
	f("one station", MailsPerStation, each("b%d@example.org"), each("203.0.%d.0"), always(ids[20]))
	f("one network", MailsPerNetwork, each("c%d@example.org"), always("192.0.2.0"), func(i int) string { return ids[i] })
	for i := range HooksPerStation + 1 {
		err := r.Subscribe(t.Context(), ids[20], Owner, Wanted{Hook: fmt.Sprintf("https://example.org/%d", i%2), HookKind: Ntfy, Silent: true}, "192.0.3.0")
		if i < HooksPerStation && err != nil || i == HooksPerStation && !errors.Is(err, ErrTooManyAddresses) {
			t.Errorf("webhook %d of %d: %v", i+1, HooksPerStation, err)
		}
	}
}

// TestNothingOfNoticesStaysOnDisk deletes addresses in each way, and looks for them in every byte of the data folder.
func TestNothingOfNoticesStaysOnDisk(t *testing.T) {
	const email, hook = "anna.schmitz@example.org", "https://ntfy.example.org/annas-geheimnis"
	ways := map[string]func(r *Registry, id string) error{
		"unsubscribe": func(r *Registry, id string) error {
			w := Wanted{Email: email, Silent: true}
			return errors.Join(r.Subscribe(t.Context(), id, Owner, w, "192.0.2.0"), r.Unsubscribe(t.Context(), id, r.Notices(id).Token))
		},
		"another wish": func(r *Registry, id string) error { return r.Subscribe(t.Context(), id, Owner, Wanted{}, "192.0.2.0") },
		"give up": func(r *Registry, id string) error {
			return errors.Join(r.UpdateNotices(t.Context(), id, func(n *Notices) bool { n.GiveUpMail(); return true }), r.Subscribe(t.Context(), id, Owner, Wanted{}, ""))
		},
		"hand over": func(r *Registry, id string) error {
			_, err := r.Renew(t.Context(), id, Owner, true)
			return err
		},
		"retire": func(r *Registry, id string) error { return r.Retire(t.Context(), id, Owner) },
		"erase":  func(r *Registry, id string) error { return r.Erase(t.Context(), id, Owner) },
	}
	for name, remove := range ways {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			r := openIn(t, startNATSIn(t, filepath.Join(folder, "nats")), folder, PolicyOpen)
			id := station(t, r).ID
			w := Wanted{Email: email, Hook: hook, HookKind: Ntfy, Silent: true, Check: true}
			if err := r.Subscribe(t.Context(), id, Owner, w, "192.0.2.0"); err != nil {
				t.Fatal(err)
			}
			token := r.Notices(id).Token
			if err := r.Confirm(t.Context(), id, token); err != nil {
				t.Fatal(err)
			}
			err := r.UpdateNotices(t.Context(), id, func(n *Notices) bool {
				n.Queue = append(n.Queue, Notice{Kind: Silent, Channel: ByMail, At: n.Confirmed})
				return true
			})
			if err == nil {
				err = r.saveSnapshot()
			}
			if err != nil {
				t.Fatal(err)
			}
			if where := found(t, folder, email); where == "" {
				t.Fatal("the address is nowhere")
			}
			if name == "unsubscribe" {
				hooked := w
				hooked.Hook, hooked.HookKind = "", ""
				if err := r.Subscribe(t.Context(), id, Owner, hooked, "192.0.2.0"); err != nil {
					t.Fatal(err)
				}
			}
			if err := remove(r, id); err != nil {
				t.Fatal(err)
			}
			if where := found(t, folder, email, hook, token); where != "" {
				t.Errorf("after it there is still: %s", where)
			}
			if n := r.Notices(id); n.Wanted.Email != "" || n.Wanted.Hook != "" || len(n.Queue) > 0 {
				t.Errorf("in memory there is still %+v", n)
			}
		})
	}
}

// TestNoticesComeBackFromTheSnapshot makes the bucket anew from the copy in the data folder.
func TestNoticesComeBackFromTheSnapshot(t *testing.T) {
	folder := t.TempDir()
	r := openIn(t, startNATSIn(t, t.TempDir()), folder, PolicyOpen)
	id := station(t, r).ID
	if err := r.Subscribe(t.Context(), id, Owner, Wanted{Email: "anna@example.org", Language: "de", Week: true}, "192.0.2.0"); err != nil {
		t.Fatal(err)
	}
	want := r.Notices(id)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again := openIn(t, startNATSIn(t, t.TempDir()), folder, PolicyOpen)
	if got := again.Notices(id); got.Wanted != want.Wanted || got.Token != want.Token || queued(got) != queued(want) || !got.Asked.Equal(want.Asked) {
		t.Errorf("notices %+v, want %+v", got, want)
	}
	if st, _ := again.Station(id); st.Status != ingest.Active {
		t.Errorf("the station is %s", st.Status)
	}
}
