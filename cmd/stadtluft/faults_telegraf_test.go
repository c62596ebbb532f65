package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/ingest/store/influx/influxtest"
)

// telegrafConfig lets Telegraf read what stations send, in a session that outlasts it, and acknowledge what InfluxDB has
// taken. It connects and writes again each second, ten times as often as by default; all other settings are its own.
const telegrafConfig = `
[agent]
  interval = "1s"
  flush_interval = "1s"
  omit_hostname = true
%s
[[inputs.mqtt_consumer]]
  servers = ["tcp://%s"]
  topics = ["stadtluft/v1/+/reading"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "telegraf"
  username = "stadtluft"
  password = "secret"
%s
  data_format = "json_v2"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "stadtluft/v1/+/reading"
    tags = "_/_/station/_"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "reading"
    timestamp_path = "t"
    timestamp_format = "unix"
%s
[[outputs.influxdb_v2]]
  urls = ["%s"]
  bucket = "%s"
`

// telegrafFile writes a configuration for fields of a reading, and with more lines for the agent and for its reading from the broker.
func telegrafFile(t *testing.T, broker, influxdb, database string, fields []string, agent, input string) (path string) {
	t.Helper()
	var all strings.Builder
	for _, name := range fields {
		fmt.Fprintf(&all, "    [[inputs.mqtt_consumer.json_v2.field]]\n      path = %q\n      type = \"float\"\n", name)
	}
	return writeFile(t, "telegraf.conf", fmt.Sprintf(telegrafConfig, agent, broker, input, all.String(), influxdb, database))
}

// sessionFor makes the session of a subscriber that is not started yet, with its subscription.
func sessionFor(t *testing.T, broker, client, filter string) {
	t.Helper()
	reader := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(client).SetCleanSession(false).
		SetUsername("stadtluft").SetPassword("secret"))
	for _, step := range []func() mqtt.Token{reader.Connect, func() mqtt.Token { return reader.Subscribe(filter, 1, nil) }} {
		if token := step(); !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatalf("subscribe for %s: %v", client, token.Error())
		}
	}
	reader.Disconnect(0)
}

// telegrafRun is a fault while it is played with Telegraf, between Mosquitto and InfluxDB, in place of our program.
type telegrafRun struct {
	*faultRun
	database string
	lost     int  // readings of earlier rounds that did not come
	stalled  bool // some readings came only after a restart, for which recovery has the word
}

// telegrafFaults returns the faults that Telegraf has as well. It has no averages, and no door of its own.
func telegrafFaults() []fault {
	list := []fault{
		{name: "kill -9", rounds: 50, make: (*faultRun).killed},
		{name: "Mosquitto restarted", rounds: 2, make: (*faultRun).brokerRestarted},
		{name: "Mosquitto away for 3 s", rounds: 2, make: (*faultRun).brokerAway},
		{name: "Mosquitto killed", rounds: 2, make: (*faultRun).brokerKilled},
		{name: "InfluxDB killed", rounds: 5, make: func(r *faultRun) {
			failed := func() int { return strings.Count(r.log.String(), " E! [outputs.influxdb_v2]") }
			before := failed()
			r.db.Stop()
			eventually(r.t, "a write to fail", func() bool { return failed() > before })
			r.db.Restart()
		}},
	}
	for _, a := range []proxyAnswer{
		{status: http.StatusBadRequest, body: "<h1>400 The plain HTTP request was sent to HTTPS port</h1>"},
		{status: http.StatusInternalServerError, body: "internal error"},
		{},
	} {
		name := fmt.Sprintf("InfluxDB answers %d", a.status)
		if a.status == 0 {
			name = "InfluxDB hangs"
		}
		list = append(list, fault{name: name, rounds: 5, make: func(r *faultRun) {
			before := r.answers.given.Load()
			r.answers.answer.Store(&a)
			eventually(r.t, "an answer", func() bool { return r.answers.given.Load() > before })
			r.answers.answer.Store(nil)
		}})
	}
	return list
}

// playTelegraf plays a fault and prints its row. What another program loses is not an error.
func (f fault) playTelegraf(t *testing.T, senders []storyStation, db *influxtest.Server, rounds int) {
	t.Helper()
	r := startTelegraf(t, senders, db)
	o := f.play(r.faultRun, rounds)
	r.complete(time.Now(), o.acknowledged)
	r.compare(&o)
	recovery := fmt.Sprintf("%.1fs", o.recovery.Seconds())
	if r.stalled {
		recovery = "restart"
	}
	o.print("Telegraf: "+f.name, "mosquitto", "influxdb", "none", recovery)
}

