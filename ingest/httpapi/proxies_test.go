package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhoSentARequest has requests come directly and through proxies that do and do not tell the truth.
func TestWhoSentARequest(t *testing.T) {
	f := func(trusted, peer string, forwarded []string, want string) {
		t.Helper()
		proxies, err := ParseProxies(trusted)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header["X-Forwarded-For"] = forwarded
		got := ""
		proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Address(r) })).ServeHTTP(httptest.NewRecorder(), r)
		if got != want {
			t.Errorf("trusted %q, from %s, forwarded %q: %q, want %q", trusted, peer, forwarded, got, want)
		}
	}
	const compose = "127.0.0.0/8 ::1 172.16.0.0/12"
	f("", "198.51.100.7:4711", nil, "198.51.100.7")
	f("", "127.0.0.1:4711", []string{"203.0.113.5"}, "127.0.0.1")                                          // nobody is believed
	f(LocalProxies, "198.51.100.7:4711", []string{"203.0.113.5"}, "198.51.100.7")                          // not a proxy: it claims
	f(LocalProxies, "127.0.0.1:4711", nil, "127.0.0.1")                                                    // a proxy that says nothing
	f(LocalProxies, "127.0.0.1:4711", []string{"203.0.113.5"}, "203.0.113.5")                              //
	f(LocalProxies, "[::1]:4711", []string{"203.0.113.5"}, "203.0.113.5")                                  //
	f(LocalProxies, "[::ffff:127.0.0.1]:4711", []string{"203.0.113.5"}, "203.0.113.5")                     // IPv4 on an IPv6 socket
	f(LocalProxies, "127.0.0.1:4711", []string{"10.9.9.9, 203.0.113.5"}, "203.0.113.5")                    // the first is what the sender claims
	f(LocalProxies, "127.0.0.1:4711", []string{"10.9.9.9", "203.0.113.5"}, "203.0.113.5")                  // on two lines
	f(LocalProxies, "127.0.0.1:4711", []string{"10.9.9.9", "", "203.0.113.5 , "}, "203.0.113.5")           // with empty ones
	f(LocalProxies, "127.0.0.1:4711", []string{"203.0.113.5:1234"}, "203.0.113.5")                         // Azure writes ports
	f(LocalProxies, "127.0.0.1:4711", []string{`"[2001:db8:1:2:3:4:5:6]:1234"`}, "2001:db8:1:2::")         //
	f(LocalProxies, "127.0.0.1:4711", []string{"[2001:db8:1:2::9]"}, "2001:db8:1:2::")                     //
	f(LocalProxies, "127.0.0.1:4711", []string{"2001:db8:1:2::9%eth0"}, "2001:db8:1:2::")                  //
	f(LocalProxies, "127.0.0.1:4711", []string{"::ffff:203.0.113.5"}, "203.0.113.5")                       //
	f(LocalProxies, "127.0.0.1:4711", []string{"203.0.113.5, unknown"}, "127.0.0.1")                       // the proxy does not know
	f(LocalProxies, "127.0.0.1:4711", []string{"<script>, 203.0.113.5"}, "203.0.113.5")                    // nobody looks there
	f(LocalProxies, "127.0.0.1:4711", []string{"127.0.0.1, 127.0.0.2"}, "127.0.0.1")                       // all of this host
	f(compose, "172.18.0.2:4711", []string{"203.0.113.5"}, "203.0.113.5")                                  // compose: the proxy has an address of its own
	f(compose, "172.18.0.2:4711", []string{"10.9.9.9, 203.0.113.5, 172.18.0.9, 127.0.0.1"}, "203.0.113.5") // a chain
	f(compose, "172.18.0.2:4711", []string{strings.Repeat("172.18.0.9,", 20)}, "172.18.0.9")               //
	f(LocalProxies, "172.18.0.2:4711", []string{"203.0.113.5"}, "172.18.0.2")                              // not configured
	f(LocalProxies, "@", nil, "@")                                                                         // a Unix socket
}

// TestForwardedProto is taken from proxies alone.
func TestForwardedProto(t *testing.T) {
	proxies, err := ParseProxies(LocalProxies)
	if err != nil {
		t.Fatal(err)
	}
	for peer, want := range map[string]string{"127.0.0.1:1": "https", "198.51.100.7:1": ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-Proto", "https")
		proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("X-Forwarded-Proto"); got != want {
				t.Errorf("from %s: %q, want %q", peer, got, want)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestProxiesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"localhost": "neither an address", "10.0.0.5/24": "the network is 10.0.0.0/24", "10.0.0.0/33": "neither", "fe80::1%eth0": "neither", "10.0.0.1;10.0.0.2": "neither",
	} {
		if _, err := ParseProxies(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
