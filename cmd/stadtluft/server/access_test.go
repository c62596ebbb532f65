package server

import (
	"net"
	"os"
	"testing"
)

// TestAddresses expects the addresses in a kit's settings, and the one for commands on this host.
func TestAddresses(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	f := func(c Config, wantKits, wantReached string) {
		t.Helper()
		a := c.Local(c.Access())
		if got := a.HTTP.String() + " " + net.JoinHostPort(a.MQTTHost, "1883"); got != wantKits {
			t.Errorf("%+v: kits are told %s, want %s", c, got, wantKits)
		}
		if got := c.ServerURL(); got != wantReached {
			t.Errorf("%+v: reached at %s, want %s", c, got, wantReached)
		}
	}
	f(Config{HTTPListen: "127.0.0.1:8080"}, "http://127.0.0.1:8080 127.0.0.1:1883", "http://127.0.0.1:8080")
	f(Config{HTTPListen: ":8080"}, "http://"+host+":8080 "+host+":1883", "http://127.0.0.1:8080")
	f(Config{HTTPListen: "[::]:8080", HTTPTLSCert: "x"}, "https://"+host+":8080 "+host+":1883", "https://127.0.0.1:8080")
	f(Config{HTTPListen: "0.0.0.0:443", HTTPTLSCert: "x", HTTPPublicURL: "https://luft.example.org/"}, "https://luft.example.org luft.example.org:1883", "https://luft.example.org")
	f(Config{HTTPListen: "127.0.0.1:8080", HTTPPublicURL: "https://luft.example.org", MQTTBroker: "ssl://mqtt.example.org"},
		"https://luft.example.org mqtt.example.org:1883", "http://127.0.0.1:8080")
}