// compare counts what is stored by station, time and values. InfluxDB keeps one reading of a station and second, so that
// doubled is what was not sent like this.
func (r *telegrafRun) compare(o *row) {
	_, end := span()
	wanted := map[string]bool{}
	for i, s := range r.senders {
		for _, m := range plan(i, end) {
			wanted[fmt.Sprintf("reading,,%d,%v,%v,%s", m.time.Unix(), m.pm10, m.pm25, s.id)] = true
		}
	}
	lines := strings.Split(strings.TrimSpace(r.query("SELECT pm10, pm2_5, station FROM reading")), "\n")[1:]
	o.stored = len(lines)
	for _, line := range lines {
		if !wanted[line] {
			o.doubled++
		}
		delete(wanted, line)
	}
	o.lost = len(wanted)
}

// startTelegraf starts Telegraf behind a Mosquitto with our configuration, with a database of its own. Its session is
// there before the first reading, and on Mosquitto's disk.
func startTelegraf(t *testing.T, senders []storyStation, db *influxtest.Server) *telegrafRun {
	t.Helper()
	binary := os.Getenv("FAULTS_TELEGRAF")
	if binary == "" {
		t.Fatal("FAULTS_TELEGRAF is not set: run make faults")
	}
	answers, broker := newWrongProxy(t, db.URL), startMosquitto(t, restartable(t, senders))
	r := &telegrafRun{database: strings.NewReplacer("/", "_", ":", "").Replace(t.Name())}
	r.faultRun = &faultRun{t: t, senders: senders, flow: newFlow(len(senders)), db: db, answers: answers, mosquitto: broker,
		network: newFaultyProxy(t, broker.addr)}
	r.recovered = func() time.Duration {
		begin := time.Now()
		eventually(t, "the stations to have sent their share", r.flow.still)
		return r.complete(begin, r.flow.total())
	}
	config := telegrafFile(t, broker.addr, answers.URL, r.database, []string{"pm2_5", "pm10"}, "", "")
	r.process = &process{t: t, args: []string{"--config", config}, env: []string{asProgram + "=1"}, log: &syncBuffer{}, binary: binary}
	r.query("CREATE DATABASE " + strconv.Quote(r.database))
	sessionFor(t, broker.addr, "telegraf", "stadtluft/v1/+/reading")
	r.brokerRestarted()
	t.Cleanup(func() { r.kill(); t.Logf("log of Telegraf:\n%s", r.log) })
	r.begin()
	return r
}

// complete waits until what is acknowledged is stored, and returns the time from a fault's end to the last of it. When
// nothing comes for 20 s, four times as long as Telegraf waits for InfluxDB, it restarts Telegraf once; what does not come
// then is lost.
func (r *telegrafRun) complete(begin time.Time, acknowledged int) time.Duration {
	r.t.Helper()
	last, stored := time.Now(), -1
	wait := func() {
		within(patience, func() bool {
			if n := r.count(); n > stored {
				stored, last = n, time.Now()
			}
			return stored >= acknowledged-r.lost || time.Since(last) > 20*time.Second
		})
	}
	wait()
	took, before := last.Sub(begin), stored
	if stored < acknowledged-r.lost {
		r.kill()
		r.begin()
		last = time.Now()
		wait()
		r.lost = acknowledged - stored
	}
	if stored > before {
		r.stalled, took = true, last.Sub(begin)
	}
	return took
}

// count returns the number of stored readings; 0 while InfluxDB does not answer.
func (r *telegrafRun) count() int { return countReadings(r.db, r.database) }

// query returns InfluxDB's answer as CSV; empty when it has none.
func (r *telegrafRun) query(text string) string { return queryInflux(r.db, r.database, text) }

// countReadings returns the number of readings in a database; 0 while InfluxDB does not answer.
func countReadings(db *influxtest.Server, database string) (n int) {
	line := strings.TrimSpace(queryInflux(db, database, "SELECT COUNT(pm10) FROM reading"))
	n, _ = strconv.Atoi(line[strings.LastIndexByte(line, ',')+1:])
	return n
}

// queryInflux returns InfluxDB's answer as CSV; empty when it has none.
func queryInflux(db *influxtest.Server, database, text string) string {
	form := url.Values{"db": {database}, "epoch": {"s"}, "q": {text}}
	request, err := http.NewRequest(http.MethodPost, db.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return ""
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/csv")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}
