package push

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
)

// untouched is a body that nobody may read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// post sends a request to a handler.
func post(h *Handler, family, password string, body io.Reader) *http.Response {
	mux := http.NewServeMux()
	httpapi.Mount(mux, h.Routes(slog.New(slog.DiscardHandler)))
	request := httptest.NewRequest(http.MethodPost, "/api/v1/push/"+family, body)
	request.SetBasicAuth("AAA", password)
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, request)
	return recorder.Result()
}

// TestLogInComesFirst expects no look at a body, nor at the family, before the log-in, and nothing that the station's
// owner is told of.
func TestLogInComesFirst(t *testing.T) {
	out := make(chan ingest.Message, 1)
	h := &Handler{Registry: anyStation{}, Out: out, Allow: func(string) time.Duration { t.Error("a stranger is counted"); return 0 }}
	for _, family := range []string{"airrohr", "telegraph"} {
		if r := post(h, family, "wrong", untouched{t}); r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s %v", family, r.Status, r.Header)
		}
	}
	if len(out) > 0 {
		t.Errorf("the pipeline has %+v", <-out)
	}
}

// TestMistakesAreTold expects what is wrong with a request in the answer and in the pipeline, for the station's owner.
func TestMistakesAreTold(t *testing.T) {
	f := func(family, header, value, body string, wantStatus int, wantReason wire.Reason, want string) {
		t.Helper()
		out := make(chan ingest.Message, 1)
		r := pushOf(family, out, map[string]string{header: value}, body)
		text, _ := io.ReadAll(r.Body)
		if r.StatusCode != wantStatus || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s %s, want %d and %q", family, r.Status, text, wantStatus, want)
		}
		select {
		case m := <-out:
			if m.Over != ingest.HTTP || m.Refused == nil || m.Refused.Station != "AAA" || m.Refused.Reason != wantReason || !strings.Contains(m.Refused.Detail, want) {
				t.Errorf("%s: the pipeline has %+v %+v, want %s and %q", family, m, m.Refused, wantReason, want)
			}
		default:
			t.Errorf("%s, %s %s: the owner is not told", family, header, value)
		}
	}
	f("native", "Content-Length", "0", "", 400, wire.Malformed, "the request has no body")
	f("native", "Content-Type", "", "", 411, wire.Malformed, "has no Content-Length")
	f("native", "Content-Type", "", strings.Repeat(" ", wire.MaxMessage+1), 413, wire.TooLarge, "the body has more than 65536 bytes")
	f("native", "Content-Encoding", "gzip", "{}", 415, wire.Unsupported, "the message is packed with")
	f("telegraph", "Content-Type", "", "{}", 404, wire.Unsupported, "the kit family")
	f("airrohr", "X-PIN", "x", "{}", 400, wire.Malformed, "is no number such as")
}

// TestAllow expects a station that sends too much to wait, without a look at its body, and its owner to be told once a
// minute.
func TestAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := make(chan ingest.Message, 10)
		wait := 1500 * time.Millisecond
		h := &Handler{Registry: anyStation{}, Out: out, Allow: func(station string) time.Duration {
			if station != "AAA" {
				t.Errorf("station %s is counted", station)
			}
			return wait
		}}
		for range 4 {
			r := post(h, "native", "token", untouched{t})
			text, _ := io.ReadAll(r.Body)
			if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "2" || !strings.Contains(string(text), "sends more than is taken of one") {
				t.Errorf("%s %v %s, want 429, 2 s and words", r.Status, r.Header, text)
			}
			time.Sleep(tellEvery / 2)
		}
		if len(out) != 2 {
			t.Errorf("the owner is told %d times in 1.5 minutes, want 2", len(out))
		}
		for range len(out) {
			if m := <-out; m.Refused.Reason != wire.TooFast || m.Refused.Station != "AAA" || m.Over != ingest.HTTP {
				t.Errorf("the owner is told %+v", m.Refused)
			}
		}
		imports := &Handler{Registry: stations{"AAA": {ID: "AAA", Source: "sensor-community"}}, Out: out, Import: "token", Allow: h.Allow}
		go func() { (<-out).Done(ingest.Outcome{Duplicates: 1}) }()
		if r := post(imports, "native", "token", strings.NewReader("{}")); r.StatusCode != http.StatusAccepted {
			t.Errorf("an import is answered %s", r.Status)
		}
		wait = 0
		go func() { (<-out).Done(ingest.Outcome{Duplicates: 1}) }()
		if r := post(h, "native", "token", strings.NewReader("{}")); r.StatusCode != http.StatusAccepted {
			t.Errorf("a station that may send is answered %s", r.Status)
		}
	})
}
