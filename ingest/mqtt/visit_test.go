package mqtt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

func TestRetained(t *testing.T) {
	r := mosquitto(t, true)
	s, _ := run(t, r, 0, make(chan ingest.Message, 10))
	list := func() []string {
		t.Helper()
		topics, err := s.Retained(t.Context(), wire.CityFilter, wire.GridFilter)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(topics)
		return topics
	}
	if got := list(); len(got) != 0 {
		t.Errorf("an empty broker keeps %v", got)
	}
	want := []string{wire.CityTopic(quantity.PM10), wire.GridTopic("CRS3035RES1000mN3096000E4107000", quantity.PM10)}
	for _, topic := range want {
		if err := s.Publish(t.Context(), topic, 1, true, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); !slices.Equal(got, want) {
		t.Errorf("Retained = %v, want %v", got, want)
	}
	if err := s.Publish(t.Context(), want[1], 1, true, nil); err != nil {
		t.Fatal(err)
	}
	if got := list(); !slices.Equal(got, want[:1]) {
		t.Errorf("Retained after one was taken away = %v, want %v", got, want[:1])
	}
}

// TestCheckLeavesNoTrace checks a broker and expects no session of its own there afterwards.
func TestCheckLeavesNoTrace(t *testing.T) {
	r := mosquitto(t, true)
	s, _ := run(t, r, 0, make(chan ingest.Message, 10))
	version, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(version, "mosquitto version") {
		t.Errorf("version = %q of a Mosquitto", version)
	}
	if ok, _, err := s.Connected(); !ok {
		t.Errorf("the subscriber lost its connection: %v", err)
	}
}

func TestCheckErrors(t *testing.T) {
	r := ours(t)
	for _, f := range []struct{ user, password, want string }{
		{"AAA", "wrong", "wrong user or password"},
		{"AAA", "token-AAA", "subscribe to stadtluft/v1/"},
	} {
		s, err := New(Options{Broker: r.url, Username: f.user, Password: f.password, ClientID: "x", Out: make(chan ingest.Message), Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("Check as %s with %s: %v, want %q", f.user, f.password, err, f.want)
		}
	}
}

// TestCheckTriesTheAccessList checks a Mosquitto that acknowledges what its access list forbids.
func TestCheckTriesTheAccessList(t *testing.T) {
	f := func(list, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "list.acl")
		if err := os.WriteFile(path, []byte(list), 0o644); err != nil {
			t.Fatal(err)
		}
		r := mosquitto(t, false, "user root\nacl_file "+path+"\n")
		s, err := New(Options{Broker: r.url, ClientID: "x", Out: make(chan ingest.Message), Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(t.Context()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("with %q: %v, want %q", list, err, want)
		}
	}
	f("topic readwrite #\n", "")
	f("topic read #\n", "publish stadtluft/v1/city/_check: the broker takes it and delivers it to nobody")
}
