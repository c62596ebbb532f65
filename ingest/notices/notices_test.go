package notices

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/notices/noticestest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
)

// known is a Source for tests.
type known struct {
	last    map[string]time.Time
	doubted bool
}

func (k *known) Seen(id string, _ time.Time) Seen { return Seen{Last: k.last[id], Doubted: k.doubted} }
func (k *known) Flags(string, time.Time) map[ingest.Flags]int {
	return map[ingest.Flags]int{ingest.Humid: 90, ingest.Stuck: 60, ingest.Range: 3}
}
func (k *known) Week(_ context.Context, _ string, from, to time.Time) (Summary, error) {
	return Summary{From: from, To: to, Hours: 160, Values: 4000, Good: 3900, Quantities: []Spread{{quantity.PM2_5, 12.34, 1, 56.7}}}, nil
}

// story is a service with an SMTP server, whose clock is moved by hand.
type story struct {
	*testing.T
	nats     registry.InProcess
	registry *registry.Registry
	smtp     *noticestest.Server
	source   *known
	service  *Service
	log      bytes.Buffer
	id       string
	at       time.Time
	perHour  int
}

func begin(t *testing.T, encrypted bool) *story {
	t.Helper()
	s := &story{T: t, nats: registrytest.StartNATS(t), smtp: noticestest.Start(t, encrypted), source: &known{last: map[string]time.Time{}}, at: time.Now(), perHour: 200}
	s.registry = registrytest.Open(t, registry.Options{InProcess: s.nats, Zone: "Europe/Berlin", Licence: "dl-zero-de/2.0"})
	s.id = s.station("Balkon Süd")
	s.start()
	return s
}

