package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest"
)

// certificate writes a self-signed certificate of 127.0.0.1 and its key into a folder.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "city broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("broker.crt", "CERTIFICATE", der), write("broker.key", "PRIVATE KEY", private)
}

// TestTLS reads from a real Mosquitto over TLS if its authority is in the file, and not without.
func TestTLS(t *testing.T) {
	certFile, keyFile := certificate(t, t.TempDir())
	r := mosquitto(t, false, fmt.Sprintf("certfile %s\nkeyfile %s\nuser root\n", certFile, keyFile))
	url := strings.Replace(r.url, "mqtt://", "mqtts://", 1)
	for _, f := range []struct{ ca, want string }{{certFile, ""}, {"", "certificate signed by unknown authority"}} {
		s, err := New(Options{Broker: url, CAFile: f.ca, ClientID: "x", Out: make(chan ingest.Message), Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		version, err := s.Check(t.Context())
		switch {
		case f.want == "" && (err != nil || !strings.Contains(version, "mosquitto")):
			t.Errorf("with its authority: %q, %v", version, err)
		case f.want != "" && (err == nil || !strings.Contains(err.Error(), f.want)):
			t.Errorf("without its authority: %v, want %q", err, f.want)
		}
	}
}
