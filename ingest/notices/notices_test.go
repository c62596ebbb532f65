package notices

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
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