// start makes the service anew, as a restart of the process does.
func (s *story) start() {
	host, port, _ := net.SplitHostPort(s.smtp.Addr)
	number, _ := strconv.Atoi(port)
	server := SMTP{Host: host, Port: number, From: "Stadtluft Köln <luft@example.org>", TLS: NoTLS, Timeout: 2 * time.Second}
	s.service = &Service{
		Registry: s.registry, Source: s.source, SMTP: server, Hooks: &Hooks{}, City: "Köln", Base: "https://luft.example.org", PerDay: 4, PerHour: s.perHour,
		Log: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	s.look() // its first
}

func (s *story) station(name string) string {
	s.Helper()
	c, _, err := s.registry.Add(s.Context(), registry.Registration{Name: name, Point: orb.Point{6.9583, 50.9413}, Kit: "sds011-bme280", LicenceConsent: true})
	if err != nil {
		s.Fatal(err)
	}
	return c.ID
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// look looks at the stations and sends what is due.
func (s *story) look() {
	s.Helper()
	s.must(s.service.look(s.Context(), s.at))
	s.must(s.service.deliver(s.Context(), s.at, registry.ByMail))
	s.must(s.service.deliver(s.Context(), s.at, registry.ByHook))
}

// pass lets time go by in steps of ten minutes; the stations send all the while, or none does.
func (s *story) pass(d time.Duration, sends bool) {
	s.Helper()
	for end := s.at.Add(d); s.at.Before(end); {
		if s.at = s.at.Add(10 * time.Minute); sends {
			for _, st := range s.registry.Stations() {
				s.source.last[st.ID] = s.at
			}
		}
		s.look()
	}
}

// subscribed asks for notices and confirms with the link of the mail.
func (s *story) subscribed(w registry.Wanted) {
	s.Helper()
	s.must(s.registry.Subscribe(s.Context(), s.id, registry.Owner, w, "192.0.2.0"))
	s.look()
	mails := s.smtp.Mails()
	if len(mails) == 0 {
		s.Fatal("no mail asks for a confirmation")
	}
	s.must(s.registry.Confirm(s.Context(), s.id, token(s.T, mails[len(mails)-1].Text, "confirm", s.id)))
}

// token returns the token of a link in a text.
func token(t *testing.T, text, action, id string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, "https://luft.example.org/notices/"+action+"/"+id+"/")
	if !ok {
		t.Fatalf("no link to %s in %s", action, text)
	}
	return strings.Fields(after)[0]
}

// subjects returns those of the mails after the first n.
func (s *story) subjects(n int) string {
	var list []string
	for _, m := range s.smtp.Mails()[n:] {
		list = append(list, m.Subject)
	}
	return strings.Join(list, ", ")
}

const anna = "anna.schmitz@example.org"

// TestFromWishToUnsubscription is the life of a subscription: asked, confirmed, silent, told once, back, told, unsubscribed by one
// click, and nothing any more. The process restarts between any two steps.
func TestFromWishToUnsubscription(t *testing.T) {
	s := begin(t, false)
	s.must(s.registry.Subscribe(t.Context(), s.id, registry.Owner, registry.Wanted{Email: anna, Language: "de", Silent: true, Check: true}, "192.0.2.0"))
	s.start()
	s.look()
	mails := s.smtp.Mails()
	if len(mails) != 1 || mails[0].To != anna || mails[0].From != "luft@example.org" || strings.Contains(mails[0].Text, "Balkon") {
		t.Fatalf("asked with %+v", mails)
	}
	s.pass(30*time.Hour, false)
	if got := s.subjects(1); got != "" {
		t.Fatalf("before the confirmation came: %s", got)
	}
	s.must(s.registry.Confirm(t.Context(), s.id, token(t, mails[0].Text, "confirm", s.id)))
	s.at = time.Now()
	s.start()
	s.pass(2*time.Hour, true)
	s.start()
	s.pass(30*time.Hour, false)
	s.start()
	s.pass(30*time.Hour, false)
	if got := s.subjects(1); got != "Balkon Süd ist still" {
		t.Fatalf("silent for 60 hours: %q", got)
	}
	s.start()
	s.pass(3*time.Hour, true)
	if got := s.subjects(2); got != "Balkon Süd ist wieder da" {
		t.Fatalf("back: %q", got)
	}
	m := s.smtp.Mails()[2]
	link, post := m.Header.Get("List-Unsubscribe"), m.Header.Get("List-Unsubscribe-Post")
	if !strings.HasPrefix(link, "<https://") || !strings.HasSuffix(link, ">") || post != "List-Unsubscribe=One-Click" {
		t.Fatalf("List-Unsubscribe: %s, List-Unsubscribe-Post: %s", link, post)
	}
	s.must(s.registry.Unsubscribe(t.Context(), s.id, token(t, strings.Trim(link, "<>"), "unsubscribe", s.id)))
	s.start()
	s.pass(60*time.Hour, false)
	if got := s.subjects(3); got != "" {
		t.Errorf("after the unsubscription came: %s", got)
	}
	if strings.Contains(s.log.String(), "schmitz") {
		t.Errorf("the address is in the log: %s", s.log.String())
	}
	if got := s.service.Stats(s.at); got.Queued[registry.ByMail] != 0 {
		t.Errorf("%+v", got)
	}
}

// TestMails looks at what is in a mail, in both languages.
func TestMails(t *testing.T) {
	f := func(language string, k registry.Kind, subject string, texts ...string) {
		t.Helper()
		s := begin(t, false)
		s.must(s.registry.Edit(t.Context(), s.id, registry.Owner, registry.Edit{Name: new("Bälle <b>& Co</b>")}))
		s.subscribed(registry.Wanted{Email: anna, Language: language, Silent: true, Check: true, Week: true})
		since := time.Date(2026, 11, 30, 13, 2, 0, 0, time.UTC)
		s.must(s.registry.UpdateNotices(t.Context(), s.id, func(n *registry.Notices) bool {
			n.Queue = append(n.Queue, registry.Notice{Kind: k, Of: registry.Check, Channel: registry.ByMail, At: s.at.UTC().Truncate(time.Second), Since: since})
			return true
		}))
		s.look()
		mails := s.smtp.Mails()
		if len(mails) != 2 {
			t.Fatalf("%s %s: %d mails", language, k, len(mails))
		}
		m := mails[1]
		flat := strings.Join(strings.Fields(m.Text), " ")
		for _, text := range append(texts, "https://luft.example.org/stations/"+s.id, "https://luft.example.org/notices/unsubscribe/"+s.id+"/") {
			if !strings.Contains(flat, text) {
				t.Errorf("%s %s: no %q in\n%s", language, k, text, m.Text)
			}
		}
		if m.Subject != subject {
			t.Errorf("%s %s: subject %q, want %q", language, k, m.Subject, subject)
		}
		if strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "&lt;b&gt;") || !strings.Contains(m.HTML, `lang="`+language+`"`) {
			t.Errorf("%s %s: %s", language, k, m.HTML)
		}
		if _, err := mail.ParseDate(m.Header.Get("Date")); err != nil || m.Header.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(m.Header.Get("Message-Id"), "@example.org>") ||
			m.Header.Get("From") != "=?utf-8?q?Stadtluft_K=C3=B6ln?= <luft@example.org>" || m.Header.Get("User-Agent")+m.Header.Get("X-Mailer") != "" || m.Header.Get("To") != "<"+anna+">" {
			t.Errorf("%s %s: %v %v", language, k, err, m.Header)
		}
		for _, line := range strings.Split(m.Text, "\n") {
			if len([]rune(line)) > 78 && !strings.HasPrefix(line, "https://") {
				t.Errorf("%s %s: a line of %d characters: %s", language, k, len([]rune(line)), line)
			}
		}
	}
	f("de", registry.Silent, "Bälle <b>& Co</b> ist still", "kam am 30.11.2026, 14:02 Uhr.", "Hat sie Strom", "Verwaltungslink")
	f("en", registry.Silent, "Bälle <b>& Co</b> is silent", "came on 30 November 2026, 14:02.", "Does it have power")
	f("de", registry.Check, "Bälle <b>& Co</b> braucht einen Blick", "seit dem 30.11.2026, 14:02 Uhr zählt mehr als die Hälfte", ingest.Stuck.Explain().TodoGerman)
	f("en", registry.Check, "Bälle <b>& Co</b> needs a look", "since 30 November 2026, 14:02 more than half", ingest.Stuck.Explain().TodoEnglish)
	f("de", registry.Back, "Bälle <b>& Co</b> zählt wieder", "zählen wieder. Die meisten taten es seit dem 30.11.2026, 14:02 Uhr nicht.")
	f("en", registry.Back, "Bälle <b>& Co</b> counts again", "count again. Most had not since 30 November 2026, 14:02.")
	f("de", registry.Week, "Bälle <b>& Co</b>: deine Station in dieser Woche", "in 160 von 168 Stunden", "97 % zählen", "PM2,5: im Mittel 12,3 µg/m³, von 1,0 bis 56,7")
	f("en", registry.Week, "Bälle <b>& Co</b>: your station this week", "in 160 of 168 hours", "97 % count", "PM2.5: mean 12.3 µg/m³, from 1.0 to 56.7")
}

