package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificateFiles writes a certificate of 127.0.0.1 and its key.
func certificateFiles(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		return writeFile(t, name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	return write("cert.pem", "CERTIFICATE", server.Certificate().Raw), write("key.pem", "PRIVATE KEY", key)
}

// TestCertificateIsReadAgain renews the files of a running server, first with invalid ones.
func TestCertificateIsReadAgain(t *testing.T) {
	certFile, keyFile := certificateFiles(t)
	config, err := serverTLS(certFile, keyFile, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	get := func() *tls.Certificate {
		t.Helper()
		pair, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	content, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	first := get()
	if get() != first {
		t.Error("a certificate that has not changed was read again")
	}
	renew := func(content string, after time.Duration) {
		t.Helper()
		if err := os.WriteFile(certFile, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if at := time.Now().Add(after); os.Chtimes(certFile, at, at) != nil {
			t.Fatal("cannot set the time of", certFile)
		}
	}
	renew("half a certif", time.Hour)
	if get() != first {
		t.Error("a broken certificate took the place of the old one")
	}
	renew(string(content), 2*time.Hour)
	if get() == first {
		t.Error("the renewed certificate was not read")
	}
	if _, err := serverTLS(filepath.Join(t.TempDir(), "none"), keyFile, slog.Default()); err == nil {
		t.Error("a start without a certificate has no error")
	}
}
