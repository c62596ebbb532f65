// Package noticestest runs an SMTP server for tests that takes mails, or refuses them in the ways in which real servers do.
package noticestest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The log-in that a server with TLS asks for.
const (
	User     = "stadtluft"
	Password = "a password"
)

// Mail is a mail that was taken.
type Mail struct {
	From, To   string // of the envelope
	Header     mail.Header
	Subject    string
	Text, HTML string
}

// Server is an SMTP server.
type Server struct {
	Addr  string
	Roots *x509.CertPool // of its certificate

	server *smtp.Server
	mu     sync.Mutex // guards below
	mails  []Mail
	refuse error         // each recipient
	sender error         // each sender
	silent chan struct{} // while it is not nil, nothing is answered
}

// Start runs a server until the test ends. With encrypted it has STARTTLS and takes nothing without User and Password.
func Start(t testing.TB, encrypted bool) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), Roots: x509.NewCertPool()}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{s: s, known: !encrypted}, nil }))
	s.server.ErrorLog = quiet{}
	if encrypted {
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.certificate(t)}}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.server.Serve(&slowListener{l, s})
	}()
	t.Cleanup(func() {
		s.Speak()
		s.server.Close()
		<-done
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Refuse makes the server answer each recipient with a code; 0 takes them again.
func (s *Server) Refuse(code int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = answer(code, message)
}

// RefuseSender makes the server answer each sender with a code; 0 takes them again.
func (s *Server) RefuseSender(code int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sender = answer(code, message)
}

func answer(code int, message string) error {
	if code == 0 {
		return nil
	}
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: message}
}

// Hang makes the server take connections and say nothing until Speak is called.
func (s *Server) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = make(chan struct{})
}

// Speak ends Hang.
func (s *Server) Speak() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent != nil {
		close(s.silent)
		s.silent = nil
	}
}

// Mails returns the mails that were taken, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// slowListener lets connections hang.
type slowListener struct {
	net.Listener
	s *Server
}

func (l *slowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if wait := l.s.silent; err == nil && wait != nil {
		return &slowConn{c, wait}, nil
	}
	return c, err
}

type slowConn struct {
	net.Conn
	wait chan struct{}
}

func (c *slowConn) Write(b []byte) (int, error) {
	<-c.wait
	return c.Conn.Write(b)
}

// session is a conversation.
type session struct {
	s        *Server
	known    bool
	from, to string
}

func (c *session) AuthMechanisms() []string {
	if c.known {
		return nil
	}
	return []string{sasl.Plain}
}

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if c.known = user == User && password == Password; !c.known {
			return errors.New("wrong user or password")
		}
		return nil
	}), nil
}

func (c *session) Reset()        { c.from, c.to = "", "" }
func (c *session) Logout() error { return nil }

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if !c.known {
		return smtp.ErrAuthRequired
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.from = from
	return c.s.sender
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.to = to
	return c.s.refuse
}

func (c *session) Data(r io.Reader) error {
	m, err := read(r)
	if err != nil {
		return err
	}
	m.From, m.To = c.from, c.to
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.mails = append(c.s.mails, m)
	return nil
}

// read reads a mail with a text and an HTML part.
func read(r io.Reader) (m Mail, err error) {
	whole, err := mail.ReadMessage(r)
	if err != nil {
		return m, err
	}
	m.Header = whole.Header
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(whole.Header.Get("Subject")); err != nil {
		return m, err
	}
	_, parameters, err := mime.ParseMediaType(whole.Header.Get("Content-Type"))
	if err != nil {
		return m, err
	}
	parts := multipart.NewReader(whole.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return m, err
		}
		into := &m.Text
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			into = &m.HTML
		}
		*into = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

// certificate makes the server's certificate.
func (s *Server) certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.Roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