// TestASilenceNamesWhatWasRefused has a station that still sends, but nothing that can be taken.
func TestASilenceNamesWhatWasRefused(t *testing.T) {
	s := begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	s.at = time.Now()
	s.pass(2*time.Hour, true)
	s.pass(23*time.Hour, false)
	s.must(s.registry.KeepRefusals(t.Context(), []ingest.Refusal{{Station: s.id, Received: s.at, Reason: wire.Clock}}))
	s.pass(2*time.Hour, false)
	mails := s.smtp.Mails()
	if text := strings.Join(strings.Fields(mails[len(mails)-1].Text), " "); !strings.Contains(text, "It still sends") || !strings.Contains(text, wire.Clock.Explain().TodoEnglish) {
		t.Errorf("%s", text)
	}
}

// TestAServerThatIsAwayForADay has the SMTP server fail in each way while a station falls silent, for a day, with a restart.
func TestAServerThatIsAwayForADay(t *testing.T) {
	for name, fail := range map[string]func(s *story){
		"later":  func(s *story) { s.smtp.Refuse(451, "greylisted, "+anna) },
		"hangs":  func(s *story) { s.smtp.Hang(); s.service.SMTP.Timeout = 50 * time.Millisecond },
		"sender": func(s *story) { s.smtp.RefuseSender(550, "who are you") },
		"closed": func(s *story) { s.service.SMTP.Port = 1 },
		"login":  func(s *story) { s.service.SMTP.User, s.service.SMTP.Password = "nobody", "wrong" },
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, false)
			s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
			s.at = time.Now()
			s.pass(2*time.Hour, true)
			s.pass(23*time.Hour, false)
			fail(s)
			s.pass(12*time.Hour, false)
			if got := s.service.Stats(s.at); got.Queued[registry.ByMail] != 1 || got.Oldest < 10*time.Hour {
				t.Errorf("while it is away: %+v", got)
			}
			if name != "later" && s.service.Problem() == nil {
				t.Error("no problem is told")
			}
			s.start()
			fail(s)
			s.pass(12*time.Hour, false)
			s.smtp.Refuse(0, "")
			s.smtp.RefuseSender(0, "")
			s.smtp.Speak()
			s.start()
			s.pass(2*time.Hour, false)
			if got := s.subjects(1); got != "Balkon Süd is silent" {
				t.Errorf("afterwards came %q", got)
			}
			if strings.Contains(s.log.String(), "schmitz") {
				t.Errorf("the address is in the log: %s", s.log.String())
			}
		})
	}
}

