package push

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"stadtluft/ingest"
)

type stations map[string]*ingest.Station

func (s stations) Station(id string) (*ingest.Station, bool) { st, ok := s[id]; return st, ok }
func (s stations) Authenticate(id, token string) bool        { return s[id] != nil && token == "token of "+id }

func TestLogIn(t *testing.T) {
	h := Handler{Registry: stations{"OWN": {ID: "OWN"}, "EXT": {ID: "EXT", Source: "sensor-community"}}, Import: "secret"}
	f := func(id, password string, want bool) {
		t.Helper()
		if st, got := h.logIn(id, password); got != want || got && st.ID != id {
			t.Errorf("logIn(%q, %q) = %v, %v, want %v", id, password, st, got, want)
		}
	}
	f("OWN", "token of OWN", true)
	f("OWN", "token of EXT", false)
	f("OWN", "secret", false)
	f("OWN", "", false)
	f("NONE", "token of NONE", false)
	f("", "", false)
	f("EXT", "secret", true)
	f("EXT", "token of EXT", false)
	h.Import = ""
	f("EXT", "", false)
}

func TestDeliver(t *testing.T) {
	out := make(chan ingest.Message)
	h := Handler{Out: out}
	f := func(family, part, want string) {
		t.Helper()
		go func() {
			m := <-out
			if m.From != "K7M2Q9X" {
				t.Errorf("deliver(%s, %s): the message is from %q, want the station that logged in", family, part, m.From)
			}
			m.Done(ingest.Outcome{Readings: []ingest.Reading{{Station: m.Topic}}, Duplicates: 2, Ignored: []string{string(m.Payload)}})
		}()
		o, err := h.deliver(t.Context(), "K7M2Q9X", family, part, []byte("{}"))
		if err != nil || len(o.Readings) != 1 || o.Readings[0].Station != want || o.Duplicates != 2 || o.Ignored[0] != "{}" {
			t.Errorf("deliver(%s, %s) = %+v, %v, want topic %s", family, part, o, err, want)
		}
	}
	f(Native, "", "stadtluft/v1/K7M2Q9X/reading")
	f("airrohr", "", "stadtluft/v1/K7M2Q9X/kit/airrohr")
	f("airrohr", "pin/1", "stadtluft/v1/K7M2Q9X/kit/airrohr/pin/1")
}

// TestDeliverWaits expects an end with a pipeline that accepts nothing, and with one that never finishes.
func TestDeliverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, out := range []chan ingest.Message{make(chan ingest.Message), make(chan ingest.Message, 1)} {
			h := Handler{Out: out}
			if _, err := h.deliver(t.Context(), "K7M2Q9X", Native, "", nil); !errors.Is(err, errBusy) {
				t.Errorf("a full queue of %d: %v, want errBusy", cap(out), err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h := Handler{Out: make(chan ingest.Message)}
		if _, err := h.deliver(ctx, "K7M2Q9X", Native, "", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that has gone: %v", err)
		}
	})
}
