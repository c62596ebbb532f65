package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a pair of PEM files that are read again after they were renewed.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu   sync.Mutex // guards the fields below
	pair *tls.Certificate
	read time.Time // modification time of the certificate's file that was read
}

// serverTLS returns the TLS configuration of a listener with these files.
func serverTLS(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	pair, err := c.get(nil)
	if err == nil && time.Now().After(pair.Leaf.NotAfter) {
		err = expired(certFile, pair.Leaf.NotAfter)
	}
	if err != nil {
		return nil, ConfigError{err}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

// get checks at each handshake whether the files are new. Until both match, as during a renewal, it returns the old
// pair.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.certFile)
	if err == nil && c.pair != nil && info.ModTime().Equal(c.read) {
		return c.pair, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile)
	}
	switch {
	case err == nil:
		c.pair, c.read = &pair, info.ModTime()
	case c.pair == nil:
		return nil, fmt.Errorf("certificate %s: %w", c.certFile, err)
	default:
		c.log.Warn("certificate reload failed, keeping the old one", "file", c.certFile, "err", err)
	}
	return c.pair, nil
}

// expired returns the error of a certificate that ended: nobody connects who looks at it.
func expired(certFile string, end time.Time) error {
	return fmt.Errorf("certificate %s: expired on %s: renew it", certFile, end.UTC().Format(time.RFC3339))
}
