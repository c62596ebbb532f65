package push

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
)

// anyStation is a Registry for one station.
type anyStation struct{}

func (anyStation) Station(id string) (*ingest.Station, bool) {
	return &ingest.Station{ID: id}, id == "AAA"
}
func (anyStation) Authenticate(id, token string) bool { return id == "AAA" && token == "token" }

// pushTo delivers an airRohr's message to a handler whose pipeline is out.
func pushTo(out chan ingest.Message, header map[string]string, body string) *http.Response {
	return pushOf("airrohr", out, header, body)
}

func pushOf(family string, out chan ingest.Message, header map[string]string, body string) *http.Response {
	mux := http.NewServeMux()
	httpapi.Mount(mux, (&Handler{Registry: anyStation{}, Out: out}).Routes(slog.New(slog.DiscardHandler)))
	request := httptest.NewRequest(http.MethodPost, "/api/v1/push/"+family, strings.NewReader(body))
	request.SetBasicAuth("aaa", "token")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, request)
	return recorder.Result()
}

// TestPushWhileTheJournalStalls expects no answer before the journal has a message, and an error after 15 s.
func TestPushWhileTheJournalStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := make(chan ingest.Message, 1)
		answered := make(chan *http.Response, 1)
		go func() { answered <- pushTo(out, nil, "{}") }()
		synctest.Wait()
		if len(answered) > 0 {
			t.Error("answered before the journal has it")
		}
		(<-out).Done(ingest.Outcome{Duplicates: 1})
		if r := <-answered; r.StatusCode != http.StatusAccepted {
			t.Errorf("answered %s, want 202", r.Status)
		}
		r := pushTo(out, nil, "{}")
		body, _ := io.ReadAll(r.Body)
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "60" || !strings.Contains(string(body), "deliver it again") {
			t.Errorf("answered %s %v %s, want 503, when to come again and words", r.Status, r.Header, body)
		}
	})
}

// TestPushParts expects the part of a request that describes the payload, and errors for invalid ones.
func TestPushParts(t *testing.T) {
	f := func(name, value string, want int, wantTopic string) {
		t.Helper()
		out := make(chan ingest.Message, 1)
		topic := make(chan string, 1)
		go func() {
			if m, ok := <-out; ok && m.Refused == nil {
				topic <- m.Topic
				m.Done(ingest.Outcome{Duplicates: 1})
			}
			close(topic)
		}()
		r := pushTo(out, map[string]string{name: value, "X-Sensor": "esp32-7c9ebd"}, "{}")
		close(out)
		if got := <-topic; r.StatusCode != want || got != wantTopic {
			t.Errorf("%s: %s: %s, topic %q, want %d and %q", name, value, r.Status, got, want, wantTopic)
		}
	}
	const kit = "stadtluft/v1/AAA/kit/airrohr"
	f("X-PIN", "", 202, kit)
	f("X-PIN", "1", 202, kit+"/pin/1")
	f("X-PIN", "11", 202, kit+"/pin/11")
	f("PIN", "1", 202, kit+"/pin/1")
	f("pin", "11", 202, kit+"/pin/11")
	f("X-PIN", "a/b", 400, "")
	f("PIN", "a/b", 400, "")
	f("X-PIN", strings.Repeat("1", 4), 400, "")
	f("Content-Encoding", "identity", 202, kit)
	f("Content-Encoding", "gzip", 415, "")
}

// TestPushStatus expects the status that reports whether anything was accepted.
func TestPushStatus(t *testing.T) {
	f := func(family string, want int, o ingest.Outcome) {
		t.Helper()
		out := make(chan ingest.Message, 1)
		go func() { (<-out).Done(o) }()
		r := pushOf(family, out, nil, "{}")
		body, _ := io.ReadAll(r.Body)
		if r.StatusCode != want || strings.Contains(string(body), "nothing of the message was taken") != (want != 202) {
			t.Errorf("%s: %+v is answered %s %s, want %d", family, o, r.Status, body, want)
		}
	}
	refused := func(reason wire.Reason) []ingest.Refusal { return []ingest.Refusal{{Reason: reason}} }
	f("airrohr", 202, ingest.Outcome{Readings: []ingest.Reading{{}}})
	f("airrohr", 202, ingest.Outcome{Readings: []ingest.Reading{{}}, Refusals: refused(wire.NotANumber)})
	f("airrohr", 202, ingest.Outcome{Duplicates: 1, Refusals: refused(wire.Conflict)})
	f("airrohr", 422, ingest.Outcome{Refusals: refused(wire.Malformed)})
	f("airrohr", 403, ingest.Outcome{Refusals: refused(wire.Inactive)})
	f("airrohr", 422, ingest.Outcome{})
	f("airrohr", 422, ingest.Outcome{Ignored: []string{"samples"}})
	f("airrohr", 422, ingest.Outcome{Ignored: []string{"GPS_lat", "GPS_lon"}}) // X-PIN: 9
	f("airgradient", 422, ingest.Outcome{Ignored: []string{"boot"}})
	f("tasmota", 202, ingest.Outcome{Ignored: []string{"ENERGY.Total"}})
	f("ttn", 202, ingest.Outcome{})
	f("ttn", 422, ingest.Outcome{Refusals: refused(wire.Malformed)})
}
