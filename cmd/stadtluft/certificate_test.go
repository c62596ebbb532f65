package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// testCertificate writes a certificate of 127.0.0.1 and its key, and returns who trusts it.
func testCertificate(t *testing.T) (certFile, keyFile string, trusts *tls.Config) {
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
	trusts = &tls.Config{RootCAs: x509.NewCertPool()}
	trusts.RootCAs.AddCert(server.Certificate())
	return write("cert.pem", "CERTIFICATE", server.Certificate().Raw), write("key.pem", "PRIVATE KEY", key), trusts
}

// TestStationsAndPeopleOverTLS publishes and requests over TLS; clients that do not trust the city's certificate cannot.
func TestStationsAndPeopleOverTLS(t *testing.T) {
	data, addr := t.TempDir(), freeAddr(t)
	station := registerStations(t, data, 1)[0]
	certFile, keyFile, trusts := testCertificate(t)
	p := launch(t, data, "STADTLUFT_MQTT_TLS_LISTEN="+addr, "STADTLUFT_MQTT_TLS_CERT="+certFile, "STADTLUFT_MQTT_TLS_KEY="+keyFile)
	options := func(trusts *tls.Config) *mqtt.ClientOptions {
		return mqtt.NewClientOptions().AddBroker("ssl://" + addr).SetClientID("station").SetProtocolVersion(4).SetAutoReconnect(false).
			SetUsername(station.id).SetPassword(station.token).SetTLSConfig(trusts)
	}
	stranger := mqtt.NewClient(options(&tls.Config{}))
	if token := stranger.Connect(); !token.WaitTimeout(patience) || token.Error() == nil {
		t.Error("who does not trust the certificate is connected all the same")
	}
	client := mqtt.NewClient(options(trusts))
	if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	if token := client.Publish("stadtluft/v1/"+station.id+"/reading", 1, false, `{"pm10":17.5}`); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	eventually(t, "the reading", func() bool { return strings.Contains(string(p.get("/api/v1/readings?format=csv")), ",pm10,17.5,") })

	p.cmd.Process.Signal(os.Interrupt)
	<-p.done
	eventually(t, "the connection to end", func() bool { return !client.IsConnectionOpen() })
}

// TestHealthAsksThisHost asks a server with a certificate for a name that leads elsewhere, if anywhere.
func TestHealthAsksThisHost(t *testing.T) {
	certFile, keyFile, _ := testCertificate(t)
	p := prepare(t, t.TempDir())
	p.args = append(p.args, "--config", writeFile(t, "tls.yaml", fmt.Sprintf(
		"http:\n  listen: %s\n  public_url: https://luft.invalid\n  tls_cert: %s\n  tls_key: %s\n", strings.TrimPrefix(p.url, "http://"), certFile, keyFile)))
	p.begin()
	var messages string
	if !within(patience, func() bool {
		var status int
		status, _, messages = command(t, append([]string{"health"}, p.args[1:]...)...)
		return status == 0
	}) {
		t.Errorf("stadtluft health: %s", messages)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
