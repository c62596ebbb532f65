package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := Mask(text); got != want {
			t.Errorf("Mask(%q) = %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("a@b.example", "a@b.example")
	f("http://127.0.0.1:8086", "http://127.0.0.1:8086")
	f("https://www.example.org/a@b?c=d@e", "https://www.example.org/a@b?c=d@e")
	f("nats://user:s3cret@one:4222", "nats://user:***@one:4222")
	f("nats://s3cret@one:4222", "nats://***@one:4222")
	f("nats://user:s3cret@one:4222,nats://user:s3cret@two:4222", "nats://user:***@one:4222,nats://user:***@two:4222")
	f("nats://user:s3cret@one:4222, tls://s3cret@two:4222", "nats://user:***@one:4222, tls://***@two:4222")
	f("tcp://user:s3c@ret@one", "tcp://user:***@one")
	f("tcp://user:s3/c?r#et@one", "tcp://user:***@one") // not escaped, as people write it
	f(`connect "mqtt://u:s3cret@one:1883": refused`, `connect "mqtt://u:***@one:1883": refused`)
	f("http://:s3cret@one", "http://:***@one")
	f("http://one,http://u:s3cret@two", "http://one,http://u:***@two")
}

// TestSecretsStayInside shows passwords of addresses wherever an operator or a visitor sees settings, errors and logs.
func TestSecretsStayInside(t *testing.T) {
	c := defaults()
	c.NATSURL, c.InfluxURL, c.MQTTBroker = "nats://u:s3cret@one:4222,nats://u:s3cret@two:4222", "http://u:s3cret@one", "tcp://u:s3cret@one"
	for _, s := range shownSettings(c) {
		if strings.Contains(s.Value, "s3cret") {
			t.Errorf("setting %s is shown as %s", s.Key, s.Value)
		}
	}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		c.LogFormat = format
		log := NewLogger(c, &out)
		log.Warn("connect to tcp://u:s3cret@one failed", "broker", c.MQTTBroker, "err", fmt.Errorf("dial: %w", errors.New(c.NATSURL)), "url", &url.URL{Scheme: "http", User: url.UserPassword("u", "s3cret"), Host: "one"})
		log.With("broker", c.MQTTBroker).WithGroup("g").Info("again", "url", c.InfluxURL)
		if strings.Contains(out.String(), "s3cret") || strings.Count(out.String(), "***") < 5 {
			t.Errorf("%s log: %s", format, out.String())
		}
	}
	for _, yaml := range []string{"mqtt:\n  broker: \"tcp://u:s3cret@one:port\"\n", "store:\n  kind: influxdb\n  influxdb:\n    url: \"http://u:s3cret@[one\"\n", "publisher:\n  url: \"ftp://u:s3cret@one/\"\n"} {
		if _, err := LoadConfig(writeFile(t, "c.yaml", yaml), nil); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", yaml, err)
		}
	}
	c.InfluxURL, c.StoreKind, c.Data = "http://u:s3cret@127.0.0.1:1", "influxdb", t.TempDir()
	c.NATSURL, c.MQTTBroker, c.HTTPListen, c.MQTTListen = "nats://u:s3cret@127.0.0.1:1", "tcp://u:s3cret@127.0.0.1:1", "127.0.0.1:0", ""
	for _, f := range Check(t.Context(), c) {
		if strings.Contains(f.Text, "s3cret") {
			t.Errorf("check says of %s: %s", f.Part, f.Text)
		}
	}
	h := health{{problems: func(_ context.Context, add addProblem) { add("x", errors.New("http://u:s3cret@one: refused"), "look") }}}
	if list := h.problems(t.Context()); len(list) != 1 || strings.Contains(list[0].Problem, "s3cret") {
		t.Errorf("problems %v", list)
	}
}

func TestTokenBits(t *testing.T) {
	f := func(token string, enough bool) {
		t.Helper()
		if bits := tokenBits(token); bits >= leastBits != enough {
			t.Errorf("%q has %.0f bits, enough is %v", token, bits, enough)
		}
	}
	f("", false)
	f("abc", false)
	f("secret", false)
	f("correct horse battery", false)
	f(strings.Repeat("password", 10), false)
	f(strings.Repeat("0", 200), false)
	f("0123456789012345678901234567890123456789", false) // ten digits, again and again
	f("6f1c2d9be04a7753c8a1d2f09b6e4c31", true)          // openssl rand -hex 16
	f("6f1c2d9be04a7753c8a1d2f09b6e4c3", false)          //
	f("q5rJ1mVtq0Zx3hP8sKd2Lw==", true)                  // openssl rand -base64 16
	f("7k2m9qx4vbt8w3hn5c0rz6jdpg", true)                // as we make them: 26 of 32 letters and digits
	f("83016592740418365029174638205917463829", false)   // 38 digits are 126 bits
	f("bea950dca46be04fa5d4c3a9a9a9a933", true)          // a random one that repeats a9a9a9
	f(strings.Repeat("deadbeef", 8), false)
	for range 1000 {
		b := make([]byte, 16)
		rand.Read(b)
		f(hex.EncodeToString(b), true)
	}
}

func TestPrintable(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := Printable(text); got != want {
			t.Errorf("Printable(%q) = %q, want %q", text, got, want)
		}
	}
	f("Köln, 20 µg/m³\n\tnext", "Köln, 20 µg/m³\n\tnext")
	f("\x1b]0;pwned\x07.csv", `\x1b]0;pwned\a.csv`)
	f("a\rb\x00\x7f", `a\rb\x00\x7f`)
	f("\u009b31m", `\u009b31m`)         // CSI in one character
	f("gpj.\u202eexe", `gpj.\u202eexe`) // right to left
	f("a\xffb", `a\xffb`)
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		c := defaults()
		c.LogFormat = format
		NewLogger(c, &out).With("a", "\u009b1m").Warn("\x1b[31m", "name", "\u202e\x1b", "err", errors.New("\u009b2J"))
		if strings.ContainsAny(out.String(), "\x1b\u009b\u202e") {
			t.Errorf("%s log: %q", format, out.String())
		}
	}
}