// TestWhatIsOverBeforeItWasTold has a station come back while the server is away.
func TestWhatIsOverBeforeItWasTold(t *testing.T) {
	s := begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	s.at = time.Now()
	port := s.service.SMTP.Port
	s.service.SMTP.Port = 1
	s.pass(26*time.Hour, false)
	s.pass(4*time.Hour, true)
	s.service.SMTP.Port = port
	s.pass(2*time.Hour, true)
	if got := s.subjects(1); got != "" {
		t.Errorf("told %q", got)
	}
}

// TestAddressesThatDoNotExistAreDeleted has a server refuse the recipient for ever.
func TestAddressesThatDoNotExistAreDeleted(t *testing.T) {
	s := begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	s.smtp.Refuse(550, "no such user "+anna)
	for i := range maxBounces {
		if s.registry.Notices(s.id).Wanted.Email == "" {
			t.Fatalf("deleted after %d mails", i)
		}
		s.must(s.registry.UpdateNotices(t.Context(), s.id, func(n *registry.Notices) bool {
			n.Queue = append(n.Queue, registry.Notice{Kind: registry.Silent, Channel: registry.ByMail, At: s.at.UTC().Truncate(time.Second)})
			return true
		}))
		s.look()
	}
	if st, _ := s.registry.Station(s.id); st.Email != "" || len(s.registry.Watched()) != 0 {
		t.Errorf("after %d mails it is still there", maxBounces)
	}
	if got := s.service.Stats(s.at).Failed["bounced"]; got != maxBounces {
		t.Errorf("counted %d, want %d", got, maxBounces)
	}
	if strings.Contains(s.log.String(), "schmitz") {
		t.Errorf("the address is in the log: %s", s.log.String())
	}
}

func TestWhatNobodyConfirmsIsDeleted(t *testing.T) {
	s := begin(t, false)
	s.must(s.registry.Subscribe(t.Context(), s.id, registry.Owner, registry.Wanted{Email: anna, Silent: true}, "192.0.2.0"))
	s.pass(registry.ConfirmTime-time.Hour, true)
	if s.registry.Notices(s.id).Wanted.Email == "" {
		t.Fatal("deleted too early")
	}
	s.pass(2*time.Hour, true)
	if n := s.registry.Notices(s.id); n.Wanted.Email != "" {
		t.Errorf("still there: %+v", n)
	}
}

// TestLimits has many stations doubted at once, and one that is told of again and again.
func TestLimits(t *testing.T) {
	s := begin(t, false)
	s.perHour = 4
	s.start()
	for range 12 {
		id := s.station("Hof")
		s.must(s.registry.Subscribe(t.Context(), id, registry.Owner, registry.Wanted{Email: id + "@example.org", Language: "en", Check: true}, id))
	}
	start := s.at
	most := 0
	sent := make([]int, 6) // none in the hour before
	for s.at.Sub(start) < 8*time.Hour {
		s.pass(10*time.Minute, true)
		sent = append(sent, len(s.smtp.Mails()))
		most = max(most, sent[len(sent)-1]-sent[len(sent)-7])
	}
	if got := len(s.smtp.Mails()); got != 12 || most > 4 {
		t.Errorf("%d mails, at most %d in an hour; want 12 and at most 4", got, most)
	}

	s = begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true, Check: true})
	s.at = time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour)
	s.service.PerDay = 1
	s.source.last[s.id] = s.at
	s.must(s.registry.UpdateNotices(t.Context(), s.id, func(n *registry.Notices) bool {
		n.Day, n.Sent = s.at.Format(time.DateOnly), 1
		n.History = registry.History{From: s.at.Add(-72 * time.Hour), Week: n.History.Week.AddDate(9, 0, 0)}
		return true
	}))
	s.source.last[s.id] = s.at.Add(-30 * time.Hour)
	s.service.started = s.at.Add(-48 * time.Hour)
	s.pass(23*time.Hour, false)
	if got := s.subjects(1); got != "" {
		t.Errorf("one too many today: %s", got)
	}
	s.pass(2*time.Hour, false)
	if got := s.subjects(1); got != "Balkon Süd is silent" {
		t.Errorf("the day after: %q", got)
	}
}

