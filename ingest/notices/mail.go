package notices

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// smtpTime bounds each step of a conversation with the SMTP server unless it is configured.
const smtpTime = 20 * time.Second

// TLSMode is how a connection to the SMTP server is encrypted.
type TLSMode string

const (
	StartTLS    TLSMode = "starttls" // after the greeting; a server without it is refused
	ImplicitTLS TLSMode = "tls"      // from the first byte
	NoTLS       TLSMode = "none"
)

// SMTP is the server that takes mails. The zero value takes none.
type SMTP struct {
	Host     string
	Port     int
	User     string // empty without a log-in
	Password string
	From     string // an address, or a name with one in angle brackets
	TLS      TLSMode

	Name    string        // of this host for the server, fully qualified; empty is what the system says
	Config  *tls.Config   // nil is the system's
	Timeout time.Duration // of each step of a conversation; 0 is 20 s
}

// Set reports whether there is a server.
func (s SMTP) Set() bool { return s.Host != "" }

// Check connects to the server as for a mail, with TLS and log-in, and sends nothing.
func (s SMTP) Check(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	return c.close()
}

// connection is a connection to the SMTP server.
type connection struct {
	client *mail.Client
	smtp   *smtp.Client
	stop   func() bool // of the watch that closes it when its context ends
}

func (c *connection) close() error {
	c.stop()
	return c.client.CloseWithSMTPClient(c.smtp)
}

// dial connects and logs in. The connection ends with ctx.
func (s SMTP) dial(ctx context.Context) (*connection, error) {
	conn := &connection{stop: func() bool { return true }}
	var raw net.Conn
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.Config != nil {
		config = s.Config.Clone()
	}
	config.ServerName = s.Host
	policy := mail.NoTLS
	if s.TLS == StartTLS {
		policy = mail.TLSMandatory
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		if raw, err = (&net.Dialer{}).DialContext(ctx, network, address); err != nil || s.TLS != ImplicitTLS {
			return raw, err
		}
		encrypted := tls.Client(raw, config)
		return encrypted, encrypted.HandshakeContext(ctx)
	}
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(cmp.Or(s.Timeout, smtpTime)), mail.WithTLSPolicy(policy), mail.WithTLSConfig(config), mail.WithDialContextFunc(func(timed context.Context, network, address string) (net.Conn, error) {
		c, err := dial(timed, network, address)
		if raw != nil {
			conn.stop = context.AfterFunc(ctx, func() { raw.Close() })
		}
		return c, err
	})}
	if s.Name != "" {
		options = append(options, mail.WithHELO(s.Name))
	}
	if s.User != "" {
		options = append(options, mail.WithUsername(s.User), mail.WithPassword(s.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	var err error
	if conn.client, err = mail.NewClient(s.Host, options...); err == nil {
		conn.smtp, err = conn.client.DialToSMTPClientWithContext(ctx)
	}
	if err != nil {
		if conn.stop(); raw != nil {
			raw.Close()
		}
		return nil, fmt.Errorf("connect to the SMTP server %s: %w", net.JoinHostPort(s.Host, fmt.Sprint(s.Port)), err)
	}
	return conn, nil
}

// letter is a mail.
type letter struct {
	to          string
	language    string
	subject     string
	text, html  string
	id          string // distinguishes it from others of the sender; the same again after an interruption
	at          time.Time
	unsubscribe string // address of the one-click unsubscription (RFC 8058)
}

// message returns a letter as it is sent. No text in it can become a header.
func (s SMTP) message(l letter) (*mail.Msg, error) {
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, err
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(from)
	if err := m.To(l.to); err != nil {
		return nil, errors.New("the address is not valid") // the error would quote it
	}
	m.Subject(strings.Join(strings.Fields(l.subject), " "))
	m.SetDateWithValue(l.at)
	sum := sha256.Sum256([]byte(l.id))
	m.SetMessageIDWithValue(hex.EncodeToString(sum[:16]) + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	m.SetGenHeader("Content-Language", l.language)
	if strings.HasPrefix(l.unsubscribe, "https://") {
		err = m.SetListUnsubscribeOneClick(l.unsubscribe)
	} else {
		m.SetListUnsubscribe(l.unsubscribe)
		m.SetListUnsubscribePost()
	}
	m.SetBodyString(mail.TypeTextPlain, l.text)
	m.AddAlternativeString(mail.TypeTextHTML, l.html)
	return m, err
}

// outcome is what became of a mail that was not taken.
type outcome uint8

const (
	later   outcome = iota // the server takes it perhaps another time
	bounced                // the server refuses this recipient for ever
	away                   // the server cannot be used: the connection broke, or it refuses the sender
)

// refusal is a mail that was not taken. Its text has no address of a recipient: servers quote them.
type refusal struct {
	outcome outcome
	text    string
}

func (r *refusal) Error() string { return r.text }

// send sends a letter. Its error is a *refusal.
func (c *connection) send(s SMTP, l letter) error {
	m, err := s.message(l)
	if err != nil {
		return &refusal{bounced, "make a mail: " + err.Error()}
	}
	err = c.client.SendWithSMTPClient(c.smtp, m)
	if err == nil || m.IsDelivered() {
		return nil
	}
	var e *mail.SendError
	if !errors.As(err, &e) {
		return &refusal{away, "send a mail: the conversation with the server failed"}
	}
	r := &refusal{away, fmt.Sprintf("send a mail: %s: code %d %s", e.Reason, e.ErrorCode(), e.EnhancedStatusCode())}
	switch code := e.ErrorCode(); {
	case code == 421 || code == 0: // it closes the connection (RFC 5321, section 3.8), or the connection broke
	case e.Reason == mail.ErrSMTPRcptTo && code >= 500:
		r.outcome = bounced
	case e.Reason == mail.ErrSMTPRcptTo, e.Reason == mail.ErrSMTPData, e.Reason == mail.ErrSMTPDataClose:
		r.outcome = later
	}
	return r
}
