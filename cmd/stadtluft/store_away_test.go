package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"stadtluft/ingest/store/influx/influxtest"
)

// TestACityWhoseStoreIsAway starts two cities for the first time, of which one has an InfluxDB that does not answer. The other
// serves its stations. The process is ready while one of its cities is, and says of each whether it is; a city speaks for
// itself. Once InfluxDB is there, its city starts without a restart.
func TestACityWhoseStoreIsAway(t *testing.T) {
	db := influxtest.Start(t)
	db.Stop()
	koeln, bonn := twoCitySites()
	p := prepare(t, t.TempDir(), "STADTLUFT_CITIES_BONN_STORE_KIND=influxdb", "STADTLUFT_CITIES_BONN_STORE_INFLUXDB_URL="+db.URL)
	p.args = append(p.args, "--config", cityConfig(t, koeln, bonn, "http://luft.example"))
	koeln.process, bonn.process = p, p
	all := &citySite{process: p, name: "the process", host: "luft.example"}
	one := func(away bool) {
		t.Helper()
		for c, want := range map[*citySite]bool{all: true, koeln: true, bonn: !away} {
			c.isReady(t, want)
		}
		_, body := all.ask(t, "GET", "/readyz", "", "")
		for _, want := range []string{`{"city":"koeln","ready":true}`, fmt.Sprintf(`{"city":"bonn","ready":%t}`, !away)} {
			if !strings.Contains(body, want) {
				t.Errorf("the process's /readyz lacks %s: %s", want, body)
			}
		}
		if away && !strings.Contains(body, `"part":"bonn: store"`) || strings.Contains(body, `"part":"koeln: store"`) {
			t.Errorf("the process's /readyz does not say whose store is away: %s", body)
		}
		if _, body := koeln.ask(t, "GET", "/readyz", "", ""); strings.Contains(body, "bonn") {
			t.Errorf("/readyz of koeln tells of bonn: %s", body)
		}
		_, scrape := all.ask(t, "GET", "/metrics", "", "")
		state := map[bool]int{true: 1}
		for _, want := range []string{`stadtluft_ready{city=""} 1`, `stadtluft_ready{city="koeln"} 1`, fmt.Sprintf(`stadtluft_ready{city="bonn"} %d`, state[!away])} {
			if !strings.Contains(scrape, "\n"+want+"\n") {
				t.Errorf("/metrics without %s", want)
			}
		}
	}
	p.begin()
	eventually(t, "koeln to be ready", func() bool { status, _ := koeln.answer("/readyz"); return status == http.StatusOK })
	one(true)
	settle(t, koeln)
	for _, route := range []string{"/", "/api/v1/stations"} {
		if status, body := bonn.ask(t, "GET", route, "", ""); status != http.StatusServiceUnavailable || strings.Contains(body, "registry") {
			t.Errorf("GET %s of bonn: %d %s", route, status, body)
		}
	}
	if log := p.log.String(); !strings.Contains(log, "city cannot start without its store") || !strings.Contains(log, "city=bonn") {
		t.Error("the log does not say which city waits")
	}
	db.Restart()
	eventually(t, "bonn to be ready", func() bool { status, _ := bonn.answer("/readyz"); return status == http.StatusOK })
	settle(t, bonn)
	one(false)
	nothingCrosses(t, koeln, bonn)
	nothingCrosses(t, bonn, koeln)
	topicsDoNotCross(t, koeln, bonn)

	db.Stop()
	eventually(t, "bonn to miss its store", func() bool { status, _ := bonn.answer("/readyz"); return status != http.StatusOK })
	one(true)
	p.end(t)
	p.begin() // bonn is known now: it takes readings without its store
	eventually(t, "bonn to start without its store", func() bool {
		status, _ := bonn.answer("/api/v1/stations")
		return status == http.StatusOK
	})
	one(true)
	bonn.value = "31.25"
	client := mustLogIn(t, bonn)
	eventually(t, "a reading to be taken", func() bool { return says(client, bonn.topic(), `{"pm2_5":31.25,"pm10":40.5}`) })
	db.Restart()
	bonn.has(t)
	one(false)
}

// TestNoCityIsReady has the InfluxDB of all cities away: the process is not ready. It stops at once when it is told to.
func TestNoCityIsReady(t *testing.T) {
	koeln, bonn := twoCitySites()
	p := prepare(t, t.TempDir(), "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=http://"+freeAddr(t))
	p.args = append(p.args, "--config", cityConfig(t, koeln, bonn, "http://luft.example"))
	all := &citySite{process: p, name: "the process", host: "luft.example"}
	koeln.process, bonn.process = p, p
	p.begin()
	eventually(t, "the process to answer", func() bool { status, _ := all.answer("/readyz"); return status != 0 })
	for _, c := range []*citySite{all, koeln, bonn} {
		c.isReady(t, false)
	}
	if status, _ := all.ask(t, "GET", "/healthz", "", ""); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
	p.end(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

// TestAFirstStartWithoutItsStore starts the only city of a process for the first time while its InfluxDB is away.
func TestAFirstStartWithoutItsStore(t *testing.T) {
	db := influxtest.Start(t)
	db.Stop()
	p := prepare(t, t.TempDir(), "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL)
	p.begin()
	eventually(t, "/readyz to say that the store is away", func() bool {
		status, body := p.ready()
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"part":"store"`) && strings.Contains(body, "connection refused")
	})
	if status, _ := p.ask("/api/v1/stations"); status != http.StatusServiceUnavailable {
		t.Errorf("stations: %d", status)
	}
	db.Restart()
	p.wait()
	r := p.register(t, "")
	if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":22}`)); status != http.StatusAccepted {
		t.Errorf("push: %d %s", status, body)
	}
	p.arrives(t, "the reading", r.ID, map[string]float64{"temperature": 22})
	c, _ := client(t, p.mqtt, r, "stadtluft/v1/"+r.ID+"/feedback")
	if !says(c, "stadtluft/v1/"+r.ID+"/reading", `{"humidity":60}`) {
		t.Error("a message over MQTT is not acknowledged")
	}
	eventually(t, "/metrics to count what is stored", func() bool { return p.metric("stadtluft_stored_total") == 2 })
}

// answer returns what a city answers; 0 while the process does not listen.
func (c *citySite) answer(route string) (status int, body string) {
	request, err := http.NewRequest(http.MethodGet, c.url+route, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Host = c.host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

func (c *citySite) isReady(t *testing.T, want bool) {
	t.Helper()
	status, body := c.answer("/readyz")
	if got := status == http.StatusOK; got != want || strings.Contains(body, `"ready":true`) != want && c.name != "the process" {
		t.Errorf("/readyz of %s: %d %s, want ready: %t", c.name, status, body, want)
	}
}
