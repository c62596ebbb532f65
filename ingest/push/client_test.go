package push

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// transport answers requests without a network, with an error where the status is 0.
type transport func() (status int, body string)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := f()
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestReasonOf distinguishes readings of one delivery by the facts of the refusals, not by their texts.
func TestReasonOf(t *testing.T) {
	var a Answer
	err := json.Unmarshal([]byte(`{"refused":[{"reason":"clock","field":"t","observed":"2019-04-20T00:00:01Z","detail":"zu alt"},
		{"reason":"duplicate","field":"pm10","observed":"2019-04-20T00:00:02Z","value":7.5,"detail":"gab es schon"},
		{"reason":"range","field":"pm10","detail":"at 2019-04-20T00:00:03Z; 7.5 comes too late"}]}`), &a)
	if err != nil {
		t.Fatal(err)
	}
	f := func(second int, value float64, want wire.Reason) {
		t.Helper()
		r := wire.Reading{Values: []wire.Value{{Quantity: quantity.PM2_5, Value: 3}, {Quantity: quantity.PM10, Value: value}}}
		if got := a.ReasonOf(r, fmt.Sprintf("2019-04-20T00:00:0%dZ", second)); got != want {
			t.Errorf("ReasonOf(second %d, PM10 %v) = %q, want %q", second, value, got, want)
		}
	}
	f(1, 1, wire.Clock)
	f(2, 7.5, wire.Conflict)
	f(2, 8, "")
	f(3, 7.5, "")
}

// TestClientDelivers retries with a server that does not know a station yet or accepts nothing, and not with one that is
// away.
func TestClientDelivers(t *testing.T) {
	f := func(want string, statuses ...int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c := Client{URL: "http://server", Password: func() (string, error) { return "", nil }, HTTP: &http.Client{Transport: transport(
				func() (int, string) {
					status := statuses[0]
					statuses = statuses[min(1, len(statuses)-1):]
					return status, `{"detail":"words"}`
				})}}
			_, err := c.Deliver(t.Context(), "EXT7", nil)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
	f("", 202)
	f("", 422)
	f("", 401, 401, 202)
	f("", append(slices.Repeat([]int{503}, 1000), 202)...)
	f("", 401, 0, 202)
	f("is the server running?", 0)
	f("does it serve from this data folder?", 401)
	f("answers 500: words", 500)
}

// TestClientWaitsForARestart has a server that took a delivery, is away for a moment, and takes the next.
func TestClientWaitsForARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		statuses := []int{202, 0, 0, 202}
		c := Client{URL: "http://server", Password: func() (string, error) { return "", nil }, HTTP: &http.Client{Transport: transport(
			func() (status int, body string) {
				status, statuses = statuses[0], statuses[1:]
				return status, `{}`
			})}}
		for delivery := range 2 {
			if _, err := c.Deliver(t.Context(), "EXT7", nil); err != nil {
				t.Errorf("delivery %d: %v", delivery, err)
			}
		}
	})
}

// TestClientKeepsItsConnection has answers of unknown length, as those to many readings are.
func TestClientKeepsItsConnection(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "{\"detail\":%q}\n", strings.Repeat("w", 30_000))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := Client{URL: server.URL, Password: func() (string, error) { return "", nil }, HTTP: server.Client()}
	for range 5 {
		if _, err := c.Deliver(t.Context(), "EXT7", nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := opened.Load(); got != 1 {
		t.Errorf("5 deliveries opened %d connections, want 1", got)
	}
}
