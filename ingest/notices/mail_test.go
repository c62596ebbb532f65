package notices

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/notices/noticestest"
	"stadtluft/ingest/registry"
)

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
