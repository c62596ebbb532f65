package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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

// TestExpiredCertificate starts and checks with a certificate that ended.
func TestExpiredCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.AddDate(0, -3, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile := writeFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	keyFile := writeFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	want := "certificate " + certFile + ": expired on 2026-05-01T10:00:00Z: renew it"
	if _, err := serverTLS(certFile, keyFile, slog.New(slog.DiscardHandler)); err == nil || err.Error() != want {
		t.Errorf("serverTLS: %v, want %q", err, want)
	}
	c := &inspection{}
	c.certificate("http", certFile, keyFile)
	if got := (Finding{Wrong, "http", want}); !slices.Equal(c.findings, []Finding{got}) {
		t.Errorf("check: %v, want %v", c.findings, got)
	}
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
