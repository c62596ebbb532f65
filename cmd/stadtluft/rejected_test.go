package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stadtluft/ingest/store/influx/influxtest"
)

// wrongProxy stands in front of a database and answers in its place while answer is set.
type wrongProxy struct {
	*httptest.Server
	answer atomic.Pointer[proxyAnswer] // nil forwards everything
	given  atomic.Int64                // answers to writes with a body
}

// proxyAnswer is an answer with a status and a body; with status 0 there is none, and the request waits.
type proxyAnswer struct {
	status int
	body   string
	late   bool // the database gets the request, and its answer is lost
}

func newWrongProxy(t *testing.T, target string) *wrongProxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p, through := &wrongProxy{}, httputil.NewSingleHostReverseProxy(u)
	through.ErrorLog = log.New(io.Discard, "", 0) // the faults of its target are a test's own
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := p.answer.Load()
		if a == nil {
			through.ServeHTTP(w, r)
			return
		}
		if a.late {
			through.ServeHTTP(httptest.NewRecorder(), r)
			p.given.Add(1)
			panic(http.ErrAbortHandler)
		}
		if a.status == 0 {
			p.given.Add(1)
			io.Copy(io.Discard, r.Body) // a server notices the end of a connection behind the body
			<-r.Context().Done()
			return
		}
		if strings.HasPrefix(a.body, "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
		p.given.Add(1)
	}))
	t.Cleanup(p.Close)
	return p
}

// TestAProxysAnswerBlamesNoReading sends 5,000 readings while a proxy at the database's address refuses everything with
// texts that could be taken for errors in the data. All of them are stored when the database is back.
func TestAProxysAnswerBlamesNoReading(t *testing.T) {
	const stations = 50
	data := t.TempDir()
	senders := registerStations(t, data, stations)
	_, end := span()
	proxy := newWrongProxy(t, influxtest.Start(t).URL)
	p := launch(t, data, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+proxy.URL)
	proxy.answer.Store(&proxyAnswer{status: http.StatusBadRequest, body: "<h1>400 Bad Request</h1>"})
	publishAtOnce(t, p.mqtt, senders, end)
	for _, a := range []proxyAnswer{
		{status: http.StatusBadRequest, body: "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"},
		{status: http.StatusRequestEntityTooLarge, body: "<h1>413 Request Entity Too Large</h1>"},
		{status: http.StatusBadRequest, body: `{"error":"partial write: field type conflict: input field \"pm10\" dropped=1"}`},
		{status: http.StatusOK, body: "<p>Please log in</p>"},
	} {
		proxy.answer.Store(&a)
		before := proxy.given.Load()
		eventually(t, "some writes to be answered", func() bool { return proxy.given.Load() > before+2 })
		var status int
		var body string
		eventually(t, "/readyz to name the answer", func() bool {
			status, body = p.ready()
			return status == http.StatusServiceUnavailable && strings.Contains(body, "store")
		})
		if !strings.Contains(body, "InfluxDB") {
			t.Errorf("/readyz with %v: %s", a, body)
		}
	}
	if n := p.metric("stadtluft_stored_total"); n != 0 {
		t.Errorf("%v readings count as stored", n)
	}
	p.kill()
	p.begin() // an answer that is not the database's does not stop a start
	eventually(t, "the server to answer", func() bool { status, _ := p.ready(); return status == http.StatusServiceUnavailable })
	proxy.answer.Store(nil)
	checkStory(t, p, senders)
	if n := p.metric("stadtluft_refused_total"); n != 0 {
		t.Errorf("%v values were refused", n)
	}
}

// TestDeadLetters sends readings that InfluxDB rejects for their age. They are kept, counted and listed, and can be
// written again when it accepts them.
func TestDeadLetters(t *testing.T) {
	data := t.TempDir()
	senders := registerStations(t, data, 2)
	db := influxtest.Start(t)
	statement(t, db.URL, `CREATE DATABASE stadtluft WITH DURATION 24h SHARD DURATION 1h`)
	t.Setenv("STADTLUFT_STORE_KIND", "influxdb")
	t.Setenv("STADTLUFT_STORE_INFLUXDB_URL", db.URL)
	t.Setenv("STADTLUFT_HTTP_LISTEN", freeAddr(t))
	t.Setenv("STADTLUFT_MQTT_LISTEN", freeAddr(t))
	if _, out, _ := command(t, "check", "--data", data); !strings.Contains(out, "keeps data for 24h0m0s only") {
		t.Errorf("check says nothing of the retention:\n%s", out)
	}
	p := launch(t, data, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL)
	end := time.Now().UTC().Truncate(time.Hour).Add(-72 * time.Hour)
	publishAtOnce(t, p.mqtt, senders[:1], end)
	publishAtOnce(t, p.mqtt, senders[1:], time.Now().UTC().Truncate(time.Hour).Add(-3*time.Hour))
	eventually(t, "the old values to be rejected", func() bool { return p.metric("stadtluft_refused_total") == 2*storyReadings })
	eventually(t, "the new ones to be stored", func() bool { return p.metric("stadtluft_stored_total") == storyReadings })
	if body := string(p.get("/api/v1/stations/" + senders[0].id + "/health")); !strings.Contains(body, "beyond retention") {
		t.Errorf("health does not quote the store:\n%s", body)
	}
	status, out, _ := command(t, "dead-letters", "list", "--data", data)
	if lines := strings.Count(out, senders[0].id+" pm"); status != 0 || lines != 2*storyReadings {
		t.Errorf("list: %d, %d lines, want %d:\n%.500s", status, lines, 2*storyReadings, out)
	}
	if status, _, messages := command(t, "dead-letters", "retry", "--data", data); status == 0 || !strings.Contains(messages, "200 were rejected again") {
		t.Errorf("retry while nothing is mended: %d %s", status, messages)
	}
	statement(t, db.URL, `ALTER RETENTION POLICY autogen ON stadtluft DURATION INF`)
	if status, out, messages := command(t, "dead-letters", "retry", "--data", data); status != 0 || !strings.Contains(out, "200 values are stored") {
		t.Errorf("retry: %d %s %s", status, out, messages)
	}
	if _, out, _ := command(t, "dead-letters", "list", "--data", data); out != "" {
		t.Errorf("still there:\n%s", out)
	}
	period := "from=" + end.Add(-5*time.Hour).Format(time.RFC3339) + "&to=" + end.Format(time.RFC3339)
	if got, want := sortedLines(t, p.get("/api/v1/readings?format=csv&"+period)), wantReadings(senders[:1], end); got != want {
		t.Errorf("readings: %s", firstDifference(got, want))
	}
}

func statement(t *testing.T, address, text string) {
	t.Helper()
	response, err := http.PostForm(address+"/query", url.Values{"q": {text}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), "error") {
		t.Fatalf("%s: %s %s %v", text, response.Status, body, err)
	}
}