// TestACrowdIsNotTold has most stations fall silent at once, as when the network before the server is gone; and a server that was
// away itself.
func TestACrowdIsNotTold(t *testing.T) {
	s := begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	for range 6 {
		s.station("Hof")
	}
	s.at = time.Now()
	s.pass(2*time.Hour, true)
	s.pass(40*time.Hour, false)
	if got := s.subjects(1); got != "" {
		t.Errorf("all are silent, and one is told: %s", got)
	}

	s = begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	s.source.last[s.id] = time.Now()
	s.at = time.Now().Add(30 * time.Hour) // nothing ran meanwhile
	s.start()
	s.look()
	s.pass(30*time.Minute, true)
	if got := s.subjects(1); got != "" {
		t.Errorf("the server was away, and the station is told: %s", got)
	}
}

// TestTwoProcessesSendOnce has two services on one registry look and send at the same time.
func TestTwoProcessesSendOnce(t *testing.T) {
	s := begin(t, false)
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	first := s.service
	s.registry = registrytest.Open(t, registry.Options{InProcess: s.nats, Zone: "Europe/Berlin"})
	s.at = time.Now()
	s.start()
	s.must(first.look(t.Context(), s.at))
	s.source.last[s.id] = s.at
	for range 27 {
		s.at = s.at.Add(time.Hour)
		var both sync.WaitGroup
		for _, service := range []*Service{first, s.service} {
			both.Go(func() {
				if err := service.look(t.Context(), s.at); err != nil {
					t.Error(err)
				}
				if err := service.deliver(t.Context(), s.at, registry.ByMail); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	if got := s.subjects(1); got != "Balkon Süd is silent" {
		t.Errorf("two processes sent %q", got)
	}
}

func TestSMTPCheck(t *testing.T) {
	server := noticestest.Start(t, true)
	host, port, _ := net.SplitHostPort(server.Addr)
	number, _ := strconv.Atoi(port)
	right := SMTP{Host: host, Port: number, User: noticestest.User, Password: noticestest.Password, From: "luft@example.org", TLS: StartTLS, Config: &tls.Config{RootCAs: server.Roots}, Timeout: 2 * time.Second}
	if err := right.Check(t.Context()); err != nil {
		t.Errorf("with TLS and log-in: %v", err)
	}
	f := func(what, words string, change func(s *SMTP)) {
		t.Helper()
		s := right
		change(&s)
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", what, err, words)
		}
	}
	f("a wrong password", "wrong user or password", func(s *SMTP) { s.Password = "x" })
	f("a certificate nobody knows", "certificate", func(s *SMTP) { s.Config = nil })
	f("TLS from the first byte", "tls", func(s *SMTP) { s.TLS = ImplicitTLS })
	f("nobody there", "refused", func(s *SMTP) { s.Port = 1 })
	plain := noticestest.Start(t, false)
	_, port, _ = net.SplitHostPort(plain.Addr)
	f("no TLS there", "STARTTLS", func(s *SMTP) { s.Port, _ = strconv.Atoi(port) })
	if mails := server.Mails(); len(mails) > 0 {
		t.Errorf("a check sent %v", mails)
	}
}

func TestMailsOverTLS(t *testing.T) {
	s := begin(t, true)
	s.service.SMTP.User, s.service.SMTP.Password, s.service.SMTP.TLS, s.service.SMTP.Config = noticestest.User, noticestest.Password, StartTLS, &tls.Config{RootCAs: s.smtp.Roots}
	s.subscribed(registry.Wanted{Email: anna, Language: "en", Silent: true})
	if got := s.smtp.Mails()[0].Subject; got != "Confirm notices of station "+s.id {
		t.Errorf("subject %q", got)
	}
}

// TestNoHeaderIsInjected writes what would be a header into each text of a mail.
func TestNoHeaderIsInjected(t *testing.T) {
	s := SMTP{From: "luft@example.org"}
	evil := "x\r\nBcc: eve@example.org\r\n\r\nbody"
	m, err := s.message(letter{to: anna, subject: evil, text: "t", html: "h", id: evil, language: "en", unsubscribe: "https://luft.example.org/" + strings.NewReplacer("\r", "%0D", "\n", "%0A").Replace(evil)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	parsed, err := mail.ReadMessage(&b)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Header.Get("Bcc") != "" || parsed.Header.Get("Subject") != "x Bcc: eve@example.org body" {
		t.Errorf("header %v", parsed.Header)
	}
	for _, to := range []string{"a@example.org\r\nBcc: eve@example.org", "a@example.org, eve@example.org"} {
		if _, err := s.message(letter{to: to, unsubscribe: "https://luft.example.org/"}); err == nil || strings.Contains(err.Error(), "eve") {
			t.Errorf("to %q: %v", to, err)
		}
	}
}

// TestWebhooks sends to a receiver that the operator allows, as ntfy and as JSON.
func TestWebhooks(t *testing.T) {
	var mu sync.Mutex
	var got []*http.Request
	var bodies []string
	status := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got, bodies = append(got, r), append(bodies, string(body))
		w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	for kind, look := range map[registry.Hook]func(r *http.Request, body string) bool{
		registry.Ntfy: func(r *http.Request, body string) bool {
			return r.Header.Get("Title") == "=?utf-8?b?QmFsa29uIFPDvGQgaXN0IHN0aWxs?=" && strings.HasPrefix(body, "Der letzte Messwert") && strings.HasPrefix(r.Header.Get("Click"), "https://luft.example.org/stations/")
		},
		registry.JSONHook: func(r *http.Request, body string) bool {
			var c call
			return json.Unmarshal([]byte(body), &c) == nil && c.Kind == "silent" && c.Title == "Balkon Süd ist still" && c.Since != "" && r.Header.Get("Content-Type") == "application/json"
		},
	} {
		got, bodies, status = nil, nil, http.StatusFound
		s := begin(t, false)
		s.service.Hooks = &Hooks{Hosts: []string{"127.0.0.1"}}
		s.must(s.registry.Subscribe(t.Context(), s.id, registry.Owner, registry.Wanted{Hook: receiver.URL + "/geheim", HookKind: kind, Language: "de", Silent: true}, ""))
		s.look()
		if len(got) != 1 || got[0].URL.Path != "/geheim" || s.service.Stats(s.at).Queued[registry.ByHook] != 1 {
			t.Fatalf("%s: a redirect: %d requests", kind, len(got))
		}
		mu.Lock()
		status = http.StatusOK
		mu.Unlock()
		s.at = time.Now()
		s.pass(2*time.Hour, true)
		s.pass(26*time.Hour, false)
		if len(got) != 3 || !look(got[2], bodies[2]) {
			t.Errorf("%s: %d requests, %q", kind, len(got), bodies)
		}
		if strings.Contains(s.log.String(), "geheim") {
			t.Errorf("the address is in the log: %s", s.log.String())
		}
	}
}

// TestWebhooksReachNoOwnNetwork tries addresses of this host and of its networks, by number and by name.
func TestWebhooksReachNoOwnNetwork(t *testing.T) {
	reached := false
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer receiver.Close()
	h := &Hooks{}
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:db8::1]",
	} {
		if err := h.Check("https://" + host + "/x"); err == nil {
			t.Errorf("%s can be set", host)
		}
		if err := h.dialled(t, host); !errors.Is(err, errHost) {
			t.Errorf("%s: %v, want %v", host, err, errHost)
		}
	}
	for _, address := range []string{"http://example.org/", "https://example.org:8443/", "https://localhost:" + receiver.URL[strings.LastIndexByte(receiver.URL, ':')+1:] + "/"} {
		if err := h.Check(address); err == nil {
			t.Errorf("%s can be set", address)
		}
	}
	// A name that says nothing of where it leads.
	if err := h.Check("https://localhost/x"); err != nil {
		t.Errorf("a name: %v", err)
	}
	if err := h.send(t.Context(), "https://localhost/x", registry.Ntfy, call{}); err == nil || !strings.Contains(err.Error(), errHost.Error()) || reached {
		t.Errorf("a name of this host: %v", err)
	}
	if err := h.Check("https://ntfy.sh/x"); err != nil {
		t.Errorf("ntfy.sh: %v", err)
	}
	if err := (&Hooks{Off: true}).send(t.Context(), "https://ntfy.sh/x", registry.Ntfy, call{}); err == nil {
		t.Error("switched off, and sent")
	}
}

// dialled returns why a webhook's request to a host failed, whatever Check says of the host.
func (h *Hooks) dialled(t *testing.T, host string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.client(r.URL).Do(r)
	if err != nil {
		return cause(err)
	}
	answer.Body.Close()
	return nil
}
